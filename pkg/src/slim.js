import { bind } from "./create.js";
import { CometError } from "./errors.js";

export { CometError, isCometError } from "./errors.js";
export { findButton, supersedes } from "./task.js";

export const { createClient, init, parseWebhook } = bind(load, true);

/** This entry brings no wasm and looks for none: where it lies, only the application knows. */
async function load() {
  const message =
    "comet-tasks/slim has no wasm of its own: call init with it, or with its URL, before the first call";
  throw new CometError({ code: "unsupported", operation: "init", message });
}
