// A page, a dedicated worker: whatever has `location`.
import * as api from "comet-tasks";
import { report } from "./report.js";

report(api);
