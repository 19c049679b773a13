import module from "../comet_tasks_edge.wasm";

/**
 * The module that workerd compiled when the Worker was deployed: it refuses to compile one at run time.
 * @returns {WebAssembly.Module}
 */
export function load() {
  return module;
}
