import { createGlue } from "./glue.js";
import { createInstance } from "./instance.js";

export { isModule } from "./instance.js";

/**
 * An instance of the client's module.
 * @param {WebAssembly.Module} module
 * @param {(error: unknown) => void} onTrap see `createInstance`
 */
export function createEngine(module, onTrap) {
  return createInstance(createGlue, module, onTrap);
}
