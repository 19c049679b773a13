// The cases of fixtures/wire.json, and how an outcome is held against what a case expects. tests/cases does the same for
// the core; README.md beside the file says what each word means.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

/** When every case is judged: 2026-03-12T11:30:00Z. */
export const NOW = 1_773_315_000_000;
/** What a submit that provably created nothing is sent in all, by the package's own limit. */
const SENT_AT_MOST = 4;
/** A submit, its repetitions and their pauses fit into this. */
const SUBMIT_TIMEOUT_MS = 120_000;

/** @type {any[]} */
export const cases = JSON.parse(
  await readFile(new URL("../fixtures/wire.json", import.meta.url), "utf8"),
).cases;

/** The replies in their order; the last one is repeated for as long as anybody asks. @param {any} wire */
export function repliesOf(wire) {
  return wire.sequence ?? [wire];
}

/** How a reply fails to come, by the words of the case. */
const failures = /** @type {const} */ ({
  "no response": "silence",
  "fetch rejects": "drop",
  "the body breaks off": "cut",
  "AbortSignal fires while pending": "abort pending",
  "AbortSignal fires between polls": "abort asleep",
  "AbortSignal has fired before the call": "abort before",
});

/** @param {any} wire @returns {string | undefined} */
export function failureOf(wire) {
  if (!wire.network) return undefined;
  const known = Object.entries(failures).find(([words]) => wire.network.startsWith(words));
  assert.ok(known, `no runner knows the network ${JSON.stringify(wire.network)}`);
  return known[1];
}

/**
 * The reply as the host's fetch gives it.
 * @param {any} reply
 */
export function toResponse({ status, headers, body, hex, padding = 0, redirected }) {
  if (status === 0) return having(new Response(null), { type: "opaqueredirect", status: 0 });
  const text = " ".repeat(padding) + (body ?? "");
  const content = hex ? Buffer.from(hex, "hex") : text;
  const response = new Response([204, 304].includes(status) ? null : content, { status, headers });
  return redirected ? having(response, { redirected }) : response;
}

/** A response with properties that none can be made with. @param {Response} response @param {object} properties */
function having(response, properties) {
  for (const [name, value] of Object.entries(properties)) Object.defineProperty(response, name, { value });
  return response;
}

/**
 * How many requests a submit makes.
 * @param {any} expect
 * @param {any} wire
 */
export function requestsOf(expect, wire) {
  if (expect.fetchCalls !== undefined) return expect.fetchCalls;
  if (expect.attempts) return expect.attempts;
  if (expect.maxRetries) return expect.maxRetries + 1;
  if (wire.sequence) return wire.sequence.length;
  const isSentAgain = ["rate_limited", "queue_full"].includes(expect.kind) && !expect.ambiguous;
  if (!isSentAgain || (expect.retryAfterMs ?? 0) > SUBMIT_TIMEOUT_MS) return 1;
  return SENT_AT_MOST;
}

/** What is looked at under another name, or not here. @type {Record<string, (seen: any) => unknown>} */
const ofSuccess = {
  id: (seen) => seen.id ?? seen.handle?.id,
  raw: (seen) => seen.rawStatus,
  inferred: (seen) => seen.rawStatus === "",
  queue: (seen) => seen.queuePosition,
  absent: (seen) => seen === null,
};

/** @type {Record<string, (seen: any) => unknown>} */
const ofError = {
  kind: (seen) => seen.code,
  code: (seen) => seen.serviceCode,
  id: (seen) => seen.handle?.id,
  truncated: (seen) => seen.details?.truncated,
  field: (seen) => seen.details?.field,
  failure: (seen) => seen.task?.failure,
};

const elsewhere = ["ok", "accepted", "attempts", "events", "mime", "fetchCalls", "maxRetries"];

/**
 * @param {any} expect
 * @param {any} seen a task, a handle, an error's fields, or what the runner makes of the request
 */
export function check(expect, seen) {
  const table = expect.ok ? ofSuccess : ofError;
  const isError = seen?.name === "CometError";
  assert.equal(isError, !expect.ok, `expected ${JSON.stringify(expect)}, got ${JSON.stringify(seen)}`);
  for (const [key, wanted] of Object.entries(expect)) {
    if (elsewhere.includes(key)) continue;
    const isCount = key === "buttons" && typeof wanted === "number";
    const actual = isCount ? seen.buttons.length : key in table ? table[key](seen) : seen[key];
    // What an error does not say is left out of it.
    assert.deepEqual(actual ?? null, wanted, `${key} of ${JSON.stringify(seen)}`);
  }
  if (isError) assert.ok(!(seen.ambiguous && seen.retryable), "what may exist must not be repeated");
}
