// What a service answers, and a fetch that answers it: for tests that need no socket.

/**
 * @typedef {{ url: string, path: string, method: string, headers: Headers, body: any, init: RequestInit }} Call
 * @typedef {Response | Error | ((call: Call) => any)} Answer
 */

export const BASE_URL = "https://gateway.example";

/** @param {unknown} body @param {number} [status] @param {Record<string, string>} [headers] */
export function json(body, status = 200, headers = {}) {
  return new Response(typeof body === "string" ? body : JSON.stringify(body), { status, headers });
}

/** The reply to a Midjourney submit that was taken. @param {string} [result] */
export function accepted(result = "1712345678901234") {
  return json({ code: 1, description: "submit success", result });
}

/** A Midjourney task. @param {string} status @param {object} [fields] */
export function reading(status, fields = {}) {
  return json({ id: "1712345678901234", action: "IMAGINE", status, progress: "0%", ...fields });
}

/** A Midjourney task that has its picture. */
export function succeeded() {
  return reading("SUCCESS", { progress: "100%", imageUrl: "https://cdn.example/1.png" });
}

/**
 * A fetch that gives these answers in their order, then refuses; `calls` is what was sent.
 * @param {...Answer} answers
 */
export function stubFetch(...answers) {
  const left = [...answers];
  /** @type {Call[]} */
  const calls = [];
  /** @param {any} input @param {RequestInit} [init] */
  const fetch = async (input, init = {}) => {
    const url = String(input);
    const { method = "GET", body } = init;
    const call = { url, path: new URL(url).pathname, method, headers: new Headers(init.headers), body, init };
    calls.push(call);
    const answer = left.shift();
    if (answer === undefined) throw new Error(`nobody expected ${method} ${url}`);
    const reply = typeof answer === "function" ? await answer(call) : answer;
    if (reply instanceof Error) throw reply;
    return reply;
  };
  return Object.assign(fetch, { calls });
}

/**
 * What a promise rejects with; a promise that resolves fails the test.
 * @param {Promise<unknown>} promise
 * @returns {Promise<any>}
 */
export async function rejection(promise) {
  const value = await promise.then(
    (resolved) => ({ resolved }),
    (reason) => ({ reason }),
  );
  if ("reason" in value) return value.reason;
  throw new Error(`resolved to ${JSON.stringify(value.resolved)} although it should have rejected`);
}
