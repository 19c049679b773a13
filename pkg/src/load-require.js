import { readFileSync } from "node:fs";
import { join } from "node:path";

/** For `require` in Node, where nothing was bundled: the module lies beside the file that is required. */
export async function load() {
  return WebAssembly.compile(readFileSync(join(__dirname, "comet_tasks.wasm")));
}
