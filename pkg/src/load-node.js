import { readFileSync } from "node:fs";
import { compileFile } from "./inline.js";

/** For `import` in Node: the module lies beside the file. */
export function load() {
  return compileFile(
    () => readFileSync(new URL("./comet_tasks.wasm", import.meta.url)),
    () => import("./wasm-inline.js"),
  );
}
