import { Exchange } from "./exchange.js";

const NOTHING = new Uint8Array();

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
    /** @param {(engine: any) => void} work */
    const end = (work) => {
      // One that was given up may come to an end all the same.
      if (this.#exchanges.delete(ask)) this.#run(work);
    };
    const leaves = (/** @type {import("./exchange.js").Head} */ head) =>
      isDownload && this.#run((engine) => engine.opens(...head));
    exchange.run(leaves).then(
      ({ head, body }) => {
        const bytes = body instanceof Exchange ? undefined : body;
        end((engine) => engine.replied(ask, ...head, bytes ?? NOTHING, body));
      },
      (cause) => end((engine) => engine.failed(ask, exchange.at, exchange.isSent, cause)),
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
      this.#run((engine) => engine.woke(owner));
    };
    // Looked up at each call: fake timers may be installed after this client was made.
    this.#timers.set(owner, setTimeout(wake, ms));
  }

  /** @param {number} owner */
  soon(owner) {
    queueMicrotask(() => this.#run((engine) => engine.turn(owner)));
  }

  /** @param {number} caller @param {any[]} outcome */
  tell(caller, outcome) {
    this.#client.tell(caller, outcome);
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
    this.#run((engine) => engine.hurry());
  }

  stop() {
    this.isOver = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    for (const exchange of this.#exchanges.values()) exchange.abort();
    this.#timers.clear();
    this.#exchanges.clear();
  }

  /**
   * Runs a piece of the instance. Nobody awaits this: what comes out of it is the instance's death.
   * @template T
   * @param {(engine: any) => T} work
   */
  #run(work) {
    if (this.isOver) return undefined;
    try {
      return work(this.engine);
    } catch (error) {
      this.#client.trapped(error);
    }
  }
}
