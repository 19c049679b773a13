import { createGlue } from "./glue.js";
import { createInstance } from "./instance.js";

export { isModule } from "./instance.js";

/**
 * An instance of the client's module.
 * @param {WebAssembly.Module} module
 */
export function createEngine(module) {
  return createInstance(createGlue, module);
}
