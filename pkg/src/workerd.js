import { bind } from "./create.js";
import { load } from "./load-workerd.js";

export { CometError, findButton, isCometError, supersedes } from "./create.js";

/** By the first call: see index.js. */
let made = /** @type {ReturnType<typeof bind> | undefined} */ (undefined);
const entry = () => (made ??= bind(load, false));

/** @param {any} [options] */
export const createClient = (options) => entry().createClient(options);
/** @param {any} [source] */
export const init = (source) => entry().init(source);
/** @param {any} body */
export const parseWebhook = (body) => entry().parseWebhook(body);
