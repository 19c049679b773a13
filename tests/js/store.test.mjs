// The store's own rules, where there is no browser: what it does over tabs and reloads is tried in one (browser/store.test.mjs).
import assert from "node:assert/strict";
import { test } from "node:test";
import { folder } from "./installed.mjs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { turn } from "./support/clock.mjs";

const { createStore } = await import(
  pathToFileURL(join(folder, "node_modules/comet-tasks/dist/store.js")).href
);

const HANDLE = { v: 1, family: "midjourney", kind: "action", id: "1773314942177684", submittedAt: 1_000_000 };
const READING = { handle: HANDLE, status: "action_required", progress: null, images: [] };
let stores = 0;

/** A store in memory, and a channel on which another tab of it would speak. @param {import("node:test").TestContext} t */
function open(t) {
  const name = `node-${process.pid}-${(stores += 1)}`;
  const client = { poll: () => new Promise(() => {}) };
  const store = createStore(client, { name, onError: () => {} });
  const tab = new BroadcastChannel(`comet-tasks:${name}`);
  t.after(() => (store.close(), tab.close()));
  return { store, tab };
}

/** A channel's messages take a few turns. @param {() => Promise<boolean>} isTrue */
async function until(isTrue) {
  for (let turns = 0; turns < 1000; turns += 1) {
    if (await isTrue()) return;
    await turn();
  }
  assert.fail("it never came to that");
}

for (const submittedAt of [HANDLE.submittedAt + 1, HANDLE.submittedAt, HANDLE.submittedAt - 60_000]) {
  test(`an answer's handle takes the question's place, and not the other way about, submitted at ${submittedAt}`, async (t) => {
    const { store } = open(t);
    const answered = { ...HANDLE, kind: "modal", submittedAt };
    for (const handle of [HANDLE, answered, HANDLE]) await store.add(handle);
    const [{ handle }] = await store.all();
    assert.deepEqual(handle, answered);
  });
}

test("what another tab says is believed as far as it makes sense", async (t) => {
  const { store, tab } = open(t);
  await store.add(HANDLE);
  for (const odd of [null, 7, {}, { type: "add" }, { type: "add", handle: { id: "9" } }, { type: "read" }]) {
    tab.postMessage(odd && { v: 1, ...Object(odd) });
  }
  tab.postMessage({ v: 2, type: "remove", id: HANDLE.id });
  tab.postMessage({ v: 1, type: "read", tasks: [null, {}, { handle: HANDLE }, READING] });
  tab.postMessage({ v: 1, type: "error" });
  await until(async () => (await store.all())[0].status === "action_required");
  assert.equal((await store.all()).length, 1);
});
