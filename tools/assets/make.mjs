// Makes the sandbox's clips, as a module: `node tools/assets/make.mjs`, ffmpeg needed. It is committed, because the sandbox
// must work where there is no file to read. Pictures the sandbox draws by itself.

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { soft } from "../../pkg/src/sandbox/png.js";
import { colourAt, moods } from "../../pkg/src/sandbox/scene.js";

/** @typedef {import("../../pkg/src/sandbox/png.js").Rgb} Rgb */

const TARGET = fileURLToPath(new URL("../../pkg/src/sandbox/assets/", import.meta.url));
const CLIP = { width: 320, height: 184, frames: 16, rate: 8 };

main();

function main() {
  mkdirSync(TARGET, { recursive: true });
  const clips = moods.map(encodeClip);
  console.log(clips.map(({ length }) => length).join(" "));
  const letters = clips.map((clip) => `  "${clip.toString("base64")}",\n`).join("");
  const head =
    "// Made by tools/assets/make.mjs, from arithmetic alone: free of rights. Base64, read by ../files.js.\n";
  writeFileSync(join(TARGET, "clips.js"), `${head}export const clips = [\n${letters}];\n`);
}

/** @param {number} width @param {number} height @param {import("../../pkg/src/sandbox/png.js").Scene} colour */
function draw(width, height, colour) {
  const pixels = Buffer.alloc(width * height * 3);
  for (let i = 0; i < width * height; i += 1) {
    const pixel = soft(i % width, Math.floor(i / width), width, height, colour);
    pixels.set(pixel.map(Math.round), i * 3);
  }
  return pixels;
}

/**
 * H.264, the one form that every browser engine plays; bit exact, so that a second run changes nothing.
 * @param {import("../../pkg/src/sandbox/scene.js").Mood} mood
 */
function encodeClip(mood) {
  const { width, height, frames, rate } = CLIP;
  const [discX, discY, radius] = mood.disc;
  /** @type {import("../../pkg/src/sandbox/scene.js").Mood} */
  const wide = { ...mood, disc: [discX, discY / 2 + 0.24, radius] };
  const folder = mkdtempSync(join(tmpdir(), "clip-"));
  const shots = Array.from({ length: frames }, (_, frame) => {
    const colour = (/** @type {number} */ x, /** @type {number} */ y) =>
      colourAt(wide, x, ((y - 0.5) * height) / width + 0.6, frame / frames);
    return draw(width, height, colour);
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
