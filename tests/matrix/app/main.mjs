// Node, Deno and Bun: `main.mjs <base URL of the sandbox>` prints what failed, as a JSON list.
import * as api from "comet-tasks";
import { smoke } from "./smoke.js";

console.log(JSON.stringify(await smoke(api, process.argv[2])));
