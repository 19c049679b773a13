import { formBody, jsonBody } from "./bodies.js";

/** @import { Gate } from "./gate.js" */

/** The longest wait that a timer takes; beyond it fires at once. */
const LONGEST_TIMER_MS = 0x7fffffff;

/**
 * @typedef {object} Settings
 * @property {string} baseUrl
 * @property {(url: string, init: RequestInit) => Promise<Response>} fetch
 * @property {(() => string | Promise<string>) | undefined} key
 * @property {string} auth
 * @property {number} maxReplyBytes
 * @property {Gate} [gate] for the requests of all calls, where these may wait for each other
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
  /** @type {(() => void) | undefined} */
  #leaveGate;

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
    const { gate } = this.#settings;
    try {
      if (gate && !gate.enter()) await gate.turn(this.#controller.signal);
      this.#leaveGate = () => gate?.leave();
      return await this.#head();
    } finally {
      this.#outOfGate();
    }
  }

  async #head() {
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
    this.#outOfGate();
  }

  /**
   * The response as the caller's own. The signal holds until the end of its body, and the time limit for each piece of it.
   * @param {AbortSignal} signal
   * @param {(code: "timeout" | "network", cause?: unknown) => Error} failure
   * @param {() => void} onEnd
   * @returns {Response}
   */
  handOver(signal, failure, onEnd) {
    const { response } = this;
    const reader = response.body?.getReader();
    if (!reader) {
      onEnd();
      return response;
    }
    /** @type {ReadableStreamDefaultController} */
    let controller;
    let isOver = false;
    const end = () => {
      isOver = true;
      clearTimeout(this.#timer);
      signal.removeEventListener("abort", onAbort);
      onEnd();
    };
    /** @param {unknown} error */
    const fail = (error) => {
      if (isOver) return;
      end();
      controller.error(error);
      this.abort();
      reader.cancel(error).catch(() => {});
    };
    const onAbort = () => fail(signal.reason);
    const source = {
      start: (/** @type {ReadableStreamDefaultController} */ own) => {
        controller = own;
        signal.addEventListener("abort", onAbort);
        if (signal.aborted) onAbort();
      },
      pull: async () => {
        try {
          const { value } = await this.#inTime(reader.read());
          if (isOver) return;
          if (value) return controller.enqueue(value);
          end();
          controller.close();
        } catch (cause) {
          fail(this.at === "time" ? failure("timeout") : failure("network", cause));
        }
      },
      cancel: (/** @type {unknown} */ reason) => {
        end();
        return reader.cancel(reason);
      },
    };
    const { status, statusText, headers, url } = response;
    // No piece is read before the caller asks for it.
    const stream = new ReadableStream(source, { highWaterMark: 0 });
    return Object.defineProperty(new Response(stream, { status, statusText, headers }), "url", {
      value: url,
    });
  }

  #outOfGate() {
    this.#leaveGate?.();
    this.#leaveGate = undefined;
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
