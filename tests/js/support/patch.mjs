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
 * @param {string} name
 * @param {number} [first] only where its first argument is this
 */
export function withPanicIn(wasm, glue, name, first) {
  return withStart(wasm, glue, name, first, () => [0]);
}

/**
 * An exported function that calls itself until the stack ends.
 * @param {Uint8Array<ArrayBuffer>} wasm
 * @param {string} glue
 * @param {string} name
 * @param {number} first only where its first argument is this
 * @param {number} parameters that it has in the wasm
 */
export function withoutEndIn(wasm, glue, name, first, parameters) {
  const passOn = Array.from({ length: parameters }, (_, place) => [32, place]).flat();
  return withStart(wasm, glue, name, first, (own) => [...passOn, 16, ...lebBytes(own), 26]);
}

/**
 * @param {Uint8Array<ArrayBuffer>} wasm
 * @param {string} glue
 * @param {string} name
 * @param {number | undefined} first
 * @param {(own: number) => number[]} start what it does before anything else, by its number
 */
function withStart(wasm, glue, name, first, start) {
  return withBody(wasm, glue, name, (own, locals, code) => [
    ...locals,
    ...(first === undefined ? start(own) : [32, 0, 65, ...lebBytes(first), 70, 4, 64, ...start(own), 11]),
    ...code,
  ]);
}

/**
 * @param {Uint8Array<ArrayBuffer>} wasm
 * @param {string} glue
 * @param {string} method
 * @param {(own: number, locals: Uint8Array, code: Uint8Array) => number[]} change of the function, by its number
 */
function withBody(wasm, glue, method, change) {
  const call = new RegExp(`\\b${method}\\([^)]*\\)\\s*{[^]*?wasm\\.(\\w+)\\((?:this\\.__wbg_ptr|val)`);
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
        const end = start + length;
        const code = afterLocals(content, start);
        const body = change(index + imports, content.slice(start, code), content.slice(code, end));
        return [...content.slice(0, at), ...lebBytes(body.length), ...body, ...content.slice(start + length)];
      }
      at = start + length;
    }
    throw new Error(`no function for ${method}`);
  });
}

/** Where a function's instructions begin. @param {Uint8Array} content @param {number} at where the function does */
function afterLocals(content, at) {
  let [kinds, end] = leb(content, at);
  // Each a number of locals and their type, which is one byte.
  for (; kinds > 0; kinds -= 1) end = leb(content, end)[1] + 1;
  return end;
}
