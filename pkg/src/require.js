import { bind } from "./create.js";
import { load } from "./load-file.js";

export { CometError, findButton, isCometError, supersedes } from "./shared.js";

/** Pure: see index.js. */
const entry = /* @__PURE__ */ bind(load, true);

/** @param {any} [options] */
export const createClient = (options) => entry.createClient(options);
/** @param {any} [source] */
export const init = (source) => entry.init(source);
/** @param {any} body */
export const parseWebhook = (body) => entry.parseWebhook(body);
