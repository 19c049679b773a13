/**
 * Bytes in hexadecimal, as the wasm takes the beginning of a file.
 * @param {Uint8Array} bytes
 */
export function toHex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
