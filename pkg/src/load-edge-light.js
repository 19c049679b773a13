import module from "./comet_tasks.wasm?module";

/**
 * The module that the host compiled when the function was deployed: it refuses to compile one at run time.
 * @returns {WebAssembly.Module}
 */
export function load() {
  return module;
}
