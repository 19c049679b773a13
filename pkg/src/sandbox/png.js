// A PNG writer for flat art, at once and in any host. Deflate's own fixed code, with one kind of match: the pixel before, again.

/** @typedef {[number, number, number]} Rgb */
/** @typedef {(x: number, y: number) => Rgb} Scene the colour at a point; both run 0..1 */

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
/** Eight bits for each of red, green and blue; no interlacing. */
const TRUE_COLOUR = [8, 2, 0, 0, 0];

/**
 * A square picture.
 * @param {number} size in pixels
 * @param {Scene} scene
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function drawPng(size, scene) {
  const header = [...fourBytes(size), ...fourBytes(size), ...TRUE_COLOUR];
  const data = deflate(draw(size, scene));
  return Uint8Array.from([SIGNATURE, chunk("IHDR", header), chunk("IDAT", data), chunk("IEND", [])].flat());
}

/** Rows of pixels, each after a byte that says it has no filter. @param {number} size @param {Scene} scene */
function draw(size, scene) {
  const rows = new Uint8Array((3 * size + 1) * size);
  /** @type {Rgb[]} */
  const above = Array(size);
  for (let y = 0; y < size; y += 1) {
    for (let x = 0; x < size; x += 1) {
      const colour = scene((x + 0.5) / size, (y + 0.5) / size);
      const isFlat = isSame(colour, above[x]) && isSame(colour, above[x - 1]);
      above[x] = colour;
      rows.set(isFlat ? colour : soft(x, y, size, size, scene), (3 * size + 1) * y + 1 + 3 * x);
    }
  }
  return rows;
}

/** @param {Rgb} a @param {Rgb | undefined} b */
function isSame(a, b) {
  return a[0] === b?.[0] && a[1] === b[1] && a[2] === b[2];
}

/**
 * The mean of four points, which softens an edge.
 * @param {number} x @param {number} y @param {number} width in pixels @param {number} height
 * @param {Scene} scene
 */
export function soft(x, y, width, height, scene) {
  const sum = [0, 0, 0];
  for (const down of [0.25, 0.75]) {
    for (const right of [0.25, 0.75]) {
      scene((x + right) / width, (y + down) / height).forEach((value, at) => (sum[at] += value / 4));
    }
  }
  return sum;
}

/** As zlib frames it. @param {Uint8Array} bytes */
function deflate(bytes) {
  const out = [0x78, 0x01];
  let [bits, count] = [0, 0];
  /** From its lowest bit, as all but codes go out. @param {number} value @param {number} width */
  const put = (value, width) => {
    bits |= value << count;
    for (count += width; count >= 8; count -= 8) {
      out.push(bits & 255);
      bits >>= 8;
    }
  };
  /** @param {number} value @param {number} width */
  const code = (value, width) => {
    for (let bit = width - 1; bit >= 0; bit -= 1) put((value >> bit) & 1, 1);
  };
  /** A byte, the end (256), or a match's length. @param {number} symbol */
  const symbol = (symbol) => {
    if (symbol < 144) code(48 + symbol, 8);
    else if (symbol < 256) code(256 + symbol, 9);
    else if (symbol < 280) code(symbol - 256, 7);
    else code(symbol - 88, 8);
  };
  put(0b011, 3); // one block, the last, in the fixed code
  for (let at = 0; at < bytes.length;) {
    const run = runAt(bytes, at);
    if (run < 3) {
      symbol(bytes[at]);
      at += 1;
      continue;
    }
    const extra = Math.max(0, 29 - Math.clz32(run - 3));
    symbol(257 + 4 * extra + ((run - 3) >> extra));
    put((run - 3) & ((1 << extra) - 1), extra);
    code(2, 5); // the distance: three bytes
    at += run;
  }
  symbol(256);
  put(0, 7);
  return [...out, ...fourBytes(adler32(bytes))];
}

/** How many bytes from `at` on are those of a pixel before; 257 is the longest with a rule. @param {Uint8Array} bytes @param {number} at */
function runAt(bytes, at) {
  let run = 0;
  while (run < 257 && at > 2 && bytes[at + run] === bytes[at + run - 3]) run += 1;
  return run;
}

/** @param {string} type @param {number[]} data */
function chunk(type, data) {
  const body = [...Array.from(type, (letter) => letter.charCodeAt(0)), ...data];
  return [...fourBytes(data.length), ...body, ...fourBytes(crc32(body))];
}

/** @param {number} value */
function fourBytes(value) {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255);
}

/** @param {number[]} bytes */
function crc32(bytes) {
  let sum = -1;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = (sum >>> 1) ^ (0xedb88320 & -(sum & 1));
  }
  return ~sum;
}

/** @param {Uint8Array} bytes */
function adler32(bytes) {
  let [low, high] = [1, 0];
  for (const byte of bytes) {
    low = (low + byte) % 65521;
    high = (high + low) % 65521;
  }
  return high * 65536 + low;
}
