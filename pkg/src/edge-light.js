import { bind } from "./create.js";
import { load } from "./load-edge-light.js";

export { CometError, isCometError } from "./errors.js";
export { findButton, supersedes } from "./task.js";

export const { createClient, init, parseWebhook } = bind(load, false);
