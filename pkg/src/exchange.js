import { formBody, jsonBody } from "./bodies.js";

/** The longest wait that a timer takes; beyond it fires at once. */
const LONGEST_TIMER_MS = 0x7fffffff;

/**
 * @typedef {object} Settings
 * @property {string} baseUrl
 * @property {(url: string, init: RequestInit) => Promise<Response>} fetch
 * @property {(() => string | Promise<string>) | undefined} key
 * @property {string} auth
 * @property {number} maxReplyBytes
 */

/**
 * One HTTP exchange over the host's fetch. It knows no path and no task: what to send, how long to wait and what a reply
 * means is the wasm's to say. Where it fails `at` says at what: an argument of the caller's, "network" or "time".
 */
export class Exchange {
  at = "headers";
  /** The request may have reached the service. */
  isSent = false;
  isPage = typeof document !== "undefined";
  /** @type {any} */
  response;
  #settings;
  #request;
  #images;
  #headers;
  #controller = new AbortController();
  /** @type {any} */
  #timer;

  /**
   * @param {Settings} settings
   * @param {string} request `HttpRequest` of the wasm as JSON, with `limitMs`
   * @param {any[]} images the pictures that it names by their place
   * @param {Headers} headers the caller's
   */
  constructor(settings, request, images, headers) {
    this.#settings = settings;
    this.#request = JSON.parse(request);
    this.#images = images;
    this.#headers = headers;
  }

  /** Sends the request, and resolves to the reply's head as JSON. */
  async respond() {
    // A key function or a picture that never comes is no reason to wait for ever either.
    const init = await this.#inTime(this.#init());
    this.at = "network";
    // Given up between two microtasks.
    this.#controller.signal.throwIfAborted();
    this.isSent = true;
    const url = this.#settings.baseUrl + this.#request.path;
    const response = await this.#inTime(this.#settings.fetch(url, init));
    // A fetch of the caller's own may give anything.
    if (typeof response?.status !== "number" || typeof response.headers !== "object") {
      throw new Error("fetch gave no Response");
    }
    this.response = response;
    const header = (/** @type {string} */ name) => response.headers?.get?.(name);
    return JSON.stringify({
      status: response.type === "opaqueredirect" ? 0 : response.status,
      redirected: response.redirected,
      retryAfter: header("retry-after"),
      requestId: header("x-oneapi-request-id") ?? header("x-request-id"),
      type: header("content-type"),
    });
  }

  /** The reply's body; nothing when it is larger than it may be. @returns {Promise<Uint8Array | undefined>} */
  async read() {
    // One that a fetch of the caller's own has read already, or that is no web stream, gives no reader.
    const reader = this.response.body?.getReader();
    const pieces = [];
    let length = 0;
    while (reader) {
      const { value } = await this.#inTime(reader.read());
      if (!value) break;
      length += value.length;
      if (length > this.#settings.maxReplyBytes) {
        // Nobody waits for the rest; a stream that fails to stop is no news either.
        reader.cancel().catch(() => {});
        return undefined;
      }
      pieces.push(value);
    }
    return pieces.length === 1 ? pieces[0] : joined(pieces, length);
  }

  /** A wait that is given up leaves no connection behind. */
  abort() {
    clearTimeout(this.#timer);
    this.#controller.abort();
  }

  async #init() {
    const { key, auth } = this.#settings;
    const { method, text, gaps, form } = this.#request;
    const headers = new Headers(this.#headers);
    /** @type {RequestInit} */
    const init = { method, redirect: "manual", headers, signal: this.#controller.signal };
    if (key) {
      this.at = "apiKey";
      setKey(headers, auth, await key());
    }
    if (text !== undefined) {
      headers.set("content-type", "application/json");
      this.at = "image";
      // Not awaited for nothing: requests leave in the order in which they were made.
      init.body = gaps.length === 0 ? text : await jsonBody(text, gaps, this.#images);
    } else if (form) {
      headers.delete("content-type");
      this.at = "inputReference";
      init.body = formBody(form, this.#images);
    }
    return init;
  }

  /**
   * @template T
   * @param {T | Promise<T>} work
   * @returns {Promise<T>}
   */
  async #inTime(work) {
    const { limitMs } = this.#request;
    if (limitMs === null) return work;
    const late = new Promise((_, reject) => {
      const end = () => {
        this.at = "time";
        reject();
      };
      this.#timer = setTimeout(end, Math.min(limitMs, LONGEST_TIMER_MS));
    });
    try {
      return /** @type {T} */ (await Promise.race([work, late]));
    } finally {
      clearTimeout(this.#timer);
    }
  }
}

/** @param {Headers} headers @param {string} auth @param {string} key */
function setKey(headers, auth, key) {
  const isSecret = auth === "mj-api-secret";
  try {
    headers.set(isSecret ? auth : "authorization", auth === "bearer" ? `Bearer ${key}` : key);
  } catch {
    // The host's own error is left out: it repeats the value.
    throw undefined;
  }
}

/** @param {Uint8Array[]} pieces @param {number} length */
function joined(pieces, length) {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
