import { load } from "./edge/load-edge-light.js";
import { bindGateway } from "./gateway/create.js";

export const createGateway = bindGateway(load);
