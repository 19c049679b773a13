/**
 * Compiles a module that is part of the program: the one form that every bundler and every host takes as it is.
 * @param {string} base64
 * @returns {Promise<WebAssembly.Module>}
 */
export function compileBase64(base64) {
  return WebAssembly.compile(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)));
}
