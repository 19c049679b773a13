/** How long the service may take. What has not come by then is given up. */
export class Limit {
  isOver = false;
  #controller = new AbortController();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {Promise<never>} */
  #late;

  /** @param {number} ms */
  constructor(ms) {
    this.#late = new Promise((_, reject) => {
      this.#timer = setTimeout(() => {
        this.isOver = true;
        reject(new Error("the service did not answer in time"));
        this.#controller.abort();
      }, ms);
    });
  }

  get signal() {
    return this.#controller.signal;
  }

  /**
   * A fetch of the operator's own may not heed the signal, so nothing waits for that.
   * @template T
   * @param {Promise<T>} work
   * @returns {Promise<T>}
   */
  of(work) {
    return Promise.race([work, this.#late]);
  }

  /** From now on it may take as long as it likes. */
  end() {
    clearTimeout(this.#timer);
  }
}
