// The code of persist is a file of its own, loaded by the first call.
import assert from "node:assert/strict";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { folder } from "./installed.mjs";
import { createBucket, createScene } from "./support/keeping.mjs";
import { rejection } from "./support/replies.mjs";

test("where the package's own file for it cannot be loaded, persist says so and may be called again", async (t) => {
  const copy = await mkdtemp(join(tmpdir(), "comet-tasks-"));
  t.after(() => rm(copy, { recursive: true }));
  await cp(join(folder, "node_modules/comet-tasks"), copy, { recursive: true });
  await rm(join(copy, "dist/persist.js"));
  const { createClient } = await import(pathToFileURL(join(copy, "dist/index.js")).href);
  const { client, picture } = createScene(createClient);
  const error = await rejection(client.persist(await picture(), createBucket()));
  assert.deepEqual([error.code, error.operation, error.retryable], ["network", "persist", true]);
  assert.match(error.message, /persist\.js could not be loaded/);
  client.close();
});
