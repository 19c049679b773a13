import { offAbort, onAbort } from "./signals.js";
import { isTerminal } from "./task.js";

/** @import { PollOptions, Task } from "./index.js" */

/**
 * A wait as readings. It starts with the first `next()`, and is `poll`'s in everything else: when it asks, what it takes for
 * an end, what it throws. A generator queues the calls; since it cannot hear of `return()` while it waits for news, that
 * goes past it through `#stop`.
 */
export class Watch {
  #poll;
  #isModal;
  #controller = new AbortController();
  #isStopped = false;
  /** What nobody has taken yet: the next one replaces it. @type {Task | undefined} */
  #latest;
  /** @type {{ task: Task } | { error: unknown } | undefined} */
  #end;
  #wake = () => {};
  #generator = this.#readings();
  /** Stops listening to the caller's signal. */
  #unhook = () => {};

  /**
   * @param {(hook: (options: PollOptions) => PollOptions) => Promise<Task>} poll a wait with its options passed through hook
   * @param {boolean} isModal its handle is one of submitModal
   */
  constructor(poll, isModal) {
    this.#poll = poll;
    this.#isModal = isModal;
  }

  next() {
    return this.#generator.next();
  }

  /** @param {any} [value] */
  return(value) {
    this.#stop();
    return this.#generator.return(value);
  }

  /** @param {unknown} error */
  throw(error) {
    this.#stop();
    return this.#generator.throw(error);
  }

  [Symbol.asyncIterator]() {
    return this;
  }

  #stop() {
    this.#isStopped = true;
    this.#controller.abort();
    this.#wake();
  }

  /** @returns {AsyncGenerator<Task, void>} */
  async *#readings() {
    const waited = this.#wait();
    try {
      while (!this.#isStopped) {
        const [task, end] = [this.#latest, this.#end];
        this.#latest = undefined;
        // An error outranks a reading that was not taken in time: an abort is not to be put off.
        if (end && "error" in end) throw end.error;
        if (task) yield task;
        else if (end) return void (yield end.task);
        else await new Promise((resolve) => (this.#wake = () => resolve(undefined)));
      }
    } finally {
      await waited;
    }
  }

  async #wait() {
    try {
      this.#end = { task: await this.#poll((options) => this.#hook(options)) };
    } catch (error) {
      this.#end = { error };
    }
    this.#unhook();
    this.#wake();
  }

  /** @param {PollOptions} options @returns {PollOptions} */
  #hook(options) {
    const { signal: outer, onUpdate, afterModal } = options;
    if (outer) {
      const abort = () => this.#controller.abort(outer.reason);
      if (outer.aborted) abort();
      else onAbort(outer, abort);
      this.#unhook = () => offAbort(outer, abort);
    }
    const stopsAtModal = !(afterModal ?? this.#isModal);
    /** @param {Task} task */
    const listen = (task) => {
      // The reading that settles the wait is its result, and comes as that.
      const settles = isTerminal(task) || (stopsAtModal && task.status === "action_required");
      if (!settles) this.#latest = task;
      this.#wake();
      return onUpdate?.(task);
    };
    return { ...options, signal: this.#controller.signal, onUpdate: listen };
  }
}
