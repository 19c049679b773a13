import { bind } from "./create.js";
import { load } from "./load-workerd.js";

export { CometError, findButton, isCometError, supersedes } from "./shared.js";

/** Pure, and made into no variables at once: who imports none of the three gets no wasm from a bundler. */
const entry = /* @__PURE__ */ bind(load, false);

/** @param {any} [options] */
export const createClient = (options) => entry.createClient(options);
/** @param {any} [source] */
export const init = (source) => entry.init(source);
/** @param {any} body */
export const parseWebhook = (body) => entry.parseWebhook(body);
