import { readFileSync } from "node:fs";
import { join } from "node:path";
import { compileFile } from "./inline.js";

/** For `require` in Node: the module lies beside the file. */
export function load() {
  return compileFile(
    () => readFileSync(join(__dirname, "comet_tasks.wasm")),
    () => import("./wasm-inline.js"),
  );
}
