import { bind } from "./create.js";
import { CometError } from "./errors.js";

export { CometError, findButton, isCometError, supersedes } from "./create.js";

/** By the first call: see index.js. */
let made = /** @type {ReturnType<typeof bind> | undefined} */ (undefined);
const entry = () => (made ??= bind(load, true));

/** @param {any} [options] */
export const createClient = (options) => entry().createClient(options);
/** @param {any} [source] */
export const init = (source) => entry().init(source);
/** @param {any} body */
export const parseWebhook = (body) => entry().parseWebhook(body);

/** This entry brings no wasm and looks for none: where it lies, only the application knows. */
async function load() {
  const message =
    "comet-tasks/slim has no wasm of its own: call init with it, or with its URL, before the first call";
  throw new CometError({ code: "unsupported", operation: "init", message });
}
