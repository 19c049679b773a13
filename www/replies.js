/** What every reply of the Worker needs. */

/**
 * The shape of the service's own errors, so that the package reads it like any other.
 * @param {number} status @param {string} message
 */
export function problem(status, message) {
  return Response.json({ error: { message, type: "demo_worker" } }, { status });
}

/**
 * Files of the service under our own origin must never run as a page of ours, whatever type they claim.
 * @param {Response} response
 */
export function sealed(response) {
  return withHeaders(response, {
    "content-security-policy":
      "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox",
    "cross-origin-resource-policy": "same-origin",
  });
}

/** @param {Response} response @param {Record<string, string>} headers */
export function withHeaders(response, headers) {
  const copy = new Response(response.body, response);
  const always = { "x-content-type-options": "nosniff", "referrer-policy": "no-referrer" };
  for (const [name, value] of Object.entries({ ...always, ...headers })) copy.headers.set(name, value);
  return copy;
}

/** @param {string} text */
export async function sha256(text) {
  return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))));
}

/** @param {Uint8Array} bytes */
export function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
