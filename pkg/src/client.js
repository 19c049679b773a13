import { createEngine, isModule } from "./engine.js";
import { CometError, invalid } from "./errors.js";
import { takeImages, toJson } from "./images.js";
import { checkOptions, closedError, mergedHeaders } from "./options.js";
import { makeTask, withRaw } from "./task.js";

/**
 * @import { ClientOptions, SubmitCall, Task } from "./index.js"
 * @typedef {() => WebAssembly.Module | Promise<WebAssembly.Module>} Load
 * @typedef {{ kind: "submit" | "run" | "read", handle?: any, images?: unknown[], onReading?: Function, onSubmitted?: Function }} Extra
 */

/**
 * The public client. It owns one instance of the wasm, which decides; this class only carries: arguments in, results
 * out, and an end for every promise when the instance dies or the client is closed.
 */
export class Client {
  #settings;
  #load;
  /** @type {any} */
  #engine;
  /** The calls that have not settled, each with its way to end it. @type {Set<OpenCall>} */
  #open = new Set();
  #isClosed = false;

  /**
   * @param {ClientOptions} options
   * @param {Load} load
   */
  constructor(options, load) {
    this.#settings = checkOptions(options);
    this.#load = load;
  }

  /** @param {any} params @param {any} [options] */
  submitImagine(params, options) {
    return this.#submit("imagine", params, options);
  }

  /** @param {any} params @param {any} [options] */
  submitVideo(params, options) {
    return this.#submit("video", params, options);
  }

  /** @param {any} params @param {any} [options] */
  submitVeo(params, options) {
    return this.#submit("veo", params, options);
  }

  /** @param {any} params @param {any} [options] */
  submitAction(params, options) {
    return this.#submit("action", params, options);
  }

  /** @param {any} params @param {any} [options] */
  submitModal(params, options) {
    return this.#submit("modal", params, options);
  }

  /** @param {any} params @param {any} [options] */
  submitBlend(params, options) {
    return this.#submit("blend", params, options);
  }

  /** @param {any} params @param {any} [options] */
  submitDescribe(params, options) {
    return this.#submit("describe", params, options);
  }

  /** @param {any} params @param {any} [options] */
  submitShorten(params, options) {
    return this.#submit("shorten", params, options);
  }

  /** @param {any} params @param {any} [options] */
  submitEdits(params, options) {
    return this.#submit("edits", params, options);
  }

  /** @param {any} params @param {any} [options] */
  submitRemix(params, options) {
    return this.#submit("remix", params, options);
  }

  /** @param {any} images @param {any} [options] */
  async uploadImages(images, options) {
    const taken = await takeImages("midjourney.upload", { images });
    return this.#call("upload", taken.json, options, { kind: "submit", images: taken.images }).then(parse);
  }

  /** @param {any} handle @param {any} [options] */
  async imageSeed(handle, options) {
    return this.#onTask("seed", handle, options).then(parse);
  }

  /** @param {any} handle @param {any} [options] */
  async fetchTask(handle, options) {
    return this.#onTask("fetch", handle, options).then(task);
  }

  /** @param {any} handle @param {any} [options] */
  async poll(handle, options) {
    return this.#onTask("poll", handle, options, { onReading: reader(options) }).then(task);
  }

  /** @param {any} handle @param {any} [options] */
  async downloadContent(handle, options) {
    return this.#onTask("content", handle, options).then(([response]) => response);
  }

  /** @param {SubmitCall} call @param {any} [options] */
  async run(call, options) {
    const name = `run.${call?.kind}`;
    const { json, images } = await takeImages("run", call?.params);
    const { onSubmitted } = options ?? {};
    return this.#call(name, json, options, {
      kind: "run",
      images,
      onReading: reader(options),
      onSubmitted: onSubmitted && ((/** @type {string} */ handle) => onSubmitted(JSON.parse(handle))),
    }).then(task);
  }

  /** @param {string} json a JSON string that holds the body */
  parseWebhook(json) {
    return this.#call("webhook", json, {}, { kind: "read" }).then(task);
  }

  /** Ends every open call with "closed" and lets the instance go. */
  close() {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const call of [...this.#open]) call.close();
    this.#engine?.free();
    this.#engine = undefined;
  }

  /** @param {string} kind @param {any} params @param {any} options */
  async #submit(kind, params, options) {
    const { json, images } = await takeImages(kind, params);
    return this.#call(kind, json, options, { kind: "submit", images }).then(parse);
  }

  /** @param {string} name @param {any} handle @param {any} options @param {Partial<Extra>} [extra] */
  #onTask(name, handle, options, extra) {
    return this.#call(name, toJson(name, handle), options, { kind: "read", handle, ...extra });
  }

  /**
   * @param {string} name
   * @param {string} json
   * @param {any} options
   * @param {Extra} extra
   * @returns {Promise<[any, any]>} value and raw
   */
  async #call(name, json, options = {}, extra) {
    if (typeof options !== "object" || options === null) throw invalid(name, "options", "must be an object");
    const { signal } = options;
    if (signal && typeof signal.addEventListener !== "function") {
      throw invalid(name, "signal", "must be an AbortSignal");
    }
    const headers = mergedHeaders(name, this.#settings.headers, options.headers);
    const open = new OpenCall(name, extra, signal);
    this.#open.add(open);
    try {
      if (this.#isClosed) throw closedError(name);
      // A shared promise must not be waited for where the module is there at once: see DESIGN.md, request contexts.
      const module = this.#load();
      const engine = this.#engineOf(isModule(module) ? module : await open.unlessEnded(module));
      const context = { signal: open.signal, headers, images: extra.images ?? [], ...callbacks(extra) };
      const outcome = engine.call(name, json, this.#plainOptions(options), context);
      return unwrap(await open.unlessEnded(outcome, true), open);
    } catch (error) {
      throw error instanceof WebAssembly.RuntimeError ? this.#trapped(error, open) : error;
    } finally {
      open.settle();
      this.#open.delete(open);
    }
  }

  /** @param {WebAssembly.Module} module */
  #engineOf(module) {
    if (this.#isClosed) throw closedError("client");
    if (!this.#engine) {
      const glue = createEngine(module, (error) => this.#trapped(error));
      this.#engine = new glue.Engine(this.#settings);
    }
    return this.#engine;
  }

  /**
   * The instance is broken: whatever ran in it ends here, and the next call gets a new one. Nothing is sent again.
   * @param {unknown} error
   * @param {OpenCall} [own] the call in which it surfaced
   */
  #trapped(error, own) {
    this.#engine = undefined;
    for (const call of this.#open) call.trap(error);
    return own?.panic(error);
  }

  /** The options that the wasm reads. null is "none" there, which is Infinity. @param {any} options */
  #plainOptions(options) {
    const { requestTimeoutMs = this.#settings.requestTimeoutMs, timeoutMs, speed } = options;
    const { intervalMs, maxRequests, afterModal, throwOnFailure } = options;
    return {
      requestTimeoutMs: requestTimeoutMs === null ? Infinity : requestTimeoutMs,
      timeoutMs: timeoutMs === null ? Infinity : timeoutMs,
      intervalMs,
      maxRequests,
      afterModal,
      throwOnFailure,
      speed,
    };
  }
}
if (Symbol.dispose) {
  Object.defineProperty(Client.prototype, Symbol.dispose, { value: Client.prototype.close });
}

/** One call that has not settled. */
class OpenCall {
  #controller = new AbortController();
  #ended = /** @type {(reason: unknown) => void} */ (() => {});
  #isInside = false;
  #closed = /** @type {CometError | undefined} */ (undefined);

  /** @param {string} name @param {Extra} extra @param {AbortSignal | undefined} outer the caller's own signal */
  constructor(name, extra, outer) {
    this.name = name;
    this.extra = extra;
    this.outer = outer;
    this.signal = this.#controller.signal;
    this.onAbort = () => this.#abort(outer?.reason);
    if (outer?.aborted) this.onAbort();
    else outer?.addEventListener("abort", this.onAbort);
  }

  settle() {
    this.outer?.removeEventListener("abort", this.onAbort);
  }

  close() {
    this.#closed = closedError(this.name);
    this.#abort(this.#closed);
  }

  /** @param {unknown} error */
  trap(error) {
    this.#ended(this.panic(error));
  }

  /** @param {unknown} error */
  panic(error) {
    const { kind, handle } = this.extra;
    const message = `the wasm broke down: ${error instanceof Error ? error.message : error}`;
    // Whether a submit had left is known only to the instance that died.
    const ambiguous = kind !== "read";
    const fields = { code: /** @type {const} */ ("panic"), operation: this.name, message, ambiguous };
    return new CometError(typeof handle === "object" ? { ...fields, handle } : fields, error);
  }

  /**
   * An error of the wasm's, unless it is what closing the client looks like from inside.
   * @param {CometError} error
   */
  explain(error) {
    if (!this.#closed || error.cause !== this.#closed) return error;
    return Object.assign(this.#closed, { ambiguous: error.ambiguous });
  }

  /**
   * @template T
   * @param {Promise<T>} work
   * @param {boolean} [isInside] the wasm ends the work itself when it is aborted, and knows what had left by then
   * @returns {Promise<T>}
   */
  unlessEnded(work, isInside = false) {
    this.#isInside = isInside;
    return new Promise((resolve, reject) => {
      this.#ended = reject;
      if (!isInside && this.signal.aborted) reject(this.signal.reason);
      work.then(resolve, reject);
    });
  }

  /** @param {unknown} reason */
  #abort(reason) {
    this.#controller.abort(reason);
    if (!this.#isInside) this.#ended(reason);
  }
}

/**
 * @param {any[]} outcome
 * @param {OpenCall} open
 * @returns {[any, any]}
 */
function unwrap([verdict, value, cause, raw], open) {
  if (verdict === "ok") return [value, cause];
  if (verdict === "thrown") throw value;
  // A check of the facade's own that failed inside the call, such as a key function's result.
  if (cause instanceof CometError && cause.code === "validation") throw cause;
  const fields = JSON.parse(value);
  if (fields.task) withRaw(fields.task, raw);
  throw open.explain(new CometError(fields, cause));
}

/** @param {Extra} extra */
function callbacks({ onReading, onSubmitted }) {
  return { onReading, onSubmitted };
}

/** @param {any} options */
function reader(options) {
  const { onUpdate } = options ?? {};
  if (onUpdate === undefined) return undefined;
  if (typeof onUpdate !== "function") throw invalid("poll", "onUpdate", "must be a function");
  return (/** @type {string} */ json, /** @type {any} */ raw) => {
    onUpdate(makeTask(json, raw));
  };
}

/** @param {[string, any]} done */
function parse([json]) {
  return JSON.parse(json);
}

/** @param {[string, any]} done @returns {any} */
function task([json, raw]) {
  return makeTask(json, raw);
}
