import { invalid } from "../errors.js";
import { aFunction, atLeast, checkBaseUrl, checkKey, tell } from "../checks.js";

/** @import { GatewayOptions, Route } from "../gateway.js" */

const WHERE = "createGateway";
const DEFAULT_BASE_PATH = "/api/comet";
const DEFAULT_MAX_BODY_BYTES = 32 * 1024 * 1024;
/** HMAC-SHA-256's own length: a shorter secret is easier to guess than its tags. */
const SHORTEST_SECRET = 32;

const ROUTES = /** @type {Route[]} */ ([
  ...["imagine", "video", "veo", "action", "modal", "blend", "describe", "shorten", "edits", "remix"],
  ...["upload", "seed", "task", "tasks", "content"],
]);

/**
 * Checks a gateway's options, before its wasm is loaded: wrong ones throw where they were written.
 * @param {GatewayOptions} options
 */
export function checkGatewayOptions(options) {
  if (typeof options !== "object" || options === null) throw invalid(WHERE, "options", "must be an object");
  const { apiKey, secret, authorize, rateLimiter, fetch: custom, onEvent } = options;
  if (typeof authorize !== "function") {
    throw invalid(WHERE, "authorize", "must be a function that says who is asking: there is no open gateway");
  }
  aFunction(WHERE, options, "fetch");
  aFunction(WHERE, options, "onEvent");
  atLeast(WHERE, options, "maxBodyBytes", 1);
  if (rateLimiter !== undefined && typeof rateLimiter?.limit !== "function") {
    throw invalid(WHERE, "rateLimiter", "must have a method limit, as Cloudflare's binding has");
  }
  if (typeof apiKey !== "function") checkKey(WHERE, apiKey);
  if (typeof secret !== "function") checkSecret(secret);
  return {
    rules: {
      baseUrl: checkBaseUrl(WHERE, options.baseUrl),
      basePath: checkBasePath(options.basePath ?? DEFAULT_BASE_PATH),
      // JSON, in which the rules are told of it, knows no Infinity, and they know whole numbers.
      maxBodyBytes: Math.floor(
        Math.min(options.maxBodyBytes ?? DEFAULT_MAX_BODY_BYTES, Number.MAX_SAFE_INTEGER),
      ),
      allow: aList(options, "allow", (word) => ROUTES.includes(word), `are of ${ROUTES.join(", ")}`),
      allowOrigins: aList(options, "allowOrigins", isOrigin, 'are origins, such as "https://app.example"'),
      models: aList(options, "models", (model) => model.trim() !== "", "are names"),
      notifyHook: checkHook(options.notifyHook),
    },
    authorize,
    rateLimiter,
    apiKey: async (/** @type {any} */ env) =>
      checkKey(WHERE, typeof apiKey === "function" ? await apiKey(env) : apiKey),
    secret: async (/** @type {any} */ env) =>
      checkSecret(typeof secret === "function" ? await secret(env) : secret),
    // Looked up at each call, and called bare: as a method of another object it is an illegal invocation.
    fetch: /** @type {typeof fetch} */ ((input, init) => (custom ? custom(input, init) : fetch(input, init))),
    tell: (/** @type {object} */ event) => onEvent && tell(onEvent, event),
  };
}

/** @param {unknown} secret */
function checkSecret(secret) {
  if (typeof secret === "string" && new TextEncoder().encode(secret).length >= SHORTEST_SECRET) return secret;
  throw invalid(WHERE, "secret", `must be a string of at least ${SHORTEST_SECRET} bytes, random ones`);
}

/** @param {unknown} path */
function checkBasePath(path) {
  const plain = typeof path === "string" ? path.replace(/\/$/, "") : "?";
  if (/^(\/[\w~-][\w.~-]*)*$/.test(plain)) return plain;
  throw invalid(
    WHERE,
    "basePath",
    'must be a path that starts with "/", of letters, digits, ".", "_", "~" and "-"',
  );
}

/** @param {unknown} hook */
function checkHook(hook) {
  if (hook === undefined) return undefined;
  const url =
    typeof hook === "string" && hook.length <= 2000 && URL.canParse(hook) ? new URL(hook) : undefined;
  if (url && /^https?:$/.test(url.protocol) && !url.username && !url.password) return hook;
  throw invalid(WHERE, "notifyHook", "must be an http(s) URL of your own, of at most 2000 characters");
}

/** @param {string} origin */
function isOrigin(origin) {
  return URL.canParse(origin) && /^https?:/.test(origin) && new URL(origin).origin === origin;
}

/**
 * @param {any} options
 * @param {string} name
 * @param {(item: any) => boolean} isSound
 * @param {string} rule
 * @returns {string[] | undefined}
 */
function aList(options, name, isSound, rule) {
  const list = options[name];
  if (list === undefined) return undefined;
  const sound = Array.isArray(list) && list.every((item) => typeof item === "string" && isSound(item));
  if (sound) return list;
  throw invalid(WHERE, name, `must be a list whose items ${rule}`);
}
