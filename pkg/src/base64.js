/**
 * Compiles a module that is part of the program: the one form that every bundler and every host takes as it is.
 * @param {string} base64
 * @returns {Promise<WebAssembly.Module>}
 */
export function compileBase64(base64) {
  const letters = atob(base64);
  const bytes = new Uint8Array(letters.length);
  // A plain loop: Uint8Array.from with a mapping takes six times as long, most of the time to the first call.
  for (let at = 0; at < letters.length; at += 1) bytes[at] = letters.charCodeAt(at);
  return WebAssembly.compile(bytes);
}
