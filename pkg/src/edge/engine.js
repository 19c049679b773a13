import { createInstance } from "../instance.js";
import { createGlue } from "./glue.js";

/**
 * An instance of the edge module: the client and the gateway.
 * @param {WebAssembly.Module} module
 */
export function createEdgeEngine(module) {
  return createInstance(createGlue, module);
}
