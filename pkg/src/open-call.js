import { CometError } from "./errors.js";
import { closedError } from "./options.js";
import { offAbort, onAbort } from "./signals.js";

/**
 * @typedef {object} End how a call's promise ends, and who is to know that it has
 * @property {(value: any) => void} resolve
 * @property {(reason: any) => void} reject
 * @property {(open: OpenCall) => void} onEnd
 * @property {(json: string) => any} parse
 */

/**
 * One call that has not settled, and the ways to end it: what the wasm says, the caller's signal, the client's close, the
 * death of the wasm's instance.
 */
export class OpenCall {
  isAborted = false;
  isOver = false;
  /** @type {unknown} */
  reason;
  /** The caller's, over the client's. @type {Headers | undefined} */
  headers;
  /** The pictures that its argument names by their place. @type {unknown[]} */
  images = [];
  /** The task's, or its JSON, as soon as there is one: errors carry it. @type {object | string | undefined} */
  handle;
  /** Who ends the call himself when it is aborted, since he knows what had left. @type {(() => void) | undefined} */
  leave;
  #end;
  #outer;
  #onAbort;
  #controller = /** @type {AbortController | undefined} */ (undefined);
  #closed = /** @type {CometError | undefined} */ (undefined);

  /**
   * @param {string} operation
   * @param {boolean} mayCreate a task
   * @param {any} options the caller's own
   * @param {End} end
   * @param {number} id
   */
  constructor(operation, mayCreate, options, end, id = nextId()) {
    this.id = id;
    this.operation = operation;
    this.options = options;
    this.mayCreate = mayCreate;
    this.#end = end;
    const outer = /** @type {AbortSignal | undefined} */ (options.signal);
    this.#outer = outer;
    this.#onAbort = outer && (() => this.abort(outer.reason));
    if (outer && this.#onAbort) onAbort(outer, this.#onAbort);
  }

  /** @param {unknown} value */
  resolve(value) {
    if (this.#isEnd()) this.#end.resolve(value);
  }

  /** @param {unknown} reason */
  reject(reason) {
    if (this.#isEnd()) this.#end.reject(reason);
  }

  #isEnd() {
    if (this.isOver) return false;
    this.isOver = true;
    if (this.#outer && this.#onAbort) offAbort(this.#outer, this.#onAbort);
    this.#end.onEnd(this);
    return true;
  }

  /** @param {unknown} reason */
  abort(reason) {
    if (this.isAborted || this.isOver) return;
    this.isAborted = true;
    this.reason = reason;
    this.#controller?.abort(reason);
    if (this.leave) this.leave();
    else this.reject(reason);
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

  /** Why it ended before its time. What closing it has begun to say may lack the handle of a task that was just made. */
  ended() {
    const { reason } = this;
    return reason && reason === this.#closed ? Object.assign(this.#closed, this.#known()) : reason;
  }

  #known() {
    return knownBy(this.handle, this.#end.parse);
  }
}

/**
 * A copy of the task's handle, for an error.
 * @param {object | string | undefined} handle an object, or JSON
 * @param {(json: string) => any} parse
 */
export function knownBy(handle, parse) {
  if (!handle) return undefined;
  try {
    return { handle: parse(typeof handle === "string" ? handle : JSON.stringify(handle)) };
  } catch {
    // The caller's object has changed since the call: a proxy that was revoked, say.
    return {};
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

/** The last name that was given. */
export let lastId = 0;

/** A name for a call, or for a wait, between a client and its wasm. */
export function nextId() {
  lastId += 1;
  return lastId;
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
