import { aFunction, atLeast, checkBaseUrl, checkKey, tell } from "./checks.js";
import { CometError, invalid } from "./errors.js";
import { Gate } from "./gate.js";
import { Secrets } from "./secrets.js";

/** @import { ClientOptions } from "./index.js" */

const DEFAULT_MAX_CONCURRENCY = 6;
const DEFAULT_MAX_REPLY_BYTES = 1024 * 1024;
const WHERE = "createClient";

/**
 * Checks a client's options, here and not in the wasm: wrong ones throw before that is loaded.
 * @param {ClientOptions} options
 * @param {boolean} isShared calls may wait for each other: see DESIGN.md, request contexts
 */
export function checkOptions(options, isShared) {
  if (typeof options !== "object" || options === null) throw invalid(WHERE, "options", "must be an object");
  const { apiKey, fetch: custom, onEvent } = options;
  oneOf(options, "auth", ["bearer", "raw", "mj-api-secret"]);
  oneOf(options, "dialect", ["comet", "snake"]);
  aFunction(WHERE, options, "fetch");
  aFunction(WHERE, options, "onEvent");
  atLeast(WHERE, options, "maxReplyBytes", 1);
  atLeast(WHERE, options, "maxConcurrency", 1);
  if (options.requestTimeoutMs !== null) atLeast(WHERE, options, "requestTimeoutMs", 1);
  const secrets = new Secrets();
  const maxConcurrency = Math.trunc(options.maxConcurrency ?? DEFAULT_MAX_CONCURRENCY);
  return {
    secrets,
    baseUrl: checkBaseUrl(WHERE, options.baseUrl),
    key: keySource(apiKey, options.dangerouslyAllowBrowser === true, secrets),
    auth: options.auth ?? "bearer",
    dialect: options.dialect ?? "comet",
    // Looked up at each call, and called bare: as a method of another object it is an illegal invocation.
    fetch: /** @type {typeof fetch} */ ((input, init) => (custom ? custom(input, init) : fetch(input, init))),
    headers: mergedHeaders(WHERE, options.headers),
    maxReplyBytes: options.maxReplyBytes ?? DEFAULT_MAX_REPLY_BYTES,
    requestTimeoutMs: options.requestTimeoutMs === null ? Infinity : options.requestTimeoutMs,
    maxConcurrency,
    gate: isShared ? new Gate(maxConcurrency) : undefined,
    onEvent: onEvent && ((/** @type {string} */ json) => tell(onEvent, secrets.parse(json))),
  };
}

/**
 * @param {string} operation
 * @param {...(Record<string, string> | Headers | undefined)} sources later ones win
 */
export function mergedHeaders(operation, ...sources) {
  const headers = new Headers();
  try {
    for (const source of sources) {
      // None, which is common: the first walk over headers costs Node a quarter of a millisecond.
      if (source) new Headers(source).forEach((value, name) => headers.set(name, value));
    }
  } catch {
    // The host's own error is left out: it repeats the value, which may be a secret.
    throw invalid(operation, "headers", "must be header names and values");
  }
  return headers;
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
      const key = checkKey(WHERE, await apiKey());
      secrets.remember(key);
      return key;
    };
  }
  secrets.remember(checkKey(WHERE, apiKey));
  if (!allowBrowser && typeof window !== "undefined" && typeof document !== "undefined") {
    const rule =
      "must not be in a page, where everybody can read it: use a gateway, or set dangerouslyAllowBrowser";
    throw invalid(WHERE, "apiKey", rule);
  }
  return () => apiKey;
}

/** @param {any} options @param {string} name @param {string[]} words */
function oneOf(options, name, words) {
  const value = options[name];
  if (value === undefined || words.includes(value)) return;
  throw invalid(WHERE, name, `must be one of ${words.join(", ")}, got ${String(value)}`);
}

/** @param {string} operation @param {object} [fields] */
export function closedError(operation, fields) {
  return new CometError({ code: "closed", operation, message: "the client was closed", ...fields });
}
