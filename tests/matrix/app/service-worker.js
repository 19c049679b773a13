import * as api from "comet-tasks";
import { report } from "./report.js";

const scope = /** @type {any} */ (globalThis);
scope.addEventListener("message", (/** @type {any} */ event) => event.waitUntil(report(api)));
