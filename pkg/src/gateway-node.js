import { readFileSync } from "node:fs";
import { bindGateway } from "./gateway/create.js";
import { compileFile } from "./inline.js";

/** In Node the module lies beside the file. */
export const createGateway = bindGateway(() =>
  compileFile(
    () => readFileSync(new URL("./comet_tasks_edge.wasm", import.meta.url)),
    () => import("./edge/wasm-inline.js"),
  ),
);
