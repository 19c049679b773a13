// Chance that can be repeated: each use names its own stream, so that one more poll never changes the next
// task.

/** @typedef {import("./types.js").Random} Random */

const ALPHANUMERICS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/**
 * Numbers in [0, 1) that depend on the given parts alone (mulberry32 over an FNV-1a hash).
 * @param {...(string | number)} parts
 * @returns {Random}
 */
export function createRandom(...parts) {
  let state = hash(parts.join("/"));
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** @param {string} text */
function hash(text) {
  let sum = 0x811c9dc5;
  for (const character of text) sum = Math.imul(sum ^ (character.codePointAt(0) ?? 0), 0x01000193);
  return sum >>> 0;
}

/**
 * Two standard deviations are the limit: a test should not meet the one picture in a thousand that takes an hour.
 * @param {Random} random @param {number} median @param {number} sigma
 */
export function logNormal(random, median, sigma) {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return median * Math.exp(sigma * Math.min(Math.max(normal, -2), 2));
}

/** @param {Random} random @param {number} length */
export function alphanumerics(random, length) {
  return draw(random, length, ALPHANUMERICS);
}

/** @param {Random} random @param {number} length */
export function hexDigits(random, length) {
  return draw(random, length, "0123456789abcdef");
}

/** @param {Random} random @param {number} length */
export function digits(random, length) {
  return draw(random, length, "0123456789");
}

/** @param {Random} random @param {number} length @param {string} alphabet */
function draw(random, length, alphabet) {
  return Array.from({ length }, () => alphabet[Math.floor(random() * alphabet.length)]).join("");
}
