import { readFileSync } from "node:fs";
import { bindGateway } from "./gateway/create.js";

/** In Node, where nothing was bundled, the module lies beside this file. */
export const createGateway = bindGateway(async () =>
  WebAssembly.compile(readFileSync(new URL("./comet_tasks_edge.wasm", import.meta.url))),
);
