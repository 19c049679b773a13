// What is published, and by what.
import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { test } from "node:test";
import { releaseNotes } from "../../tools/release-notes.mjs";

const workflows = new URL("../../.github/workflows/", import.meta.url);

test("every action is pinned by its whole commit, and says its version", async () => {
  for (const name of await readdir(workflows)) {
    const text = await readFile(new URL(name, workflows), "utf8");
    const used = [...text.matchAll(/uses: (.+)/g)].map(([, action]) => action);
    assert.ok(used.length > 0);
    for (const action of used) assert.match(action, /^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/, name);
  }
});

test("a release's notes are its changes and the checksums of what is published", async () => {
  const notes = await releaseNotes();
  assert.match(notes, /^[\s\S]+\n## Checksums\n\n```\n(?:[0-9a-f]{64} {2}\S+\n){3}```$/);
  for (const name of ["comet-tasks-", "comet_tasks.wasm", "comet_tasks_edge.wasm"])
    assert.ok(notes.includes(name));
});
