// The shipped wasm with one thing changed, so that it really breaks down: a panic of the published build is the instruction
// `unreachable`, and memory ends where a maximum says.

/** @param {Uint8Array} bytes @param {number} at @returns {[number, number]} the number and where it ends */
function leb(bytes, at) {
  let [value, shift] = [0, 0];
  for (;;) {
    const byte = bytes[at++] ?? 0;
    value += (byte & 127) * 2 ** shift;
    shift += 7;
    if (byte < 128) return [value, at];
  }
}

/** In five bytes, which every number fits in. @param {number} value */
function lebBytes(value) {
  const bytes = [];
  for (let place = 0; place < 5; place += 1) {
    bytes.push((value & 127) | (place < 4 ? 128 : 0));
    value = Math.floor(value / 128);
  }
  return bytes;
}

/**
 * @param {Uint8Array} wasm
 * @param {number} wanted the section's number
 * @param {(content: Uint8Array) => number[]} change
 */
function section(wasm, wanted, change) {
  let at = 8;
  while (at < wasm.length) {
    const [length, start] = leb(wasm, at + 1);
    const end = start + length;
    if (wasm[at] === wanted) {
      const content = change(wasm.slice(start, end));
      const head = [wanted, ...lebBytes(content.length)];
      return new Uint8Array([...wasm.slice(0, at), ...head, ...content, ...wasm.slice(end)]);
    }
    at = end;
  }
  throw new Error(`no section ${wanted}`);
}

/** Memory that may grow by so many pages. @param {Uint8Array} wasm @param {number} pages */
export function withLittleMemory(wasm, pages) {
  return section(wasm, 5, (content) => {
    const [initial] = leb(content, 2);
    return [1, 1, ...lebBytes(initial), ...lebBytes(initial + pages)];
  });
}

/**
 * An exported function that panics.
 * @param {Uint8Array<ArrayBuffer>} wasm
 * @param {string} glue
 * @param {string} method of a class
 */
export function withPanicIn(wasm, glue, method) {
  return withBody(wasm, glue, method, () => [0, 11]);
}

/**
 * An exported function that calls itself until the stack ends.
 * @param {Uint8Array<ArrayBuffer>} wasm
 * @param {string} glue
 * @param {string} method of a class
 * @param {number} parameters that it has in the wasm
 */
export function withoutEndIn(wasm, glue, method, parameters) {
  const passOn = Array.from({ length: parameters }, (_, place) => [32, place]).flat();
  return withBody(wasm, glue, method, (own) => [...passOn, 16, ...lebBytes(own), 11]);
}

/**
 * @param {Uint8Array<ArrayBuffer>} wasm
 * @param {string} glue
 * @param {string} method
 * @param {(own: number) => number[]} code of a function without locals, by its number
 */
function withBody(wasm, glue, method, code) {
  const call = new RegExp(`\\b${method}\\([^)]*\\)\\s*{[^]*?wasm\\.(\\w+)\\(this\\.__wbg_ptr`);
  const name = call.exec(glue)?.[1];
  const imports = WebAssembly.Module.imports(new WebAssembly.Module(wasm)).filter(
    ({ kind }) => kind === "function",
  ).length;
  let index = -1;
  section(wasm, 7, (content) => {
    let [count, at] = leb(content, 0);
    for (; count > 0; count -= 1) {
      const [length, start] = leb(content, at);
      const own = new TextDecoder().decode(content.slice(start, start + length));
      const [target, end] = leb(content, start + length + 1);
      if (own === name) index = target - imports;
      at = end;
    }
    return [...content];
  });
  return section(wasm, 10, (content) => {
    const [count, first] = leb(content, 0);
    let at = first;
    for (let place = 0; place < count; place += 1) {
      const [length, start] = leb(content, at);
      if (place === index) {
        const body = [0, ...code(index + imports)];
        return [...content.slice(0, at), ...lebBytes(body.length), ...body, ...content.slice(start + length)];
      }
      at = start + length;
    }
    throw new Error(`no function for ${method}`);
  });
}
