// Ten thousand tasks may be waited for: each wait costs an entry, not a timer and a future.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { folder } from "./installed.mjs";

const programs = new URL("support/", import.meta.url);
const entry = pathToFileURL(createRequire(join(folder, "tests.js")).resolve("comet-tasks")).href;
/** Of linear memory, in bytes. */
const PAGE = 65_536;

/** @param {string} name @param {string[]} args @returns {any} */
function measure(name, ...args) {
  const program = fileURLToPath(new URL(name, programs));
  return JSON.parse(String(execFileSync(process.execPath, ["--expose-gc", program, entry, ...args])));
}

test("a wait holds less than a kilobyte, and all of them one timer", () => {
  const measured = measure("memory.mjs", "5000");
  console.log(`bytes for each wait: ${measured.entered}, with a reading ${measured.read}`);
  assert.ok(measured.entered < 1_024, `${measured.entered} bytes`);
  // The row that was read last is kept as it was written, 75 bytes of it here.
  assert.ok(measured.read < 1_024 + 75, `${measured.read} bytes with a reading`);
  assert.equal(measured.timers, 1);
});

test("reading a thousand tasks by themselves until they end takes no memory that reading each once did not", () => {
  const { read, ended, requests } = measure("linear-memory.mjs", "1000");
  console.log(`linear memory: ${read} bytes after a reading each, ${ended} after ${requests} requests`);
  assert.ok(requests > 10_000, `${requests} requests`);
  assert.ok(ended <= read + 4 * PAGE, `${read} bytes, then ${ended}`);
  assert.ok(ended < 4_000_000, `${ended} bytes`);
});
