import { knownBy, nextId, panicError, tellNews } from "./open-call.js";
import { closedError } from "./options.js";
import { offAbort, onAbort } from "./signals.js";

/**
 * @import { Task } from "./index.js"
 *
 * @typedef {object} Host what the client does for its waits
 * @property {(id: number) => void} leave tells the wasm that nobody waits any more
 * @property {(json: string, raws: any[]) => Task} task
 * @property {(outcome: any[]) => unknown} unwrap the result of an outcome, or throws it
 * @property {(json: string) => any} parse
 *
 * @typedef {object} Wait what its promise needs, and nothing that can be made when it ends: there may be ten thousand
 * @property {string} operation
 * @property {object | string | undefined} handle the caller's own object, or JSON: errors carry it
 * @property {AbortSignal | undefined} signal
 * @property {((task: Task) => any) | undefined} onUpdate
 * @property {(() => void) | undefined} onAbort
 * @property {Headers} [headers] the caller's, of a wait that shares no requests
 * @property {(value: any) => void} resolve
 * @property {(reason: any) => void} reject
 */

/**
 * The waits of one client. The wasm keeps their state and knows each by its number; here are their promises, which end when
 * it says so, or when the caller's signal, the client's close or the wasm's death does.
 */
export class Waits {
  /** @type {Map<number, Wait>} */
  #waits = new Map();
  #host;

  /** @param {Host} host */
  constructor(host) {
    this.#host = host;
  }

  /**
   * One that the wasm will begin, or end at once.
   * @param {string} operation
   * @param {any} handle
   * @param {{ signal?: AbortSignal, onUpdate?: (task: Task) => any }} options
   * @param {(value: any) => void} resolve
   * @param {(reason: any) => void} reject
   */
  add(operation, handle, { signal, onUpdate }, resolve, reject) {
    // A bare id is no handle yet: the wasm makes one of it.
    if (typeof handle === "string") handle = undefined;
    const id = nextId();
    this.#waits.set(id, { operation, handle, signal, onUpdate, onAbort: undefined, resolve, reject });
    return id;
  }

  /**
   * A wait's requests go out with these headers.
   * @param {number} id
   * @param {Headers | undefined} headers
   */
  sendWith(id, headers) {
    const wait = this.#waits.get(id);
    if (wait && headers) wait.headers = headers;
  }

  /** @param {number} id */
  headersOf(id) {
    return this.#waits.get(id)?.headers;
  }

  /**
   * What the wasm has to say of a wait. It must not throw into it.
   * @param {number} id
   * @param {any[]} outcome
   */
  tell(id, outcome) {
    const wait = this.#waits.get(id);
    if (!wait) return;
    const [verdict, json, , raws] = outcome;
    if (verdict === "begun") this.begin(id, json);
    else if (verdict === "reading") {
      tellNews(wait.onUpdate, this.#host.task(json, raws), (error) => this.#end(id, error));
    } else {
      this.#take(id);
      try {
        wait.resolve(this.#host.unwrap(outcome));
      } catch (error) {
        wait.reject(error);
      }
    }
  }

  /** Ends a wait that the wasm has not begun, or does not know any more. @param {number} id @param {unknown} reason */
  drop(id, reason) {
    this.#take(id)?.reject(reason);
  }

  close() {
    this.#all((id, { operation }, known) => this.#end(id, closedError(operation, known)));
  }

  /** The wasm broke down. @param {unknown} error @param {number} last that may have run in it */
  trap(error, last) {
    this.#all((id, { operation }, known) => {
      if (id <= last) this.drop(id, panicError(error, { operation, ...known }));
    });
  }

  /** Each that has begun: until a submit has its handle, its call decides. @param {(id: number, wait: Wait, known: object) => void} work */
  #all(work) {
    for (const [id, wait] of this.#waits) {
      const known = knownBy(wait.handle, this.#host.parse);
      if (known) work(id, wait, known);
    }
  }

  /** The wasm has it: from now on its signal ends it. @param {number} id @param {string} [handle] its JSON, where the caller gave none */
  begin(id, handle) {
    const wait = this.#waits.get(id);
    if (!wait) return;
    wait.handle ??= handle;
    const { signal } = wait;
    if (!signal || wait.onAbort) return;
    wait.onAbort = () => this.#end(id, signal.reason);
    if (signal.aborted) wait.onAbort();
    else onAbort(signal, wait.onAbort);
  }

  /** @param {number} id @param {unknown} reason */
  #end(id, reason) {
    const wait = this.#take(id);
    if (wait) this.#host.leave(id);
    wait?.reject(reason);
  }

  /** @param {number} id */
  #take(id) {
    const wait = this.#waits.get(id);
    this.#waits.delete(id);
    if (wait?.signal && wait.onAbort) offAbort(wait.signal, wait.onAbort);
    return wait;
  }
}
