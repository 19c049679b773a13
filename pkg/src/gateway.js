import { load } from "./edge/load-inline.js";
import { bindGateway } from "./gateway/create.js";

export const createGateway = bindGateway(load);
