import { CometError } from "./errors.js";
import { closedError } from "./options.js";

/**
 * One call that has not settled, and the ways to end it from outside: the caller's signal, the client's close, the death
 * of the wasm's instance.
 */
export class OpenCall {
  isAborted = false;
  /** @type {unknown} */
  reason;
  #controller = /** @type {AbortController | undefined} */ (undefined);
  #reject = /** @type {(reason: unknown) => void} */ (() => {});
  #cancel = /** @type {((reason: unknown) => void) | undefined} */ (undefined);
  #closed = /** @type {CometError | undefined} */ (undefined);
  /** The task's, as soon as it has one: errors carry it. @type {object | undefined} */
  handle;

  /**
   * @param {string} operation
   * @param {boolean} mayCreate a task
   * @param {any} options the caller's own
   * @param {number} id
   */
  constructor(operation, mayCreate, options, id = nextId()) {
    const outer = /** @type {AbortSignal | undefined} */ (options.signal);
    this.id = id;
    this.operation = operation;
    this.options = options;
    this.mayCreate = mayCreate;
    this.outer = outer;
    this.onAbort = () => this.abort(outer?.reason);
    if (outer?.aborted) this.onAbort();
    else outer?.addEventListener("abort", this.onAbort);
  }

  settle() {
    this.outer?.removeEventListener("abort", this.onAbort);
  }

  /** @param {unknown} reason */
  abort(reason) {
    if (this.isAborted) return;
    this.isAborted = true;
    this.reason = reason;
    this.#controller?.abort(reason);
    (this.#cancel ?? this.#reject)(reason);
  }

  /** For what takes a signal. */
  get signal() {
    this.#controller ??= new AbortController();
    if (this.isAborted) this.#controller.abort(this.reason);
    return this.#controller.signal;
  }

  close() {
    this.#closed = closedError(this.operation, this.#known());
    this.abort(this.#closed);
  }

  /** @param {unknown} error */
  trap(error) {
    this.#reject(this.panic(error));
  }

  /** @param {unknown} error */
  panic(error) {
    // Whether a submit had left is known only to the instance that died.
    const ambiguous = this.mayCreate && !this.handle;
    return panicError(error, { operation: this.operation, ambiguous, ...this.#known() });
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
   * @param {(reason: unknown) => void} [cancel] the work ends itself when it is told of an abort, and knows what had left
   * @returns {Promise<T>}
   */
  unlessEnded(start, cancel) {
    return new Promise((resolve, reject) => {
      if (this.isAborted) return reject(this.reason);
      this.#cancel = cancel;
      this.#reject = reject;
      Promise.resolve(start()).then(resolve, reject);
    });
  }

  #known() {
    return this.handle && { handle: this.handle };
  }
}

/**
 * @param {unknown} error
 * @param {object} fields
 */
export function panicError(error, fields) {
  const message = `the wasm broke down: ${error instanceof Error ? error.message : error}`;
  return new CometError({ code: "panic", message, ...fields }, error);
}

let last = 0;

/** A name for a call, or for a wait, between a client and its wasm. */
export function nextId() {
  last += 1;
  return last;
}

/**
 * What onUpdate throws ends the call, and so does what an async one rejects with.
 * @param {((task: any) => any) | undefined} onUpdate
 * @param {object} task
 * @param {(error: unknown) => void} end
 */
export function tellNews(onUpdate, task, end) {
  try {
    onUpdate?.(task)?.catch?.(end);
  } catch (error) {
    end(error);
  }
}
