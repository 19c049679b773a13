import { createEngine, isModule } from "./engine.js";
import { CometError, invalid, isCometError } from "./errors.js";
import { takeImages, toJson } from "./images.js";
import { OpenCall, panicError, tellNews } from "./open-call.js";
import { checkOptions, closedError, mergedHeaders } from "./options.js";
import { persist } from "./persist.js";
import { withRaw } from "./task.js";
import { Waits } from "./waits.js";
import { onWake } from "./wake.js";
import { Watch } from "./watch.js";

/**
 * @import { ClientOptions, SubmitCall } from "./index.js"
 * @typedef {() => WebAssembly.Module | Promise<WebAssembly.Module>} Load
 * @typedef {{ json: string, images?: unknown[] }} Argument
 */

/**
 * The public client. It owns one instance of the wasm, which decides; this class only carries: arguments in, results
 * out, and an end for every promise when the instance dies or the client is closed.
 */
export class Client {
  #settings;
  #load;
  #isShared;
  #stopListening = () => {};
  #stopTimers = () => {};
  /** @type {any} */
  #engine;
  /** The calls that have not settled, each with its way to end it. @type {Map<number, OpenCall>} */
  #open = new Map();
  #waits;
  #isClosed = false;

  /**
   * @param {ClientOptions} options
   * @param {Load} load
   * @param {boolean} isShared waits may share what they wait for: see DESIGN.md, request contexts
   */
  constructor(options, load, isShared) {
    this.#settings = checkOptions(options, isShared);
    this.#load = load;
    this.#isShared = isShared;
    this.#waits = new Waits({
      leave: (id) => this.#leave(id),
      task: (json, raw) => this.#task([json, raw]),
      unwrap: (outcome) => this.#task(this.#unwrap(outcome)),
      parse: (json) => this.#parse(json),
    });
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
  uploadImages(images, options) {
    return this.#submit("upload", { images }, options);
  }

  /** @param {any} handle @param {any} [options] */
  imageSeed(handle, options) {
    return this.#onTask("seed", handle, options).then(([json]) => this.#parse(json));
  }

  /** @param {any} handle @param {any} [options] */
  fetchTask(handle, options) {
    return this.#onTask("fetch", handle, options).then(this.#task);
  }

  /** @param {any} handles @param {any} [options] @returns {Promise<any>} */
  async fetchTasks(handles, options) {
    const take = () => ({ json: toJson("fetchTasks", handles) });
    const [json, raws] = await this.#call("fetchTasks", take, options);
    return this.#parse(json).map((/** @type {any} */ reading, /** @type {number} */ place) => {
      if (reading?.error) return new CometError(reading.error, this.#settings.secrets.safe(raws[place]));
      return reading && this.#withRaw(reading.task, raws[place]);
    });
  }

  /** @param {any} handle @param {any} [options] */
  poll(handle, options = {}) {
    // No async function: one that is suspended costs more than the whole wait.
    return new Promise((resolve, reject) => {
      /** @param {WebAssembly.Module} module */
      const begin = (module) => {
        try {
          checkCall("poll", options);
          const { signal, headers, onUpdate } = options;
          if (this.#isClosed) throw closedError("poll");
          if (signal?.aborted) throw signal.reason;
          const own = this.#isAlone(options) && mergedHeaders("poll", this.#settings.headers, headers);
          const [argument, plain] = [toJson("poll", handle), this.#plainOptions("poll", options)];
          const engine = this.#engineOf(module);
          const wait = this.#waits.add("poll", handle, options, resolve, reject);
          const listens = onUpdate !== undefined;
          this.#inside(() => engine.wait(wait, argument, plain, own || undefined, listens));
        } catch (error) {
          reject(error);
        }
      };
      const module = this.#load();
      if (isModule(module)) return begin(module);
      const load = (/** @type {OpenCall} */ open) => open.unlessEnded(() => module);
      this.#during("poll", options ?? {}, false, load).then(begin, reject);
    });
  }

  /** @param {any} handle @param {any} [state] @param {any} [options] @returns {Promise<any>} */
  async pollOnce(handle, state, options) {
    const take = () => ({ json: toJson("pollOnce", [handle, stateText(state)]) });
    const [json, raw] = await this.#call("pollOnce", take, options);
    const step = this.#parse(json);
    if (step.task) this.#withRaw(step.task, raw);
    return step;
  }

  /** @param {any} handle @param {any} [options] */
  watch(handle, options = {}) {
    return new Watch(async (hook) => {
      checkCall("poll", options);
      return this.poll(handle, hook(options));
    }, handle?.kind === "modal");
  }

  /** @param {any} handle @param {any} [options] */
  downloadContent(handle, options = {}) {
    return this.#onTask("content", handle, options).then(([exchange, json]) => {
      // It is open until its body has ended.
      const open = new OpenCall("videos.content", false, options);
      open.handle = this.#parse(json);
      this.#open.set(open.id, open);
      const onEnd = () => {
        open.settle();
        this.#open.delete(open.id);
      };
      const failure = (/** @type {any} */ code, /** @type {unknown} */ cause) => {
        const { operation, handle } = open;
        const fields = { code, operation, message: "the video broke off", retryable: true, handle };
        return new CometError(fields, this.#settings.secrets.safe(cause));
      };
      return exchange.handOver(open.signal, failure, onEnd);
    });
  }

  /** @param {any} task @param {any} sink @param {any} [options] @returns {Promise<any>} */
  async persist(task, sink, options = {}) {
    checkCall("persist", options);
    return this.#during("persist", options, false, async (open) => {
      const module = this.#load();
      const loaded = isModule(module) ? module : await open.unlessEnded(() => module);
      return persist(this.#lent(loaded, open, options), task, sink, options);
    });
  }

  /**
   * What persist needs of this client: the wasm's decisions, the way out, and the two calls that may carry the key.
   * @param {WebAssembly.Module} module
   * @param {OpenCall} open
   * @param {any} options
   */
  #lent(module, open, { headers, requestTimeoutMs }) {
    const { secrets, fetch, baseUrl, requestTimeoutMs: own = READ_LIMIT_MS } = this.#settings;
    const limitMs = requestTimeoutMs === undefined ? own : (requestTimeoutMs ?? Infinity);
    const { signal } = open;
    const call = { headers, requestTimeoutMs, signal };
    const ask = (/** @type {object} */ question) => {
      const engine = this.#engineOf(module);
      return JSON.parse(this.#inside(() => engine.keep(JSON.stringify(question)), open));
    };
    return {
      ask,
      ...{ fetch, signal, limitMs, origin: new URL(baseUrl).origin },
      reread: (/** @type {any} */ { handle }) => this.fetchTask(handle, call),
      content: (/** @type {any} */ { handle }) => this.downloadContent(handle, call),
      error: (/** @type {any} */ fields, /** @type {unknown} */ cause) =>
        new CometError(fields, secrets.safe(cause)),
    };
  }

  /** @param {SubmitCall} call @param {any} [options] */
  run(call, options = {}) {
    return new Promise((resolve, reject) => {
      const name = `run.${call?.kind}`;
      const take = () => takeImages(operationOf(name), call?.params);
      const wait = this.#waits.add(operationOf(name), undefined, options ?? {}, resolve, reject);
      this.#call(name, take, options, true, wait).catch((error) => this.#waits.drop(wait, error));
    });
  }

  /** @param {string} json a JSON string that holds the body */
  parseWebhook(json) {
    return this.#call("webhook", () => ({ json })).then(this.#task);
  }

  /** Ends every open call with "closed" and lets the instance go. */
  close() {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stopListening();
    for (const call of [...this.#open.values()]) call.close();
    this.#waits.close();
    const engine = this.#engine;
    this.#engine = undefined;
    // Later: the wasm itself may be calling, through onEvent or onUpdate.
    if (engine) queueMicrotask(() => engine.free());
  }

  /** @param {string} kind @param {any} params @param {any} options */
  #submit(kind, params, options) {
    const take = () => takeImages(operationOf(kind), params);
    // Pictures that were sent are no task.
    return this.#call(kind, take, options, kind !== "upload").then(([json]) => this.#parse(json));
  }

  /** @param {string} name @param {any} handle @param {any} options */
  #onTask(name, handle, options) {
    return this.#call(name, () => ({ json: toJson(operationOf(name), handle) }), options);
  }

  /**
   * @param {string} name
   * @param {() => Argument | Promise<Argument>} take
   * @param {any} [options]
   * @param {boolean} [mayCreate] a task
   * @param {number} [wait] what it ends in
   * @returns {Promise<[any, any]>} value and raw
   */
  async #call(name, take, options = {}, mayCreate = false, wait) {
    const operation = operationOf(name);
    checkCall(operation, options);
    const headers = mergedHeaders(operation, this.#settings.headers, options.headers);
    return this.#during(
      operation,
      options,
      mayCreate,
      async (open) => {
        const { json, images = [] } = await open.unlessEnded(take);
        // A shared promise must not be waited for where the module is there at once: see DESIGN.md, request contexts.
        const module = this.#load();
        const engine = this.#engineOf(isModule(module) ? module : await open.unlessEnded(() => module));
        const listens = options.onUpdate !== undefined;
        const context = { id: open.id, headers, images, isAlone: this.#isAlone(options), listens };
        const plain = this.#plainOptions(operation, options);
        const call = () => this.#inside(() => engine.call(name, json, plain, context), open);
        return this.#unwrap(await open.unlessEnded(call, () => this.#leave(open.id)), open);
      },
      wait,
    );
  }

  /**
   * @template T
   * @param {string} operation
   * @param {any} options
   * @param {boolean} mayCreate
   * @param {(open: OpenCall) => Promise<T>} work
   * @param {number} [id]
   */
  async #during(operation, options, mayCreate, work, id) {
    const open = new OpenCall(operation, mayCreate, options, id);
    this.#open.set(open.id, open);
    try {
      if (this.#isClosed) throw closedError(operation);
      return await work(open);
    } catch (error) {
      throw error instanceof WebAssembly.RuntimeError ? this.#trapped(error, open) : error;
    } finally {
      open.settle();
      this.#open.delete(open.id);
    }
  }

  /** Nobody wants a call or a wait any more. @param {number} id */
  #leave(id) {
    try {
      this.#engine?.leave(id);
    } catch (error) {
      this.#trapped(error);
    }
  }

  /** Whether a wait shares no requests with others. @param {any} options */
  #isAlone(options) {
    return !this.#isShared || Boolean(options.headers) || options.requestTimeoutMs !== undefined;
  }

  /** @param {WebAssembly.Module} module */
  #engineOf(module) {
    if (this.#isClosed) throw closedError("client");
    if (!this.#engine) {
      const glue = createEngine(module, (error) => this.#trapped(error));
      this.#engine = new glue.Engine({ ...this.#settings, onOutcome: this.#tell });
      this.#stopTimers = glue.stop;
      this.#stopListening();
      this.#stopListening = onWake(this.#engine);
    }
    return this.#engine;
  }

  /**
   * Runs a piece of the wasm, which throws nothing of its own: whatever comes out of it is its death.
   * @template T
   * @param {() => T} work
   * @param {OpenCall} [own] the call
   */
  #inside(work, own) {
    try {
      return work();
    } catch (error) {
      throw this.#trapped(error, own);
    }
  }

  /**
   * The instance is broken: whatever ran in it ends here, and the next call gets a new one. Nothing is sent again.
   * @param {unknown} error
   * @param {OpenCall} [own] the call in which it surfaced
   */
  #trapped(error, own) {
    this.#engine = undefined;
    this.#stopTimers();
    for (const call of this.#open.values()) call.trap(error);
    this.#waits.trap(error);
    return own ? own.panic(error) : panicError(error, { operation: "client" });
  }

  /** The options that the wasm reads, as JSON. @param {string} operation @param {any} options */
  #plainOptions(operation, options) {
    const { requestTimeoutMs = this.#settings.requestTimeoutMs, timeoutMs, speed } = options;
    const { stalenessBudget, intervalMs, maxRequests, afterModal, throwOnFailure } = options;
    /** "None", which JSON tells from "not given" by a value alone. @param {any} ms */
    const limit = (ms) => (ms === null || ms === Infinity ? false : ms);
    return toJson(operation, {
      requestTimeoutMs: limit(requestTimeoutMs),
      timeoutMs: limit(timeoutMs),
      stalenessBudget,
      intervalMs,
      maxRequests,
      afterModal,
      throwOnFailure,
      speed,
    });
  }

  /** What the wasm tells before a call settles. @param {number} id @param {any[]} outcome */
  #tell = (id, outcome) => {
    const [verdict, value, raw] = outcome;
    const open = this.#open.get(id);
    if (verdict === "submitted") return open?.options.onSubmitted?.(this.#parse(value));
    if (this.#waits.tell(id, outcome) || !open) return;
    if (verdict === "begun") open.handle = this.#parse(value);
    else tellNews(open.options.onUpdate, this.#task([value, raw]), (error) => open.abort(error));
  };

  /**
   * @param {any[]} outcome
   * @param {OpenCall} [open]
   * @returns {[any, any]}
   */
  #unwrap([verdict, value, cause, raw], open) {
    if (verdict === "ok") return [value, cause];
    if (verdict === "thrown") throw value;
    if (verdict === "aborted") throw open?.reason;
    const fields = this.#parse(value);
    if (fields.task) this.#withRaw(fields.task, raw);
    // A check of the facade's own that failed inside the call, such as a key function's result.
    if (fields.code === "validation" && isCometError(cause)) {
      throw Object.assign(cause, fields.handle && { handle: fields.handle, task: fields.task });
    }
    const isOwn = fields.code === "submit_unknown";
    const error = new CometError(fields, isOwn ? open?.reason : this.#settings.secrets.safe(cause));
    throw open ? open.explain(error) : error;
  }

  /** @param {string} json */
  #parse(json) {
    return this.#settings.secrets.parse(json);
  }

  /** @param {any} task @param {Uint8Array | undefined} bytes */
  #withRaw(task, bytes) {
    return withRaw(task, bytes, (json) => this.#parse(json));
  }

  /** @param {[string, any]} done @returns {any} */
  #task = ([json, raw]) => this.#withRaw(this.#parse(json), raw);
}
if (Symbol.dispose) {
  Object.defineProperty(Client.prototype, Symbol.dispose, { value: Client.prototype.close });
}

/** As in the wasm. */
const READ_LIMIT_MS = 30_000;

/** The calls that are not Midjourney's. @type {Record<string, string>} */
const OPERATIONS = {
  veo: "videos.create",
  remix: "videos.remix",
  content: "videos.content",
  fetch: "fetchTask",
  fetchTasks: "fetchTasks",
  pollOnce: "pollOnce",
  poll: "poll",
  webhook: "webhook",
  undefined: "run",
};

/** A call's name in errors, as the wasm has it too. @param {string} name */
function operationOf(name) {
  const word = name.replace(/^run\./, "");
  return OPERATIONS[word] ?? `midjourney.${word}`;
}

/** A step's state as JSON. One that was damaged is no reason to lose the wait. @param {unknown} state */
function stateText(state) {
  if (state === undefined || state === null) return null;
  if (typeof state !== "object" || Array.isArray(state)) {
    throw invalid("pollOnce", "state", "must be null or the state of the step before");
  }
  try {
    return JSON.stringify(state);
  } catch {
    return "{}";
  }
}

/** @param {string} operation @param {any} options */
function checkCall(operation, options) {
  if (typeof options !== "object" || options === null)
    throw invalid(operation, "options", "must be an object");
  const { signal } = options;
  if (signal && typeof signal.addEventListener !== "function") {
    throw invalid(operation, "signal", "must be an AbortSignal");
  }
  for (const name of ["onUpdate", "onSubmitted", "key", "allowHost"]) {
    const isSound = options[name] === undefined || typeof options[name] === "function";
    if (!isSound) throw invalid(operation, name, "must be a function");
  }
}
