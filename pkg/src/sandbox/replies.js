// The shapes of replies. The letters are those of protocol.md, 1.21.

/** @typedef {import("./types.js").Call} Call */

/** Ends the handling of a request with a reply: thrown where a check fails. */
export class Refused extends Error {
  /** @param {Response} response */
  constructor(response) {
    super("refused");
    this.response = response;
  }
}

/** @param {unknown} body @param {number} [status] @returns {Response} */
export function json(body, status = 200) {
  return new Response(JSON.stringify(body), {
    status,
    headers: { "Content-Type": "application/json; charset=utf-8" },
  });
}

/**
 * Submit and seed replies: JSON that is typed as text, because the gateway passes bytes on and sets no
 * type.
 * @param {unknown} body
 */
export function untypedJson(body) {
  return new Response(JSON.stringify(body), { headers: { "Content-Type": "text/plain; charset=utf-8" } });
}

/** Shape A. @param {Call} call @param {number} status @param {string} message @param {string} [code] */
export function nestedError(call, status, message, code = "") {
  const text = `${message} (request id: ${call.requestId})`;
  return json({ error: { code, message: text, type: "comet_api_error" } }, status);
}

/**
 * Shape A as the content endpoint has it.
 * @param {number} status @param {string} message @param {string} [type]
 */
export function contentError(status, message, type = "invalid_request_error") {
  return json({ error: { message, type } }, status);
}

/** Shape B, on /v1/videos. @param {number} status @param {string | null} code @param {string} message */
export function videoError(status, code, message) {
  return json({ code, message, data: null }, status);
}

/**
 * Shape C. The gateway joins name and detail by a space and has no detail: hence the blank.
 * @param {string} name @param {number} [code]
 */
export function flatError(name, code = 4) {
  return json({ description: `${name} `, type: "upstream_error", code }, 400);
}

/**
 * Shape D: HTTP 200, and the code says no.
 * @param {number} code @param {string} description @param {object} [properties]
 */
export function declined(code, description, properties = {}) {
  return untypedJson({ code, description, result: null, properties });
}

/** @param {Call} call @param {number} status */
export function notFound(call, status = 404) {
  const { method } = call.request;
  const message = `Invalid URL (${method} ${call.url.pathname})`;
  return json({ error: { message, type: "invalid_request_error", param: "", code: "" } }, status);
}

/** What a wrong path gets outside /v1: the index page of the gateway's own site. */
export function indexPage() {
  const page = '<!doctype html><html lang="en"><body><div id="root"></div></body></html>';
  return new Response(page, { headers: { "Content-Type": "text/html; charset=utf-8" } });
}
