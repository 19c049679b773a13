import { aFunction } from "./checks.js";
import { invalid } from "./errors.js";
import { toJson } from "./images.js";
import { mergedHeaders } from "./options.js";

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

/** Options that the wasm reads as they are. */
const PLAIN = ["stalenessBudget", "intervalMs", "maxRequests", "afterModal", "throwOnFailure", "speed"];

/** A call's name in errors, as the wasm has it too. @param {string} name */
export function operationOf(name) {
  const word = name.replace(/^run\./, "");
  return OPERATIONS[word] ?? `midjourney.${word}`;
}

/** The caller's headers over the client's; none when he has none. @param {string} operation @param {Headers} shared @param {any} own */
export function ownHeaders(operation, shared, own) {
  return own === undefined || own === null ? undefined : mergedHeaders(operation, shared, own);
}

/** @param {string} operation @param {any} options */
export function checkCall(operation, options) {
  if (typeof options !== "object" || options === null)
    throw invalid(operation, "options", "must be an object");
  const { signal } = options;
  if (signal && typeof signal.addEventListener !== "function") {
    throw invalid(operation, "signal", "must be an AbortSignal");
  }
  for (const name of ["onUpdate", "onSubmitted", "key", "allowHost"]) aFunction(operation, options, name);
}

/**
 * The options that the wasm reads, as JSON.
 * @param {string} operation
 * @param {any} options the call's
 * @param {number | undefined} shared the client's requestTimeoutMs
 */
export function plainOptions(operation, options, shared) {
  const { requestTimeoutMs = shared, timeoutMs } = options;
  /** "None", which JSON tells from "not given" by a value alone; so that value itself is a word. @param {any} ms */
  const limit = (ms) => (ms === null || ms === Infinity ? false : ms === false ? "false" : ms);
  /** @type {Record<string, unknown>} */
  const plain = { requestTimeoutMs: limit(requestTimeoutMs), timeoutMs: limit(timeoutMs) };
  for (const name of PLAIN) plain[name] = options[name];
  return toJson(operation, plain);
}
