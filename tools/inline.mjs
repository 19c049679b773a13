// A module as letters of a JavaScript text: for programs that cannot bring a file.

/**
 * A byte below 80 is one letter, from "#" on; any other is two, of which the first says its sixteen. A module has few of
 * those. So a byte stays a byte, and what is alike in the module is alike in the letters: compressed they cost 3 % more than
 * the module itself, where base64 costs 26 % more. Read by `bytesOf` of pkg/src/inline.js.
 * @param {Uint8Array} bytes
 */
export function lettersOf(bytes) {
  const letter = (/** @type {number} */ value) => String.fromCharCode(35 + value);
  return Array.from(bytes, (byte) =>
    byte < 80 ? letter(byte) : letter(75 + (byte >> 4)) + letter(byte & 15),
  ).join("");
}
