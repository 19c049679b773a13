import { invalid } from "./errors.js";

const DEFAULT_BASE_URL = "https://api.cometapi.com";

/**
 * Without a trailing "/" or "/v1".
 * @param {string} where
 * @param {unknown} given
 */
export function checkBaseUrl(where, given) {
  const baseUrl = given ?? DEFAULT_BASE_URL;
  if (typeof baseUrl !== "string") throw invalid(where, "baseUrl", "must be a string");
  const url = parseUrl(where, baseUrl);
  const sound = /^https?:$/.test(url.protocol) && !url.username && !url.password && !url.search && !url.hash;
  if (!sound) {
    throw invalid(where, "baseUrl", "must be an http(s) URL with no user name, query or fragment");
  }
  // Without "?" and "#", which may stand there alone.
  const plain = url.origin + url.pathname;
  return plain.replace(/\/+$/, "").replace(/\/v1$/, "").replace(/\/+$/, "");
}

/** @param {string} where @param {string} baseUrl */
function parseUrl(where, baseUrl) {
  try {
    // Only a page or a worker has a place that a relative URL starts from.
    return new URL(baseUrl, globalThis.location?.href);
  } catch (error) {
    throw invalid(where, "baseUrl", "must be a URL, an absolute one outside a page", error);
  }
}

/** @param {string} where @param {unknown} key */
export function checkKey(where, key) {
  if (typeof key === "string" && /^[\x21-\x7e]+$/.test(key)) return key;
  throw invalid(
    where,
    "apiKey",
    'must be the key alone: printable ASCII, no space, no line break, no "Bearer"',
  );
}

/** @param {string} where @param {any} options @param {string} name */
export function aFunction(where, options, name) {
  const value = options[name];
  if (value !== undefined && typeof value !== "function") throw invalid(where, name, "must be a function");
}

/** @param {string} where @param {any} options @param {string} name @param {number} least */
export function atLeast(where, options, name, least) {
  const value = options[name];
  if (value === undefined || (typeof value === "number" && value >= least)) return;
  throw invalid(where, name, `must be a number of at least ${least}, got ${String(value)}`);
}

/**
 * A listener that throws changes nothing, nor does one that is async and rejects.
 * @param {(event: any) => any} listener
 * @param {object} event
 */
export function tell(listener, event) {
  try {
    listener(Object.freeze(event))?.catch?.(() => {});
  } catch {
    // Its own affair.
  }
}
