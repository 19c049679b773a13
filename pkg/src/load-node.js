import { readFileSync } from "node:fs";

/** For `import` in Node, where nothing was bundled: the module lies beside the file that is imported. */
export async function load() {
  return WebAssembly.compile(readFileSync(new URL("./comet_tasks.wasm", import.meta.url)));
}
