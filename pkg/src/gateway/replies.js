/** Of a reply to any request. */
const PASSED = [
  { name: "retry-after", form: /^[\w ,:.-]{1,64}$/ },
  { name: "x-oneapi-request-id", form: /^[\w.-]{1,128}$/ },
  { name: "x-request-id", form: /^[\w.-]{1,128}$/ },
];
/** Of a result's bytes. */
const CONTENT = [
  { name: "content-range", form: /^bytes (\d+-\d+|\*)\/(\d+|\*)$/ },
  { name: "accept-ranges", form: /^bytes$/ },
  { name: "etag", form: /^(W\/)?"[\w.:+/=-]{1,200}"$/ },
];
/** A shorter one would be found in ordinary words. */
const SHORTEST_HIDDEN = 8;

/**
 * Headers that a caller may see, in the form that they should have, and without what must not be told.
 * @param {Headers} headers
 * @param {string[]} hidden
 * @returns {[string, string][]}
 */
export function passedHeaders(headers, hidden) {
  return kept(headers, PASSED).filter(([, value]) => hide(value, hidden) === value);
}

/**
 * A result, streaming; nothing when the reply is none.
 * @param {Response} response
 * @param {[string, string][]} headers
 * @param {string} type
 */
export function contentReply(response, headers, type) {
  const { status } = response;
  if (status !== 200 && status !== 206) return undefined;
  const all = new Headers([...headers, ...kept(response.headers, CONTENT)]);
  all.set("content-type", type);
  all.set("cache-control", "private, max-age=300");
  // The host has undone the encoding, and the length was the encoded one's.
  const length = response.headers.get("content-length");
  if (length && /^\d+$/.test(length) && !response.headers.has("content-encoding"))
    all.set("content-length", length);
  return new Response(response.body, { status, headers: all });
}

/** @param {Headers} headers @param {{ name: string, form: RegExp }[]} wanted @returns {[string, string][]} */
function kept(headers, wanted) {
  return wanted.flatMap(({ name, form }) => {
    const value = headers.get(name);
    return value !== null && form.test(value) ? [/** @type {[string, string]} */ ([name, value])] : [];
  });
}

/**
 * A text without the key and the secret, should the service repeat them.
 * @param {string} text
 * @param {string[]} hidden
 */
export function hide(text, hidden) {
  for (const word of hidden) {
    if (word.length < SHORTEST_HIDDEN) continue;
    text = text.replaceAll(word, "[hidden]").replaceAll(JSON.stringify(word).slice(1, -1), "[hidden]");
  }
  return text;
}
