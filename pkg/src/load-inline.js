import base64 from "./wasm-inline.js";

/**
 * Compiles the module that is part of this file: the one form that every bundler and every host takes as it is.
 * @returns {Promise<WebAssembly.Module>}
 */
export function load() {
  return WebAssembly.compile(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)));
}
