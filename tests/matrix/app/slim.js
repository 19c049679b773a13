// The wasm as a file that the bundler places, loaded while it is compiled.
import * as api from "comet-tasks/slim";
// @ts-ignore: the ending is the bundler's
import url from "comet-tasks/comet_tasks.wasm?url";
import { report } from "./report.js";

api.init(url);
report(api);
