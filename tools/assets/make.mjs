// Makes the sandbox's pictures and clips, as base64 modules: `node tools/assets/make.mjs`, ffmpeg needed.
// The modules are committed, because the sandbox must work where there is no file to read.

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { encodePng } from "./png.mjs";
import { colourAt, moods } from "./scene.mjs";

/** @typedef {import("./scene.mjs").Rgb} Rgb */

const TARGET = fileURLToPath(new URL("../../pkg/src/sandbox/assets/", import.meta.url));
const CLIP = { width: 320, height: 184, frames: 24, rate: 10 };
const PICTURE = 320;

main();

function main() {
  mkdirSync(TARGET, { recursive: true });
  const picture = (/** @type {import("./scene.mjs").Mood} */ mood) =>
    draw(PICTURE, PICTURE, (x, y) => colourAt(mood, x, y, 0.15));
  const pictures = moods.map((mood) => encodePng(picture(mood), 32));
  const grid = (/** @type {number} */ size) => encodePng(draw(size, size, gridColour), 128);
  writeModule("pictures", { grid: [grid(384)], preview: [grid(64)], pictures });
  writeModule("clips", { clips: moods.map(encodeClip) });
}

/**
 * Four moods, two by two, with a thin gap, as the service lays out a first result.
 * @param {number} x @param {number} y @returns {Rgb}
 */
function gridColour(x, y) {
  const gap = 0.006;
  const [column, row] = [x < 0.5 ? 0 : 1, y < 0.5 ? 0 : 1];
  if (Math.abs(x - 0.5) < gap / 2 || Math.abs(y - 0.5) < gap / 2) return [255, 255, 255];
  return colourAt(moods[row * 2 + column], x * 2 - column, y * 2 - row, 0.15);
}

/**
 * Each pixel is the mean of four points, which softens the edges.
 * @param {number} width @param {number} height @param {(x: number, y: number) => Rgb} colour
 */
function draw(width, height, colour) {
  const pixels = Buffer.alloc(width * height * 3);
  for (let i = 0; i < width * height; i += 1) {
    const sum = [0, 0, 0];
    for (let point = 0; point < 4; point += 1) {
      const x = ((i % width) + (point % 2) / 2 + 1 / 4) / width;
      const y = (Math.floor(i / width) + Math.floor(point / 2) / 2 + 1 / 4) / height;
      colour(x, y).forEach((value, channel) => (sum[channel] += value));
    }
    sum.forEach((value, channel) => (pixels[i * 3 + channel] = Math.round(value / 4)));
  }
  return { width, height, pixels };
}

/**
 * H.264, the one form that every browser engine plays; bit exact, so that a second run changes nothing.
 * @param {import("./scene.mjs").Mood} mood
 */
function encodeClip(mood) {
  const { width, height, frames, rate } = CLIP;
  const [discX, discY, radius] = mood.disc;
  /** @type {import("./scene.mjs").Mood} */
  const wide = { ...mood, disc: [discX, discY / 2 + 0.24, radius] };
  const folder = mkdtempSync(join(tmpdir(), "clip-"));
  const shots = Array.from({ length: frames }, (_, frame) => {
    const colour = (/** @type {number} */ x, /** @type {number} */ y) =>
      colourAt(wide, x, ((y - 0.5) * height) / width + 0.6, frame / frames);
    return draw(width, height, colour).pixels;
  });
  const input = [
    "-f",
    "rawvideo",
    "-pix_fmt",
    "rgb24",
    "-s",
    `${width}x${height}`,
    "-r",
    `${rate}`,
    "-i",
    "-",
  ];
  const codec = ["-c:v", "libx264", "-profile:v", "main", "-tune", "animation", "-pix_fmt", "yuv420p"];
  const small = ["-preset", "veryslow", "-crf", "38"];
  const exact = [
    "-threads",
    "1",
    "-fflags",
    "+bitexact",
    "-flags:v",
    "+bitexact",
    "-bsf:v",
    "filter_units=remove_types=6",
  ];
  const file = join(folder, "clip.mp4");
  const all = ["-v", "error", ...input, ...codec, ...small, ...exact, "-movflags", "+faststart", file];
  const run = spawnSync("ffmpeg", all, { input: Buffer.concat(shots) });
  if (run.status !== 0) throw new Error(`ffmpeg: ${run.error?.message ?? run.stderr}`);
  const bytes = readFileSync(file);
  rmSync(folder, { recursive: true });
  return bytes;
}

/** @param {string} name @param {Record<string, Buffer[]>} groups */
function writeModule(name, groups) {
  const head =
    "// Made by tools/assets/make.mjs, from arithmetic alone: free of rights. Base64, read by ../files.js.\n";
  const parts = Object.entries(groups).map(([key, files]) => {
    console.log(name, key, files.map((file) => file.length).join(" "));
    return `export const ${key} = [\n${files.map((file) => `  "${file.toString("base64")}",\n`).join("")}];\n`;
  });
  writeFileSync(join(TARGET, `${name}.js`), head + parts.join(""));
}
