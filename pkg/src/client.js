import { createEngine, isModule } from "./engine.js";
import { CometError, invalid, isCometError } from "./errors.js";
import { takeImages, toJson } from "./images.js";
import { OpenCall } from "./open-call.js";
import { checkOptions, closedError, mergedHeaders } from "./options.js";
import { persist } from "./persist.js";
import { withRaw } from "./task.js";
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
  /** @type {any} */
  #engine;
  /** The calls that have not settled, each with its way to end it. @type {Set<OpenCall>} */
  #open = new Set();
  #isClosed = false;

  /**
   * @param {ClientOptions} options
   * @param {Load} load
   * @param {boolean} isShared waits may share what they wait for: see DESIGN.md, request contexts
   */
  constructor(options, load, isShared) {
    this.#settings = checkOptions(options);
    this.#load = load;
    this.#isShared = isShared;
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
  poll(handle, options) {
    return this.#onTask("poll", handle, options).then(this.#task);
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
  downloadContent(handle, options) {
    return this.#onTask("content", handle, options).then(([response]) => response);
  }

  /** @param {any} task @param {any} sink @param {any} [options] @returns {Promise<any>} */
  async persist(task, sink, options = {}) {
    checkCall("persist", options);
    const open = new OpenCall("persist", false, options.signal);
    this.#open.add(open);
    try {
      if (this.#isClosed) throw closedError("persist");
      const module = this.#load();
      const loaded = isModule(module) ? module : await open.unlessEnded(() => module);
      return await persist(this.#lent(loaded, open, options), task, sink, options);
    } finally {
      open.settle();
      this.#open.delete(open);
    }
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
      try {
        return JSON.parse(this.#engineOf(module).keep(JSON.stringify(question)));
      } catch (error) {
        throw error instanceof WebAssembly.RuntimeError ? this.#trapped(error, open) : error;
      }
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
  run(call, options) {
    const name = `run.${call?.kind}`;
    const take = () => takeImages(operationOf(name), call?.params);
    return this.#call(name, take, options, true).then(this.#task);
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
    for (const call of [...this.#open]) call.close();
    this.#engine?.free();
    this.#engine = undefined;
  }

  /** @param {string} kind @param {any} params @param {any} options */
  #submit(kind, params, options) {
    const take = () => takeImages(operationOf(kind), params);
    return this.#call(kind, take, options, true).then(([json]) => this.#parse(json));
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
   * @returns {Promise<[any, any]>} value and raw
   */
  async #call(name, take, options = {}, mayCreate = false) {
    const operation = operationOf(name);
    checkCall(operation, options);
    const headers = mergedHeaders(operation, this.#settings.headers, options.headers);
    const open = new OpenCall(operation, mayCreate, options.signal);
    this.#open.add(open);
    try {
      if (this.#isClosed) throw closedError(operation);
      const { json, images = [] } = await open.unlessEnded(take);
      // A shared promise must not be waited for where the module is there at once: see DESIGN.md, request contexts.
      const module = this.#load();
      const engine = this.#engineOf(isModule(module) ? module : await open.unlessEnded(() => module));
      const isAlone = !this.#isShared || Boolean(options.headers) || options.requestTimeoutMs !== undefined;
      const context = { signal: open.signal, headers, images, isAlone, ...this.#callbacks(options, open) };
      const call = () => engine.call(name, json, this.#plainOptions(operation, options), context);
      return this.#unwrap(await open.unlessEnded(call, true), open);
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
      this.#stopListening();
      this.#stopListening = onWake(this.#engine);
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

  /**
   * What the wasm calls while a call runs. What these throw ends the call, and so does what an async one rejects with.
   * @param {any} options
   * @param {OpenCall} open
   */
  #callbacks({ onUpdate, onSubmitted }, open) {
    return {
      onHandle: (/** @type {string} */ json) => {
        open.handle = this.#parse(json);
      },
      onReading:
        onUpdate &&
        ((/** @type {string} */ json, /** @type {any} */ raw) => {
          onUpdate(this.#task([json, raw]))?.catch?.((/** @type {unknown} */ error) => open.abort(error));
        }),
      onSubmitted: onSubmitted && ((/** @type {string} */ json) => onSubmitted(this.#parse(json))),
    };
  }

  /**
   * @param {any[]} outcome
   * @param {OpenCall} open
   * @returns {[any, any]}
   */
  #unwrap([verdict, value, cause, raw], open) {
    if (verdict === "ok") return [value, cause];
    if (verdict === "thrown") throw value;
    const fields = this.#parse(value);
    if (fields.task) this.#withRaw(fields.task, raw);
    // A check of the facade's own that failed inside the call, such as a key function's result.
    if (fields.code === "validation" && isCometError(cause)) {
      throw Object.assign(cause, fields.handle && { handle: fields.handle, task: fields.task });
    }
    const isOwn = fields.code === "submit_unknown";
    throw open.explain(new CometError(fields, isOwn ? cause : this.#settings.secrets.safe(cause)));
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
