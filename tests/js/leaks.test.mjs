// A client that was closed, or that nobody uses any more, goes with its instance, and leaves nothing that grows.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { folder } from "./installed.mjs";

const program = fileURLToPath(new URL("support/client-leaks.mjs", import.meta.url));
const entry = pathToFileURL(createRequire(join(folder, "tests.js")).resolve("comet-tasks")).href;
/** What the heap differs by from one forced collection to the next. */
const NOISE_BYTES = 200_000;

/** @param {string[]} place @returns {any} */
function measure(...place) {
  return JSON.parse(String(execFileSync(process.execPath, ["--expose-gc", program, entry, ...place])));
}

test("a closed client and its instance are collected, with a request open or not", () => {
  assert.deepEqual(measure().closed, { collected: ["closed", "open"], instances: 0 });
});

for (const place of [[], ["page"]]) {
  test(`a thousand clients dropped without close hold what a hundred do ${place}`.trim(), () => {
    const { hundred, thousand } = measure(...place).dropped;
    console.log(`bytes after 100 clients: ${hundred.bytes}, after 1,000: ${thousand.bytes}`);
    assert.ok(thousand.bytes < hundred.bytes + NOISE_BYTES, `${hundred.bytes}, then ${thousand.bytes}`);
    assert.deepEqual([thousand.instances, thousand.listeners], [0, 0]);
  });
}
