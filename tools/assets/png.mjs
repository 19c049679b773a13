// A PNG writer for flat art: one palette, no filter, which for pictures of this kind is far smaller than true
// colour.

import { crc32, deflateSync } from "node:zlib";

/**
 * @param {{ width: number, height: number, pixels: Buffer }} image RGB, row by row
 * @param {number} most colours, 256 or fewer: each more breaks the runs that compress
 */
export function encodePng({ width, height, pixels }, most) {
  const { palette, indexOf } = paletteOf(pixels, most);
  const rows = Buffer.alloc(height * (width + 1));
  for (let i = 0; i < width * height; i += 1) {
    rows[Math.floor(i / width) * (width + 1) + 1 + (i % width)] = indexOf(colourOf(pixels, i));
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const bytes = Buffer.from(palette.flatMap((colour) => [colour >> 16, (colour >> 8) & 255, colour & 255]));
  const data = deflateSync(rows, { level: 9, memLevel: 9 });
  return Buffer.concat([
    signature,
    chunk("IHDR", header),
    chunk("PLTE", bytes),
    chunk("IDAT", data),
    chunk("IEND"),
  ]);
}

/**
 * The most frequent colours; the rest, all on softened edges, take their nearest neighbour.
 * @param {Buffer} pixels
 * @param {number} most
 */
function paletteOf(pixels, most) {
  /** @type {Map<number, number>} */
  const counts = new Map();
  for (let i = 0; i < pixels.length / 3; i += 1) {
    const colour = colourOf(pixels, i);
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  const palette = [...counts]
    .sort((a, b) => b[1] - a[1])
    .slice(0, most)
    .map(([colour]) => colour);
  const known = new Map(palette.map((colour, index) => [colour, index]));
  const indexOf = (/** @type {number} */ colour) => {
    const index = known.get(colour) ?? nearest(palette, colour);
    known.set(colour, index);
    return index;
  };
  return { palette, indexOf };
}

/** As one number. @param {Buffer} pixels @param {number} i */
function colourOf(pixels, i) {
  return (pixels[i * 3] << 16) | (pixels[i * 3 + 1] << 8) | pixels[i * 3 + 2];
}

/** @param {number[]} palette @param {number} colour */
function nearest(palette, colour) {
  const distance = (/** @type {number} */ other) =>
    [16, 8, 0].reduce((sum, shift) => sum + (((colour >> shift) & 255) - ((other >> shift) & 255)) ** 2, 0);
  return palette.reduce(
    (best, other, index) => (distance(other) < distance(palette[best]) ? index : best),
    0,
  );
}

/** @param {string} type @param {Buffer} [data] */
function chunk(type, data = Buffer.alloc(0)) {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}
