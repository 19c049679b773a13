// One call in a world that stops at every point where the call waits for something.
import { sleepOf, turn } from "./clock.mjs";

/**
 * @typedef {{ client: any, world: World, options: { signal: AbortSignal, onUpdate(task: any): void } }} Scene
 * @typedef {{ name: string, points: string[], start(scene: Scene): Promise<any> }} Flow
 */

/**
 * Everything the client waits for goes through `wait`, which keeps a list of these points. The world stands still at the
 * `stopAt`th: whatever is waited for there never comes.
 */
export class World {
  /** @type {string[]} */
  points = [];
  /** What its fetch answers, in this order. @type {(() => Response)[]} */
  answers = [];
  requests = 0;
  /** What the caller's code does there. */
  atPass = () => {};
  /** @type {(() => void)[]} */
  #late = [];
  #reach = () => {};
  /** Settles when the point is reached. */
  reached = new Promise((resolve) => (this.#reach = () => resolve(undefined)));

  /** @param {number} stopAt @param {import("@sinonjs/fake-timers").Clock} clock */
  constructor(stopAt, clock) {
    this.stopAt = stopAt;
    this.clock = clock;
  }

  /**
   * @template T
   * @param {string} point
   * @param {() => T} make
   * @returns {Promise<T>}
   */
  async wait(point, make) {
    if (this.#stopsAt(point)) await new Promise((resolve) => this.#late.push(() => resolve(undefined)));
    else await turn();
    return make();
  }

  /** A point at which the client does not wait, but runs the caller's code. @param {string} point */
  pass(point) {
    if (this.#stopsAt(point)) this.atPass();
  }

  /** What was waited for comes after all, too late. */
  release() {
    this.#late.forEach((come) => come());
  }

  /** @param {any} event */
  onEvent = (event) => {
    const ms = sleepOf(event);
    if (ms === undefined || this.#stopsAt("sleep")) return;
    turn().then(() => this.clock.tick(ms));
  };

  /**
   * Waits before its headers, before each of two pieces of the body, and before the body's end.
   * @param {unknown} _
   * @param {RequestInit} init
   */
  fetch = async (_, { method }) => {
    const answer = this.answers[this.requests++];
    if (!answer) throw new Error(`nobody expected a ${method}`);
    const response = await this.wait(`${method} headers`, answer);
    const bytes = new Uint8Array(await response.arrayBuffer());
    const half = bytes.length >> 1;
    const body = this.#stream(`${method} body`, [bytes.slice(0, half), bytes.slice(half)]);
    return new Response(body, response);
  };

  /** @param {string} point @param {Uint8Array[]} pieces */
  #stream(point, pieces) {
    const pull = (/** @type {ReadableStreamDefaultController} */ controller) =>
      this.wait(point, () => {
        const piece = pieces.shift();
        if (piece) controller.enqueue(piece);
        else controller.close();
      });
    // No piece is asked for before the client reads.
    return new ReadableStream({ pull }, { highWaterMark: 0 });
  }

  /** @param {string} point */
  #stopsAt(point) {
    const stops = this.points.push(point) - 1 === this.stopAt;
    if (stops) this.#reach();
    return stops;
  }
}

/** Listeners that a signal has at this moment. @param {AbortSignal} signal */
export function countListeners(signal) {
  const count = { listeners: 0 };
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (/** @type {[any, any]} */ ...args) => {
    count.listeners += 1;
    addEventListener.apply(signal, args);
  };
  signal.removeEventListener = (/** @type {[any, any]} */ ...args) => {
    count.listeners -= 1;
    removeEventListener.apply(signal, args);
  };
  return count;
}

/** What has become of a promise, as far as one can see by now. @param {Promise<unknown>} promise */
export function watch(promise) {
  /** @type {{ isSettled: boolean, value?: any, reason?: any }} */
  const seen = { isSettled: false };
  promise.then(
    (value) => Object.assign(seen, { isSettled: true, value }),
    (reason) => Object.assign(seen, { isSettled: true, reason }),
  );
  return seen;
}
