import { checkCall, operationOf } from "./call-options.js";
import { Calls } from "./calls.js";
import { CometError, invalid } from "./errors.js";
import { takeImages, toJson } from "./images.js";
import { checkOptions } from "./options.js";
import { persist } from "./persist.js";
import { Watch } from "./watch.js";

/**
 * @import { ClientOptions, SubmitCall } from "./index.js"
 * @import { OpenCall } from "./open-call.js"
 */

/** The public client: what each call takes and gives. */
export class Client {
  #calls;

  /**
   * @param {ClientOptions} options
   * @param {import("./calls.js").Load} load
   * @param {boolean} isShared waits may share what they wait for: see DESIGN.md, request contexts
   */
  constructor(options, load, isShared) {
    this.#calls = new Calls(checkOptions(options, isShared), load, isShared);
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
    return this.#onTask("seed", handle, options).then(([json]) => this.#calls.parse(json));
  }

  /** @param {any} handle @param {any} [options] */
  fetchTask(handle, options) {
    return this.#onTask("fetch", handle, options).then(this.#calls.task);
  }

  /** @param {any} handles @param {any} [options] @returns {Promise<any>} */
  async fetchTasks(handles, options) {
    const take = () => ({ json: toJson("fetchTasks", handles) });
    const [json, raws] = await this.#calls.call("fetchTasks", take, options);
    return this.#calls.parse(json).map((/** @type {any} */ reading, /** @type {number} */ place) => {
      if (reading?.error)
        return new CometError(reading.error, this.#calls.settings.secrets.safe(raws[place]));
      return reading && this.#calls.withRaw(reading.task, raws[place]);
    });
  }

  /** @param {any} handle @param {any} [options] */
  poll(handle, options = {}) {
    return this.#calls.wait(handle, options);
  }

  /** @param {any} handle @param {any} [state] @param {any} [options] @returns {Promise<any>} */
  async pollOnce(handle, state, options) {
    const take = () => ({ json: toJson("pollOnce", [handle, stateText(state)]) });
    const [json, [raw]] = await this.#calls.call("pollOnce", take, options, { handle });
    const step = this.#calls.parse(json);
    if (step.task) this.#calls.withRaw(step.task, raw);
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
    return this.#onTask("content", handle, options).then(([json, [exchange]]) => {
      // It is open until its body has ended.
      const nobody = () => {};
      const open = this.#calls.begin("videos.content", false, options, nobody, nobody);
      open.handle = json;
      open.leave = nobody;
      const failure = (/** @type {any} */ code, /** @type {unknown} */ cause) => {
        const fields = { code, operation: open.operation, message: "the video broke off", retryable: true };
        return new CometError(
          { ...fields, handle: this.#calls.parse(json) },
          this.#calls.settings.secrets.safe(cause),
        );
      };
      return exchange.handOver(open.signal, failure, () => open.resolve(undefined));
    });
  }

  /** @param {any} task @param {any} sink @param {any} [options] @returns {Promise<any>} */
  persist(task, sink, options = {}) {
    return new Promise((resolve, reject) => {
      checkCall("persist", options);
      const open = this.#calls.begin("persist", false, options, resolve, reject);
      this.#calls.loaded(open, (module) => {
        // From now on its work sees to its end: what was begun is to be undone.
        open.leave = () => {};
        persist(this.#lent(module, open, options), task, sink, options).then(
          (kept) => open.resolve(kept),
          (error) => open.reject(error),
        );
      });
    });
  }

  /**
   * What persist needs of this client: the wasm's decisions, the way out, and the two calls that may carry the key.
   * @param {WebAssembly.Module} module
   * @param {OpenCall} open
   * @param {any} options
   */
  #lent(module, open, { headers, requestTimeoutMs }) {
    const { secrets, fetch, baseUrl, requestTimeoutMs: own = READ_LIMIT_MS } = this.#calls.settings;
    const limitMs = requestTimeoutMs === undefined ? own : (requestTimeoutMs ?? Infinity);
    const { signal } = open;
    const call = { headers, requestTimeoutMs, signal };
    return {
      ask: (/** @type {object} */ question) => this.#calls.ask(module, open, question),
      ...{ fetch, signal, limitMs, origin: new URL(baseUrl).origin },
      reread: (/** @type {any} */ { handle }) => this.fetchTask(handle, call),
      content: (/** @type {any} */ { handle }) => this.downloadContent(handle, call),
      error: (/** @type {any} */ fields, /** @type {unknown} */ cause) =>
        new CometError(fields, secrets.safe(cause)),
    };
  }

  /** @param {SubmitCall} call @param {any} [options] */
  run(call, options = {}) {
    const name = `run.${String(call?.kind)}`;
    return this.#calls.run(name, () => takeImages(operationOf(name), call?.params), options);
  }

  /** @param {string} body */
  async parseWebhook(body) {
    const [task] = await this.#calls.call("webhook", () => ({ json: body }));
    // Without the byte order mark, too.
    return this.#calls.task([task, [body.trim()]]);
  }

  /** Ends every open call with "closed" and lets the instance go. */
  close() {
    this.#calls.close();
  }

  /** @param {string} kind @param {any} params @param {any} options */
  #submit(kind, params, options) {
    const take = () => takeImages(operationOf(kind), params);
    // Pictures that were sent are no task.
    return this.#calls
      .call(kind, take, options, { mayCreate: kind !== "upload" })
      .then(([json]) => this.#calls.parse(json));
  }

  /** @param {string} name @param {any} handle @param {any} options */
  #onTask(name, handle, options) {
    return this.#calls.call(name, () => ({ json: toJson(operationOf(name), handle) }), options, { handle });
  }
}

/** As in the wasm. */
const READ_LIMIT_MS = 30_000;

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
