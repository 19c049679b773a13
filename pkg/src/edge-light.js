import { bind } from "./create.js";
import { load } from "./load-edge-light.js";

export { CometError, findButton, isCometError, supersedes } from "./create.js";

/** Made by the first call of the three: a program with none of them gets no client and no wasm from a bundler. */
let made = /** @type {ReturnType<typeof bind> | undefined} */ (undefined);
const entry = () => (made ??= bind(load, false));

/** @param {any} [options] */
export const createClient = (options) => entry().createClient(options);
/** @param {any} [source] */
export const init = (source) => entry().init(source);
/** @param {any} body */
export const parseWebhook = (body) => entry().parseWebhook(body);
