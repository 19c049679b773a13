import { AssetBody, LATE, webUrl, within } from "./asset-body.js";
import { atLeast } from "./checks.js";
import { invalid, isCometError } from "./errors.js";
import { Sha256 } from "./sha256.js";
import { sinkOf } from "./sinks.js";
import { isTerminal } from "./task.js";

/**
 * @import { AssetInfo, PersistedAsset, PersistOptions, Sink, Task } from "./index.js"
 * @typedef {{ url: string | null, kind: "image" | "video" }} File
 * @typedef {object} Tools what a client lends
 * @property {(question: object) => any} ask the wasm, which decides
 * @property {typeof fetch} fetch
 * @property {string} origin the service's own
 * @property {number} limitMs for one reply's head, and for each piece of its body
 * @property {AbortSignal} signal
 * @property {(task: Task) => Promise<Task>} reread
 * @property {(task: Task) => Promise<Response>} content
 * @property {(fields: any, cause?: unknown) => Error} error
 */

const MOST_REDIRECTS = 5;
/** Pages and their workers have a place of their own. What runs anywhere else may reach hosts that the internet does not. */
const isServer = () => !globalThis.location || "Deno" in globalThis;

/** For people; the code is for the caller. @type {Record<string, string>} */
const MESSAGES = {
  not_ready: "the task has not succeeded",
  no_asset: "the task has no file",
  expired: "the file's URL does not work any more, nor does the one of a new reading",
  redirect: "the file's host led elsewhere too often, or nowhere",
  rejected: "the file's host refused",
  rate_limited: "the file's host is busy",
  gateway: "the file's host broke",
  protocol: "what came is not the picture or video that it should be",
  truncated: "the file broke off",
  timeout: "nothing came within requestTimeoutMs",
  network: "the file's host did not answer",
  too_large: "the file is too large",
  persist: "the sink did not take the whole file",
};
/** The same call may well succeed later. */
const PASSING = new Set([
  "not_ready",
  "rate_limited",
  "gateway",
  "truncated",
  "timeout",
  "network",
  "persist",
]);

/**
 * Copies a task's files to a sink, one after another. A file is begun again as a whole where that may help.
 *
 * @param {Tools} tools
 * @param {Task} task
 * @param {Sink} sink
 * @param {PersistOptions} options
 * @returns {Promise<PersistedAsset[]>}
 */
export async function persist(tools, task, sink, options) {
  atLeast("persist", options, "maxBytes", 0);
  if (options.requestTimeoutMs !== null) atLeast("persist", options, "requestTimeoutMs", 1);
  const work = new Work(tools, task, options);
  const write = sinkOf(sink, work.files.length);
  const kept = [];
  for (const index of work.files.keys()) kept.push(await work.keep(index, write));
  return kept;
}

class Work {
  #tools;
  #task;
  #options;
  #isFresh = false;
  /** The caller's, by the place of the file. @type {unknown[]} */
  #keys = [];
  /** @type {File[]} */
  files;

  /** @param {Tools} tools @param {Task} task @param {PersistOptions} options */
  constructor(tools, task, options) {
    this.#tools = tools;
    this.#task = task;
    this.#options = options;
    this.files = this.#filesOf(task);
  }

  /**
   * One file, with as many tries as it deserves.
   * @param {number} index
   * @param {import("./sinks.js").Write} write
   */
  async keep(index, write) {
    const { ask, signal } = this.#tools;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#copy(index, write);
      } catch (/** @type {any} */ error) {
        if (signal.aborted) throw signal.reason;
        const { code, retryAfterMs } = error;
        const next = ask({ ask: "after", code, retryAfterMs, attempt, isFresh: this.#isFresh });
        if (next === null) throw error;
        if (next === "reread") await this.#reread(error);
        else
          await within(new Promise(() => {}), signal, next).catch(
            (end) => end === LATE || Promise.reject(end),
          );
      }
    }
  }

  /** @param {unknown} expired */
  async #reread(expired) {
    this.#isFresh = true;
    const fresh = this.#filesOf(await this.#tools.reread(this.#task));
    // Files that came or went meanwhile would be kept under each other's names.
    const isSame =
      fresh.length === this.files.length && fresh.every(({ kind }, at) => kind === this.files[at].kind);
    if (!isSame) throw expired;
    this.files = fresh;
  }

  /** @param {number} index @param {import("./sinks.js").Write} write @returns {Promise<PersistedAsset>} */
  async #copy(index, write) {
    const { signal: outer, fetch, limitMs } = this.#tools;
    const controller = new AbortController();
    const onAbort = () => controller.abort(outer.reason);
    outer.addEventListener("abort", onAbort);
    const { signal } = controller;
    const hash = this.#options.sha256 ? new Sha256() : undefined;
    /** @type {AssetBody | undefined} */
    let body;
    try {
      body = await this.#bodyOf(this.files[index], signal, hash);
      const info = await this.#judged(index, body);
      const fail = this.#fail;
      const delivery = { info, body, fetch, signal, limitMs, isServer: isServer(), fail };
      try {
        await within(write(delivery), signal);
      } catch (cause) {
        throw body.failure ?? (isOurs(cause) ? cause : fail("persist", {}, cause));
      }
      if (!body.isWhole) throw body.failure ?? fail("persist");
      return { ...info, bytes: body.bytes, ...(hash && { sha256: hash.digest() }) };
    } finally {
      outer.removeEventListener("abort", onAbort);
      body?.cancel();
      controller.abort();
    }
  }

  /** @param {File} file @param {AbortSignal} signal @param {Sha256 | undefined} hash */
  async #bodyOf({ url }, signal, hash) {
    const { maxBytes = Infinity } = this.#options;
    const response = await (url === null ? this.#tools.content(this.#task) : this.#fetched(url, signal));
    const wait = (/** @type {Promise<any>} */ piece) => this.#waited(piece, signal);
    const fail = (/** @type {string} */ code) => this.#fail(code);
    return new AssetBody(response, { maxBytes, wait, hash, fail });
  }

  /**
   * What a sink is told of the file: its head says whether it is one.
   * @param {number} index
   * @param {AssetBody} body
   * @returns {Promise<AssetInfo>}
   */
  async #judged(index, body) {
    const { url, kind } = this.files[index];
    const { status, headers } = body.response;
    const head = status === 200 ? await body.head() : "";
    const [type, retryAfter] = [headers.get("content-type"), headers.get("retry-after")];
    const id = this.#task.handle.id;
    const reply = { ask: "reply", kind, index, id, status, type, retryAfter, head };
    const { code, key, contentType, retryAfterMs } = this.#tools.ask(reply);
    if (code) throw this.#fail(code, { status, ...(retryAfterMs && { retryAfterMs }) });
    const info = { url, kind, index, key, contentType, size: body.size };
    if (this.#options.key) info.key = this.#checkedKey(this.#options.key({ ...info }), index);
    return info;
  }

  /**
   * Redirects are followed by hand where the host allows it: each leads to a host that must be judged.
   * @param {string} start
   * @param {AbortSignal} signal
   */
  async #fetched(start, signal) {
    const { fetch } = this.#tools;
    const redirect = isServer() ? "manual" : "follow";
    const first = webUrl(start);
    if (!first) throw invalid("persist", "url", "must be one that this host can read");
    for (let url = first, left = MOST_REDIRECTS; ; left -= 1) {
      this.#checkHost(url);
      const headers = new Headers({ accept: "image/*,video/*" });
      const response = await this.#waited(fetch(url.href, { headers, redirect, signal }), signal, "network");
      const isLed = response.status >= 300 && response.status < 400;
      const to = isLed && left > 0 ? response.headers.get("location") : null;
      if (to === null) return response;
      response.body?.cancel().catch(() => {});
      const next = webUrl(to, url);
      if (!next) throw this.#fail("redirect");
      url = next;
    }
  }

  /** @param {URL} url */
  #checkHost({ hostname, origin }) {
    const { ask, origin: own } = this.#tools;
    const { allowHost } = this.#options;
    const isAllowed = allowHost
      ? allowHost(hostname)
      : !isServer() || origin === own || ask({ ask: "host", host: hostname });
    // A promise, say, is as good as true to "if": who answers so must not let everything pass.
    if (typeof isAllowed !== "boolean") throw invalid("persist", "allowHost", "must give true or false");
    if (!isAllowed)
      throw invalid("persist", "url", "must not lead to a host that allowHost refuses, or to a private one");
  }

  /** @param {unknown} key @param {number} index whose it is to be */
  #checkedKey(key, index) {
    this.#keys[index] = key;
    if (this.#keys.indexOf(key) < index) throw invalid("persist", "key", "must give each file another");
    if (typeof key === "string" && this.#tools.ask({ ask: "key", key })) return key;
    throw invalid(
      "persist",
      "key",
      "must give a relative path of at most 1024 bytes, without empty or dotted parts",
    );
  }

  /**
   * @param {Promise<any>} promise
   * @param {AbortSignal} signal
   * @param {string} [code] of its failure
   */
  #waited(promise, signal, code = "truncated") {
    return within(promise, signal, this.#tools.limitMs).catch((cause) => {
      throw cause === LATE ? this.#fail("timeout") : this.#fail(code, {}, cause);
    });
  }

  /** @param {any} task @returns {File[]} */
  #filesOf(task) {
    const files = this.#tools.ask({ ask: "files", task });
    if (files.code === "validation") throw invalid("persist", "task", "must be a task as it was read");
    if (files.code) throw this.#fail(files.code, isTerminal(task) && { retryable: false });
    return files;
  }

  /** @param {string} code @param {object | false} [fields] @param {unknown} [cause] */
  #fail = (code, fields, cause) => {
    const { handle } = this.#task;
    const known = { operation: "persist", message: MESSAGES[code], retryable: PASSING.has(code), handle };
    return this.#tools.error({ code, ...known, ...fields }, cause);
  };
}

/** @param {unknown} error */
function isOurs(error) {
  return isCometError(error) && error.operation === "persist";
}
