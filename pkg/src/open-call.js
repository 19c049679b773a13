import { CometError } from "./errors.js";
import { closedError } from "./options.js";

/**
 * One call that has not settled, and the ways to end it from outside: the caller's signal, the client's close, the death
 * of the wasm's instance.
 */
export class OpenCall {
  #controller = new AbortController();
  #ended = /** @type {(reason: unknown) => void} */ (() => {});
  #isInside = false;
  #closed = /** @type {CometError | undefined} */ (undefined);
  /** The task's, as soon as it has one: errors carry it. @type {object | undefined} */
  handle;

  /**
   * @param {string} operation
   * @param {boolean} mayCreate a task
   * @param {AbortSignal | undefined} outer the caller's own signal
   */
  constructor(operation, mayCreate, outer) {
    this.operation = operation;
    this.mayCreate = mayCreate;
    this.outer = outer;
    this.signal = this.#controller.signal;
    this.onAbort = () => this.abort(outer?.reason);
    if (outer?.aborted) this.onAbort();
    else outer?.addEventListener("abort", this.onAbort);
  }

  settle() {
    this.outer?.removeEventListener("abort", this.onAbort);
  }

  /** @param {unknown} reason */
  abort(reason) {
    this.#controller.abort(reason);
    if (!this.#isInside) this.#ended(reason);
  }

  close() {
    this.#closed = closedError(this.operation, this.#known());
    this.abort(this.#closed);
  }

  /** @param {unknown} error */
  trap(error) {
    this.#ended(this.panic(error));
  }

  /** @param {unknown} error */
  panic(error) {
    const message = `the wasm broke down: ${error instanceof Error ? error.message : error}`;
    // Whether a submit had left is known only to the instance that died.
    const fields = { operation: this.operation, message, ambiguous: this.mayCreate && !this.handle };
    return new CometError({ code: "panic", ...fields, ...this.#known() }, error);
  }

  /**
   * An error of the wasm's, unless it is what closing the client looks like from inside.
   * @param {any} error
   */
  explain(error) {
    if (!this.#closed || error.cause !== this.#closed) return error;
    return Object.assign(this.#closed, { ambiguous: error.ambiguous });
  }

  /**
   * Starts a piece of the call, unless that has ended.
   * @template T
   * @param {() => T | Promise<T>} start
   * @param {boolean} [isInside] the wasm ends the work itself when it is aborted, and knows what had left by then
   * @returns {Promise<T>}
   */
  unlessEnded(start, isInside = false) {
    return new Promise((resolve, reject) => {
      if (this.signal.aborted) return reject(this.signal.reason);
      this.#isInside = isInside;
      this.#ended = reject;
      Promise.resolve(start()).then(resolve, reject);
    });
  }

  #known() {
    return this.handle && { handle: this.handle };
  }
}
