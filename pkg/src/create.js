import { Client } from "./client.js";
import { isModule } from "./engine.js";
import { CometError, invalid, isCometError, notLoaded } from "./errors.js";

export { CometError, invalid, isCometError } from "./errors.js";
export { findButton, isTerminal, supersedes } from "./task.js";

/** @import * as api from "./index.js" */

/**
 * The entry's functions over one way to load the wasm. The compiled module is shared by all clients; each has an
 * instance of its own.
 *
 * @param {import("./calls.js").Load} load
 * @param {boolean} isShared waits may share what they wait for: see DESIGN.md, request contexts
 */
export function bind(load, isShared) {
  // Not beside the class: bundlers would keep it for a program that makes no client.
  if (Symbol.dispose) {
    Object.defineProperty(Client.prototype, Symbol.dispose, { value: Client.prototype.close });
  }
  /** @type {WebAssembly.Module | Promise<WebAssembly.Module> | undefined} */
  let module;

  /** @param {() => WebAssembly.Module | Promise<WebAssembly.Module>} source */
  function remember(source) {
    const loaded = source();
    if (isModule(loaded)) return (module = loaded);
    // The type of a module has no members, so a promise would pass for one.
    const pending = /** @type {Promise<WebAssembly.Module>} */ (loaded).then(
      (compiled) => (module = compiled),
      (error) => {
        // Not remembered: the next call tries again.
        if (module === pending) module = undefined;
        throw notLoaded(error);
      },
    );
    return (module = pending);
  }
  /** Begun when a client is made, which calls soon: a compiler works beside. Nobody is told if it fails; a call begins anew. */
  let early = /** @type {ReturnType<typeof load> | undefined} */ (undefined);
  function take() {
    const begun = early;
    early = undefined;
    return begun ?? load();
  }
  const get = () => module ?? remember(take);

  /** @param {api.ClientOptions} [options] @returns {any} */
  function createClient(options = {}) {
    if (!module && !early) {
      early = load();
      Promise.resolve(early).catch(() => (early = undefined));
    }
    return new Client(options, get, isShared);
  }

  /** @param {any} [source] */
  async function init(source) {
    if (source !== undefined && module === undefined) remember(() => compile(source));
    await get();
  }

  /** @type {Client | undefined} */
  let reader;
  /** @param {Request | string | Uint8Array} body */
  async function parseWebhook(body) {
    reader ??= createClient();
    return /** @type {Client} */ (reader).parseWebhook(await text(body));
  }

  return { createClient, init, parseWebhook };
}

/** @param {any} source */
async function compile(source) {
  const value = await source;
  if (isModule(value)) return value;
  const isUrl = typeof value === "string" || value instanceof URL;
  const found = isUrl ? await fetch(value) : value;
  if (typeof found?.arrayBuffer !== "function") return WebAssembly.compile(found);
  if (found.ok === false) throw new Error(`${found.url} answered HTTP ${found.status}`);
  // Engines stream under this very type alone; any other server's bytes are as good.
  const streams = found.headers?.get("content-type") === "application/wasm" && WebAssembly.compileStreaming;
  return streams ? WebAssembly.compileStreaming(found) : WebAssembly.compile(await found.arrayBuffer());
}

/** Anybody may post to a hook: a larger body is not read, in bytes. Real ones may echo a mask of some megabytes. */
const MOST_WEBHOOK_BYTES = 32 * 1024 * 1024;

/** @param {Request | string | Uint8Array} body */
async function text(body) {
  if (typeof body === "string") return body.length > MOST_WEBHOOK_BYTES ? tooLarge() : body;
  if (body instanceof Uint8Array) {
    return body.length > MOST_WEBHOOK_BYTES ? tooLarge() : new TextDecoder().decode(body);
  }
  if (typeof body?.text !== "function") {
    throw invalid("webhook", "body", "must be a Request, a string or a Uint8Array");
  }
  try {
    return body.body ? await drain(body.body.getReader()) : "";
  } catch (error) {
    if (isCometError(error)) throw error;
    // It was read before, or broke off.
    const message = "the body cannot be read";
    throw new CometError({ code: "protocol", operation: "webhook", message }, error);
  }
}

/** @param {ReadableStreamDefaultReader<Uint8Array>} reader */
async function drain(reader) {
  const decoder = new TextDecoder();
  let [text, length] = ["", 0];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    length += value.length;
    if (length > MOST_WEBHOOK_BYTES) {
      reader.cancel().catch(() => {});
      tooLarge();
    }
    text += decoder.decode(value, { stream: true });
  }
}

/** @returns {never} */
function tooLarge() {
  const message = `the body is larger than ${MOST_WEBHOOK_BYTES} bytes`;
  throw new CometError({ code: "too_large", operation: "webhook", message });
}
