import { formBody, jsonBody } from "./bodies.js";
import { isWhole } from "./whole.js";

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
 *
 * @typedef {object} Outgoing what the wasm wants sent: `HttpRequest::write`
 * @property {string} method
 * @property {string} path from baseUrl on
 * @property {number | null} limitMs until the head, then between two pieces of the body
 * @property {string} [text] JSON, and where in it which picture goes
 * @property {[number, number, string][]} [gaps]
 * @property {[name: string, value: string, image?: number, type?: string][]} [form]
 *
 * @typedef {[status: number, lines: string]} Head the lines are something if it was redirected, Retry-After, the request's id, the
 *   type; what stands behind them is the body
 */

/**
 * One HTTP exchange over the host's fetch. It knows no path and no task: what to send, how long to wait and what a reply
 * means is the wasm's to say. Where it fails `at` says at what: an argument of the caller's, "network" ("page" in a page) or
 * "time".
 */
export class Exchange {
  at = "headers";
  /** The request may have reached the service. */
  isSent = false;
  owner;
  #settings;
  #request;
  #images;
  #headers;
  #isOver = false;
  /** @type {any} */
  #response;
  /** @type {AbortController | undefined} */
  #controller;
  /** @type {any} */
  #timer;
  #onLate = () => {};
  /** @type {(() => void) | undefined} */
  #leaveGate;

  /**
   * @param {Settings} settings
   * @param {number} owner whose it is
   * @param {Outgoing} request
   * @param {any[]} images the pictures that it names by their place
   * @param {Headers} headers the caller's
   */
  constructor(settings, owner, request, images, headers) {
    this.#settings = settings;
    this.owner = owner;
    this.#request = request;
    this.#images = images;
    this.#headers = headers;
  }

  /**
   * Sends the request and reads the reply, of which there is no body when it is larger than it may be.
   * @param {(head: Head) => boolean | undefined} leaves whether the body is to be handed over as it is: then it is this exchange
   * @returns {Promise<{ head: Head, body: string | Exchange | undefined }>}
   */
  run(leaves) {
    return new Promise((resolve, reject) => {
      this.#onLate = () => {
        this.at = "time";
        reject();
        this.abort();
      };
      this.#replied(leaves).then(resolve, reject);
    });
  }

  /** A request that is given up leaves no connection behind. */
  abort() {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#controller?.abort();
    this.#outOfGate();
  }

  /** @param {(head: Head) => boolean | undefined} leaves */
  async #replied(leaves) {
    const { gate } = this.#settings;
    try {
      if (gate && !gate.enter()) await gate.turn(this.#signal);
      this.#leaveGate = () => gate?.leave();
      const head = await this.#head();
      this.#outOfGate();
      return { head, body: leaves(head) ? this : await this.#read() };
    } finally {
      clearTimeout(this.#timer);
      this.#outOfGate();
    }
  }

  /** @returns {Promise<Head>} */
  async #head() {
    // A key function or a picture that never comes is no reason to wait for ever either.
    this.#giveTime();
    const init = await this.#init();
    // Given up meanwhile.
    if (this.#isOver) throw undefined;
    this.#giveTime();
    this.at = typeof document === "undefined" ? "network" : "page";
    this.isSent = true;
    const response = await this.#settings.fetch(this.#settings.baseUrl + this.#request.path, init);
    // A fetch of the caller's own may give anything; the type "error" is a network's, not a reply.
    const isReply = typeof response?.status === "number" && typeof response.headers === "object";
    if (!isReply || response.type === "error") {
      throw new Error("fetch gave no Response");
    }
    this.#response = response;
    const header = (/** @type {string} */ name) => response.headers?.get?.(name);
    const id = header("x-oneapi-request-id") ?? header("x-request-id") ?? "";
    const redirected = response.redirected === true ? "redirected" : "";
    const lines = [redirected, header("retry-after") ?? "", id, header("content-type") ?? "", ""].join("\n");
    return [response.type === "opaqueredirect" ? 0 : response.status, lines];
  }

  /** The reply's body; nothing when it is larger than it may be. @returns {Promise<string | undefined>} */
  async #read() {
    const { maxReplyBytes } = this.#settings;
    // One that a fetch of the caller's own has read already gives no reader.
    const reader = this.#response.body?.getReader?.();
    if (!reader) {
      // No body, or one that is no web stream.
      this.#giveTime();
      const text = await this.#response.text();
      return text.length > maxReplyBytes ? undefined : text;
    }
    /** @type {Uint8Array[]} */
    const pieces = [];
    let length = 0;
    const onLate = this.#onLate;
    this.#onLate = () => (isWhole(textOf(pieces)) ? reader.cancel().catch(onLate) : onLate());
    for (;;) {
      this.#giveTime();
      const { value } = await reader.read().catch((/** @type {unknown} */ error) => {
        // The name of a task that came is not lost to what became of the connection after it.
        if (isWhole(textOf(pieces))) return {};
        throw error;
      });
      if (!value) return textOf(pieces);
      length += value.length;
      if (length > maxReplyBytes) {
        // Nobody waits for the rest; a stream that fails to stop is no news either.
        reader.cancel().catch(() => {});
        return undefined;
      }
      pieces.push(value);
    }
  }

  /**
   * The response as the caller's own. The signal holds until the end of its body, and the time limit for each piece of it.
   * @param {AbortSignal} signal
   * @param {(code: "timeout" | "network", cause?: unknown) => Error} failure
   * @param {() => void} onEnd
   * @returns {Response}
   */
  handOver(signal, failure, onEnd) {
    const response = this.#response;
    const reader = response.body?.getReader();
    if (!reader) {
      onEnd();
      return response;
    }
    const end = () => {
      link.isOver = true;
      clearTimeout(this.#timer);
      signal.removeEventListener("abort", onAbort);
      onEnd();
    };
    /** @type {Link} */
    const link = {
      isOver: false,
      own: undefined,
      begin: () => this.#giveTime(),
      pause: () => clearTimeout(this.#timer),
      end,
      fail: (error) => {
        if (link.isOver) return;
        end();
        link.own?.deref()?.controller.error(error);
        this.abort();
        reader.cancel(error).catch(() => {});
      },
      broken: (cause) => link.fail(failure("network", cause)),
    };
    const onAbort = () => link.fail(signal.reason);
    this.#onLate = () => link.fail(failure("timeout"));
    const stream = streamOf(reader, link, this.#settings.gate !== undefined);
    signal.addEventListener("abort", onAbort);
    if (signal.aborted) onAbort();
    const { status, statusText, headers, url } = response;
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
    const signal = () => this.#signal;
    /** @type {RequestInit} */
    const init = {
      method,
      redirect: "manual",
      headers,
      get signal() {
        return signal();
      },
    };
    if (key) {
      this.at = "apiKey";
      setKey(headers, auth, await key());
    }
    if (text !== undefined) {
      headers.set("content-type", "application/json");
      this.at = "image";
      // Not awaited for nothing: requests leave in the order in which they were made.
      init.body = gaps?.length ? await jsonBody(text, gaps, this.#images) : text;
    } else if (form) {
      headers.delete("content-type");
      this.at = "inputReference";
      init.body = formBody(form, this.#images);
    }
    return init;
  }

  /** From here on the request has its time again. */
  #giveTime() {
    const { limitMs } = this.#request;
    clearTimeout(this.#timer);
    if (limitMs === null || this.#isOver) return;
    this.#timer = setTimeout(() => this.#onLate(), Math.min(limitMs, LONGEST_TIMER_MS));
  }

  /** Made when somebody looks at it: it is a good part of what a request costs. */
  get #signal() {
    this.#controller ??= new AbortController();
    if (this.#isOver) this.#controller.abort();
    return this.#controller.signal;
  }
}

/**
 * @typedef {object} Link what a download's end comes through: its client and its signal have it for as long as they live
 * @property {boolean} isOver
 * @property {{ deref(): { controller: ReadableStreamDefaultController } | undefined } | undefined} own the stream's
 * @property {() => void} begin a piece is asked for
 * @property {() => void} pause it is there
 * @property {() => void} end
 * @property {(error: unknown) => void} fail
 * @property {(cause: unknown) => void} broken
 */

/** @type {FinalizationRegistry<Link> | undefined} */
let dropped;
/** @param {Link} link */
const lose = (link) => link.fail("nobody reads it any more");

/**
 * The body as a stream. The link does not keep it: who drops it unread drops the connection too, when the host comes to collect it.
 * In a Worker it ends with its request.
 * @param {ReadableStreamDefaultReader} reader
 * @param {Link} link
 * @param {boolean} mayTell
 */
function streamOf(reader, link, mayTell) {
  // No object of the host's, which may come and go while its stream is read: what the stream calls holds it, and nothing else.
  const own = { controller: /** @type {any} */ (undefined) };
  const source = {
    start: (/** @type {ReadableStreamDefaultController} */ controller) => void (own.controller = controller),
    pull: async () => {
      try {
        link.begin();
        const { value } = await reader.read();
        link.pause();
        if (link.isOver) return;
        if (value) return own.controller.enqueue(value);
        link.end();
        own.controller.close();
      } catch (cause) {
        link.broken(cause);
      }
    },
    cancel: (/** @type {unknown} */ reason) => {
      link.end();
      return reader.cancel(reason);
    },
  };
  const isWeak = mayTell && "WeakRef" in globalThis;
  link.own = isWeak ? new WeakRef(own) : { deref: () => own };
  if (isWeak) (dropped ??= new FinalizationRegistry(lose)).register(own, link);
  // No piece is read before the caller asks for it.
  return new ReadableStream(source, { highWaterMark: 0 });
}

/** @param {Uint8Array[]} pieces */
function textOf(pieces) {
  const decoder = new TextDecoder();
  const last = pieces.length - 1;
  // In one go where it came in one: Node takes 0.3 µs for that, and 2 for the first part of a stream.
  return pieces.map((piece, at) => decoder.decode(piece, at < last ? { stream: true } : undefined)).join("");
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
