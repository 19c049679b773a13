import { createInstance } from "../instance.js";
import { createGlue } from "./glue.js";

/**
 * An instance of the edge module: the client and the gateway.
 * @param {WebAssembly.Module} module
 * @param {(error: unknown) => void} onTrap see `createInstance`
 */
export function createEdgeEngine(module, onTrap) {
  return createInstance(createGlue, module, onTrap);
}
