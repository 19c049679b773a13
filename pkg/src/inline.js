/**
 * Compiles a module that is part of the program: the one form that every bundler and every host takes as it is.
 * @param {string} letters as `lettersOf` of tools/inline.mjs writes them
 * @returns {Promise<WebAssembly.Module>}
 */
export function compileInline(letters) {
  return WebAssembly.compile(bytesOf(letters));
}

/**
 * Compiles a module's file, or its letters where a bundler has left the file behind: in a program of its making.
 * @param {() => Uint8Array<ArrayBuffer>} read
 * @param {() => Promise<{ default: string }>} letters
 * @returns {Promise<WebAssembly.Module>}
 */
export async function compileFile(read, letters) {
  let bytes;
  try {
    bytes = read();
  } catch {
    return compileInline((await letters()).default);
  }
  return WebAssembly.compile(bytes);
}

/**
 * A byte below 80 is one letter from "#" on; any other is two, of which the first says its sixteen.
 * @param {string} letters
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function bytesOf(letters) {
  // In place, on bytes: over the text itself the loop takes half as long again.
  const bytes = /** @type {Uint8Array<ArrayBuffer>} */ (new TextEncoder().encode(letters));
  const end = bytes.length;
  let length = 0;
  for (let at = 0; at < end; at += 1) {
    let byte = bytes[at] - 35;
    if (byte > 79) byte = 16 * byte - 1235 + bytes[(at += 1)];
    bytes[length++] = byte;
  }
  return bytes.subarray(0, length);
}
