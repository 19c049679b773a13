import { createInstance } from "../instance.js";
import { createGlue } from "./glue.js";

/**
 * An instance of the gateway's module.
 * @param {WebAssembly.Module} module
 */
export function createEdgeEngine(module) {
  return createInstance(createGlue, module);
}
