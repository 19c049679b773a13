import { CometError, invalid } from "./errors.js";
import { Exchange } from "./exchange.js";
import { Secrets } from "./secrets.js";

/** @import { ClientOptions } from "./index.js" */

const DEFAULT_BASE_URL = "https://api.cometapi.com";
const DEFAULT_MAX_CONCURRENCY = 6;
const DEFAULT_MAX_REPLY_BYTES = 1024 * 1024;
const WHERE = "createClient";

/**
 * Checks a client's options, here and not in the wasm: wrong ones throw before that is loaded.
 * @param {ClientOptions} options
 */
export function checkOptions(options) {
  if (typeof options !== "object" || options === null) throw invalid(WHERE, "options", "must be an object");
  const { apiKey, fetch: custom, onEvent } = options;
  oneOf(options, "auth", ["bearer", "raw", "mj-api-secret"]);
  oneOf(options, "dialect", ["comet", "snake"]);
  aFunction(options, "fetch");
  aFunction(options, "onEvent");
  atLeast(options, "maxReplyBytes", 1);
  atLeast(options, "maxConcurrency", 1);
  if (options.requestTimeoutMs !== null) atLeast(options, "requestTimeoutMs", 1);
  const secrets = new Secrets();
  const settings = {
    secrets,
    baseUrl: checkBaseUrl(options.baseUrl ?? DEFAULT_BASE_URL),
    key: keySource(apiKey, options.dangerouslyAllowBrowser === true, secrets),
    auth: options.auth ?? "bearer",
    dialect: options.dialect ?? "comet",
    // Looked up at each call, and called bare: as a method of another object it is an illegal invocation.
    fetch: /** @type {typeof fetch} */ ((input, init) => (custom ? custom(input, init) : fetch(input, init))),
    headers: new Headers(mergedHeaders(WHERE, options.headers)),
    maxReplyBytes: options.maxReplyBytes ?? DEFAULT_MAX_REPLY_BYTES,
    requestTimeoutMs: options.requestTimeoutMs === null ? Infinity : options.requestTimeoutMs,
    maxConcurrency: options.maxConcurrency ?? DEFAULT_MAX_CONCURRENCY,
    onEvent: onEvent && ((/** @type {string} */ json) => tell(onEvent, secrets.parse(json))),
    /** @type {(request: string, images: any[], headers: Headers) => Exchange} */
    exchange: (...outgoing) => new Exchange(settings, ...outgoing),
  };
  return settings;
}

/**
 * @param {string} operation
 * @param {...(Record<string, string> | Headers | undefined)} sources later ones win
 */
export function mergedHeaders(operation, ...sources) {
  const headers = new Headers();
  try {
    for (const source of sources) new Headers(source).forEach((value, name) => headers.set(name, value));
  } catch {
    // The host's own error is left out: it repeats the value, which may be a secret.
    throw invalid(operation, "headers", "must be header names and values");
  }
  return headers;
}

/** @param {unknown} baseUrl */
function checkBaseUrl(baseUrl) {
  if (typeof baseUrl !== "string") throw invalid(WHERE, "baseUrl", "must be a string");
  const url = parseUrl(baseUrl);
  const sound = /^https?:$/.test(url.protocol) && !url.username && !url.password && !url.search && !url.hash;
  if (!sound) {
    throw invalid(WHERE, "baseUrl", "must be an http(s) URL with no user name, query or fragment");
  }
  // Without "?" and "#", which may stand there alone.
  const plain = url.origin + url.pathname;
  return plain.replace(/\/+$/, "").replace(/\/v1$/, "").replace(/\/+$/, "");
}

/** @param {string} baseUrl */
function parseUrl(baseUrl) {
  try {
    // Only a page or a worker has a place that a relative URL starts from.
    return new URL(baseUrl, globalThis.location?.href);
  } catch (error) {
    throw invalid(WHERE, "baseUrl", "must be a URL, an absolute one outside a page", error);
  }
}

/**
 * @param {ClientOptions["apiKey"]} apiKey
 * @param {boolean} allowBrowser
 * @param {Secrets} secrets
 * @returns {(() => string | Promise<string>) | undefined}
 */
function keySource(apiKey, allowBrowser, secrets) {
  if (apiKey === undefined) return undefined;
  if (typeof apiKey === "function") {
    return async () => {
      const key = checkKey(await apiKey());
      secrets.remember(key);
      return key;
    };
  }
  secrets.remember(checkKey(apiKey));
  if (!allowBrowser && typeof window !== "undefined" && typeof document !== "undefined") {
    const rule =
      "must not be in a page, where everybody can read it: use a gateway, or set dangerouslyAllowBrowser";
    throw invalid(WHERE, "apiKey", rule);
  }
  return () => apiKey;
}

/** @param {unknown} key */
function checkKey(key) {
  if (typeof key === "string" && /^[\x21-\x7e]+$/.test(key)) return key;
  throw invalid(
    WHERE,
    "apiKey",
    'must be the key alone: printable ASCII, no space, no line break, no "Bearer"',
  );
}

/** @param {any} options @param {string} name @param {string[]} words */
function oneOf(options, name, words) {
  const value = options[name];
  if (value === undefined || words.includes(value)) return;
  throw invalid(WHERE, name, `must be one of ${words.join(", ")}, got ${String(value)}`);
}

/** @param {any} options @param {string} name */
function aFunction(options, name) {
  const value = options[name];
  if (value !== undefined && typeof value !== "function") throw invalid(WHERE, name, "must be a function");
}

/** @param {any} options @param {string} name @param {number} least */
function atLeast(options, name, least) {
  const value = options[name];
  if (value === undefined || (typeof value === "number" && value >= least)) return;
  throw invalid(WHERE, name, `must be a number of at least ${least}, got ${String(value)}`);
}

/**
 * A listener that throws changes nothing, nor does one that is async and rejects.
 * @param {(event: any) => any} listener
 * @param {object} event
 */
function tell(listener, event) {
  try {
    listener(Object.freeze(event))?.catch?.(() => {});
  } catch {
    // Its own affair.
  }
}

/** @param {string} operation @param {object} [fields] */
export function closedError(operation, fields) {
  return new CometError({ code: "closed", operation, message: "the client was closed", ...fields });
}
