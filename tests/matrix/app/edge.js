// For the edge runtime's VM, which has no fetch event of its own here.
import * as api from "comet-tasks";
import { smoke } from "./smoke.js";

/** @type {any} */ (globalThis).run = (/** @type {string} */ service) => smoke(api, service);
