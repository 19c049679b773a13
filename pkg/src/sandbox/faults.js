// Faults by script: which request meets one, and what it does to the answer.

import { revokeLinks } from "./links.js";

/** @typedef {import("../sandbox.js").Fault} Fault */
/** @typedef {import("./types.js").Service} Service */
/** @typedef {import("./types.js").Call} Call */
/** @typedef {import("./types.js").RouteKind} RouteKind */

const WORDS = ["drop_before", "drop_after", "stall", "expire"];

/**
 * Counts the requests of each kind and hands out the fault that is due.
 * @param {Fault[]} faults
 * @returns {(kind: RouteKind) => Fault["do"] | undefined}
 */
export function createScript(faults) {
  faults.forEach(checkFault);
  const counts = { submit: 0, read: 0, asset: 0 };
  return (kind) => {
    counts[kind] += 1;
    return faults.find((fault) => fault.on === kind && fault.at === counts[kind])?.do;
  };
}

/**
 * A script with a slip would test nothing, and nobody would notice.
 * @param {Fault} fault @param {number} index
 */
function checkFault(fault, index) {
  const wrong = (/** @type {string} */ rule) => new TypeError(`createSandbox: faults[${index}] ${rule}`);
  if (!["submit", "read", "asset"].includes(fault?.on)) throw wrong('needs on: "submit", "read" or "asset"');
  if (!Number.isInteger(fault.at) || fault.at < 1) throw wrong("needs at: an integer from 1");
  if (fault.do === "expire" && fault.on !== "asset") throw wrong('can be do: "expire" only with on: "asset"');
  if (typeof fault.do === "string" && WORDS.includes(fault.do)) return;
  const { truncateAt, contentType, status } = Object(fault.do);
  const known = [Number.isInteger(truncateAt) && truncateAt >= 0, typeof contentType === "string"];
  known.push(Number.isInteger(status) && status >= 200 && status <= 599);
  if (!known.includes(true)) throw wrong("has a do that is not one of the documented ones");
}

/**
 * @param {Fault["do"] | undefined} fault @param {Service} service @param {Call} call
 * @param {() => Promise<Response>} handle @returns {Promise<Response>}
 */
export async function underFault(fault, service, call, handle) {
  if (fault === undefined) return handle();
  if (fault === "drop_before")
    throw new TypeError("sandbox: the connection was dropped before the request arrived");
  if (fault === "expire") return expire(service, call);
  if (typeof fault === "object" && "status" in fault) {
    return new Response(fault.body ?? null, { status: fault.status, headers: fault.headers });
  }
  const reply = await handle();
  if (fault === "drop_after")
    throw new TypeError("sandbox: the connection was dropped before the reply left");
  if (fault === "stall") return never(call.request.signal);
  return "truncateAt" in fault ? truncate(reply, fault.truncateAt) : retype(reply, fault.contentType);
}

/** @param {Service} service @param {Call} call */
function expire(service, call) {
  revokeLinks(service, call.url.pathname);
  return expiredReply();
}

export function expiredReply() {
  return new Response("This content is no longer available.", {
    status: 403,
    headers: { "Content-Type": "text/plain;charset=UTF-8" },
  });
}

/** @param {AbortSignal} signal @returns {Promise<never>} */
function never(signal) {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

/**
 * Headers stay, so an asset still claims its full length, as a copy that was cut on its way does.
 * @param {Response} reply @param {number} length
 */
async function truncate(reply, length) {
  const bytes = new Uint8Array(await reply.arrayBuffer());
  return new Response(bytes.slice(0, length), { status: reply.status, headers: reply.headers });
}

/** @param {Response} reply @param {string} type */
function retype(reply, type) {
  const headers = new Headers(reply.headers);
  headers.set("Content-Type", type);
  return new Response(reply.body, { status: reply.status, headers });
}
