// Ten thousand tasks may be waited for: each wait costs an entry, not a timer and a future.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { folder } from "./installed.mjs";

const program = fileURLToPath(new URL("support/memory.mjs", import.meta.url));
const entry = pathToFileURL(createRequire(join(folder, "tests.js")).resolve("comet-tasks")).href;

test("a wait holds less than a kilobyte, and all of them one timer", () => {
  const measured = JSON.parse(
    String(execFileSync(process.execPath, ["--expose-gc", program, entry, "5000"])),
  );
  console.log(`bytes for each wait: ${measured.entered}, with a reading ${measured.read}`);
  assert.ok(measured.entered < 1_024, `${measured.entered} bytes`);
  assert.ok(measured.read < 1_024, `${measured.read} bytes with a reading`);
  assert.equal(measured.timers, 1);
});
