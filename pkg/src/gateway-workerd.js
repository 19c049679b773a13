import { load } from "./edge/load-workerd.js";
import { bindGateway } from "./gateway/create.js";

export const createGateway = bindGateway(load);
