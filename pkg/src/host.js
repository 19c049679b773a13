import { FAILED, HURRY, OPENS, REPLIED, TURN, WOKE } from "./events.js";
import { Exchange } from "./exchange.js";

/**
 * @typedef {object} Client what a host needs of its client
 * @property {(owner: number) => { headers: Headers, images: unknown[] }} outgoing what goes with an owner's requests
 * @property {(caller: number, outcome: any[]) => void} tell
 * @property {(error: unknown) => void} trapped
 */

/**
 * What one instance of the wasm has outside: requests, timers, and a turn of the event loop. It carries and decides nothing.
 * Once it is stopped, nothing of it is left running, and nothing reaches the instance any more.
 */
export class Host {
  /** @type {any} */
  engine;
  /** Nothing reaches the instance any more. */
  isOver = false;
  /** What the instance answered last. */
  answered = "";
  #settings;
  #client;
  /** @type {Map<number, Exchange>} */
  #exchanges = new Map();
  /** @type {Map<number, ReturnType<typeof setTimeout>>} */
  #timers = new Map();

  /**
   * @param {import("./exchange.js").Settings & { onEvent: ((json: string) => void) | undefined }} settings
   * @param {Client} client
   */
  constructor(settings, client) {
    this.#settings = settings;
    this.#client = client;
  }

  /** @param {number} owner @param {number} ask @param {string} request @param {boolean} isDownload */
  send(owner, ask, request, isDownload) {
    // What the instance wanted before a listener of an event closed the client.
    if (this.isOver) return;
    const { headers, images } = this.#client.outgoing(owner);
    const exchange = new Exchange(this.#settings, owner, JSON.parse(request), images, headers);
    this.#exchanges.set(ask, exchange);
    /** @param {number} what @param {number} number @param {string} lines @param {unknown} value */
    const end = (what, number, lines, value) => {
      // One that was given up may come to an end all the same.
      if (this.#exchanges.delete(ask)) this.#tell(what, ask, number, lines, value);
    };
    const leaves = (/** @type {import("./exchange.js").Head} */ head) =>
      isDownload && this.#tell(OPENS, ask, ...head);
    exchange.run(leaves).then(
      ({ head: [status, lines], body }) =>
        end(REPLIED, status, typeof body === "string" ? lines + body : lines, body),
      (cause) => end(FAILED, Number(exchange.isSent), exchange.at, cause),
    );
  }

  /** @param {number} ask */
  abort(ask) {
    const exchange = this.#exchanges.get(ask);
    this.#exchanges.delete(ask);
    exchange?.abort();
  }

  /** Whether a request of this owner may have reached the service. @param {number} owner */
  isSent(owner) {
    for (const exchange of this.#exchanges.values()) {
      if (exchange.owner === owner && exchange.isSent) return true;
    }
    return false;
  }

  /** @param {number} owner @param {number} ms below 0: not at all */
  sleep(owner, ms) {
    clearTimeout(this.#timers.get(owner));
    if (ms < 0 || this.isOver) return void this.#timers.delete(owner);
    const wake = () => {
      this.#timers.delete(owner);
      this.#tell(WOKE, owner);
    };
    // Looked up at each call: fake timers may be installed after this client was made.
    this.#timers.set(owner, setTimeout(wake, ms));
  }

  /** @param {number} owner */
  soon(owner) {
    queueMicrotask(() => this.#tell(TURN, owner));
  }

  /** @param {number} caller @param {any[]} outcome @param {unknown} cause @param {unknown[]} raws */
  tell(caller, outcome, cause, raws) {
    this.#client.tell(caller, [...outcome, cause, raws]);
  }

  /** @param {string} json */
  answer(json) {
    this.answered = json;
  }

  /** @param {string} json */
  event(json) {
    this.#settings.onEvent?.(json);
  }

  /** Milliseconds by the clock that nobody puts back or forward. Looked up at each call: fake timers replace it. */
  ticks() {
    return typeof performance === "undefined" ? NaN : performance.now();
  }

  /** The page became visible, or came back online. */
  hurry() {
    this.#tell(HURRY);
  }

  stop() {
    this.isOver = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    for (const exchange of this.#exchanges.values()) exchange.abort();
    this.#timers.clear();
    this.#exchanges.clear();
  }

  /**
   * Has the instance hear of something, which throws nothing of its own: whatever comes out of it is its death.
   * @param {number} what one of `events.js`, which says what the others are
   * @param {number} [id] of a call, a request, or an owner of either
   * @param {number} [number]
   * @param {string} [lines]
   * @param {unknown} [value]
   * @returns {boolean} the answer to a question
   */
  hear(what, id = 0, number = 0, lines = "", value) {
    return this.engine.hear(what, id, number, lines, value);
  }

  /**
   * The same, where nobody awaits it.
   * @param {Parameters<Host["hear"]>} event
   */
  #tell(...event) {
    if (this.isOver) return undefined;
    try {
      return this.hear(...event);
    } catch (error) {
      this.#client.trapped(error);
    }
  }
}
