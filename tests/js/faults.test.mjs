// Scripts of faults, drawn by seed: whatever the service does to a submit, its readings and its files, a call ends in a
// result that is right, or in an error that says the truth. `npm run test:all` draws ten times as many, and new ones.
import assert from "node:assert/strict";
import { test } from "node:test";
import { importInstalled } from "./installed.mjs";
import { stopClock } from "./support/clock.mjs";
import { createBucket, createScene, passing } from "./support/keeping.mjs";

const { createClient, isCometError, parseWebhook, supersedes } = await importInstalled("comet-tasks");

const isAll = process.env.COMET_TEST_ALL === "1";
const first = isAll ? Date.now() % 1_000_000_000 : 1;
const seeds = Array.from({ length: isAll ? 500 : 50 }, (_, at) => first + at);

/** The same numbers for the same seed. @param {number} seed */
function dice(seed) {
  let state = seed;
  return (/** @type {number} */ sides) => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) | 0;
    return ((state ^ (state >>> 13)) >>> 0) % sides;
  };
}

/** @param {(sides: number) => number} roll @returns {any} */
function fault(roll) {
  const on = ["submit", "read", "read", "asset", "asset"][roll(5)];
  const status = [429, 429, 500, 502, 503, 504, 404, 403, 401][roll(9)];
  const kinds = [
    "drop_before",
    "drop_after",
    "stall",
    { truncateAt: roll(400) },
    { contentType: ["text/html", "application/json", "video/mp4", ""][roll(4)] },
    { status, headers: { "Retry-After": `${roll(4)}` } },
    { status, body: "<html>busy</html>" },
    on === "asset" ? "expire" : { status: 429 },
  ];
  return { on, at: 1 + roll(on === "submit" ? 2 : 5), do: kinds[roll(kinds.length)] };
}

for (const seed of seeds) {
  test(`seed ${seed}: a right result, or an error that says the truth`, async (t) => {
    const roll = dice(seed);
    const faults = Array.from({ length: 1 + roll(6) }, () => fault(roll));
    t.diagnostic(`seed ${seed}: ${JSON.stringify(faults)}`);
    const clock = stopClock(t, 1_773_314_942_177);
    /** @type {Request[]} */
    const hooks = [];
    const notify = async (/** @type {Request} */ hook) => void hooks.push(hook);
    const { client, sandbox } = createScene(createClient, { faults, now: Date.now, notify });
    const bucket = createBucket();
    const params = { prompt: "a boat", notifyHook: "https://own.example/hook" };
    const kind = /** @type {const} */ (["imagine", "veo"])[roll(2)];
    const call = /** @type {any} */ (
      kind === "veo" ? { kind, params: { prompt: "a boat" } } : { kind, params }
    );
    const work = async () => {
      const task = await client.run(call);
      return { task, kept: await client.persist(task, bucket) };
    };
    const end = await passing(clock, work()).catch((error) => ({ error }));
    assert.ok(sandbox.submits <= 1, `${sandbox.submits} submits`);
    if ("error" in end) checkError(end.error, sandbox.submits);
    else await checkKept(end, sandbox, bucket);
    for (const { bytes } of bucket.held.values()) assert.ok(bytes.length > 1000, "a part was stored");
    await checkHooks(hooks, roll);
  });
}

/** @param {any} error @param {number} submits */
function checkError(error, submits) {
  assert.ok(isCometError(error), String(error));
  // Whoever sends again after "not ambiguous" and no handle pays once.
  if (!error.ambiguous && !error.handle) assert.equal(submits, 0, `${error.code}: a task exists`);
  if (error.handle) assert.equal(submits, 1, `${error.code}: no task exists`);
  if (error.retryable && !error.handle) assert.equal(submits, 0, `${error.code} is retryable`);
}

/** @param {any} end @param {any} sandbox @param {ReturnType<typeof createBucket>} bucket */
async function checkKept({ task, kept }, sandbox, bucket) {
  assert.equal(task.status, "succeeded");
  assert.equal(kept.length, Math.max(1, task.images.length + task.videos.length));
  for (const { key, contentType, bytes } of kept) {
    assert.equal(bucket.held.get(key)?.bytes.length, bytes);
    assert.equal(contentType, key.endsWith(".png") ? "image/png" : "video/mp4");
  }
}

/**
 * Hooks come twice and in any order; the newest reading wins whatever the order.
 * @param {Request[]} hooks @param {(sides: number) => number} roll
 */
async function checkHooks(hooks, roll) {
  const bodies = await Promise.all(hooks.map((hook) => hook.text()));
  const shuffled = [...bodies, ...bodies]
    .map((body) => ({ body, place: roll(1000) }))
    .sort((a, b) => a.place - b.place);
  /** @type {any} */
  let shown;
  for (const { body } of shuffled) {
    const task = await parseWebhook(body);
    if (!shown || supersedes(shown, task)) shown = task;
  }
  const statuses = await Promise.all(bodies.map(async (body) => (await parseWebhook(body)).status));
  if (statuses.includes("succeeded")) assert.equal(shown.status, "succeeded");
}
