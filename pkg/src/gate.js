/** Lets so many requests out at a time, each until its reply's head is there, and the others in the order in which they came. */
export class Gate {
  #free;
  /** @type {Set<() => void>} */
  #queue = new Set();

  /** @param {number} most */
  constructor(most) {
    this.#free = most;
  }

  /** Whether there is room at once; if not, `turn` is waited for. */
  enter() {
    if (this.#free <= 0) return false;
    this.#free -= 1;
    return true;
  }

  /**
   * Resolves when there is room. One that is aborted leaves the queue, and rejects.
   * @param {AbortSignal} signal
   * @returns {Promise<void>}
   */
  turn(signal) {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#queue.delete(next);
        reject(signal.reason);
      };
      const next = () => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      };
      this.#queue.add(next);
      signal.addEventListener("abort", onAbort);
    });
  }

  leave() {
    const [next] = this.#queue;
    if (!next) return void (this.#free += 1);
    this.#queue.delete(next);
    next();
  }
}
