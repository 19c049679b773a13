// pollOnce: a wait in steps that a host drives. When the steps ask is compared with the wait in one piece by
// tests/poll_once.rs, in virtual time; here is what a host sees.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { importInstalled } from "./installed.mjs";
import { skipSleeps, stopClock, turn } from "./support/clock.mjs";
import { BASE_URL, json, reading, rejection, stubFetch, succeeded } from "./support/replies.mjs";
import { countListeners, watch } from "./support/trace.mjs";

const { createClient, init } = await importInstalled("comet-tasks");
await init();

/** @type {unknown[]} */
const unhandled = [];
process.on("unhandledRejection", (reason) => unhandled.push(reason));
after(() => assert.deepEqual(unhandled, [], "no rejection is left unhandled"));

const NOW = 1_750_000_000_000;
const ID = "1712345678901234";
const FRESH = /** @type {const} */ ({
  v: 1,
  family: "midjourney",
  kind: "imagine",
  id: ID,
  submittedAt: NOW,
});
const OLD = { ...FRESH, submittedAt: NOW - 60_000 };
const running = (/** @type {number} */ percent) => reading("IN_PROGRESS", { progress: `${percent}%` });
const busy = (/** @type {object} */ headers = {}) => json("{}", 503, /** @type {any} */ (headers));

/** A host: a process for each step, with nothing but what the step before gave out. @param {any} t @param {any[]} answers */
function host(t, ...answers) {
  const clock = stopClock(t, NOW);
  const fetch = stubFetch(...answers);
  const step = async (
    /** @type {any} */ handle,
    /** @type {any} */ state,
    /** @type {any} */ options = {},
  ) => {
    const client = createClient({ baseUrl: BASE_URL, fetch: /** @type {any} */ (fetch) });
    const result = await client.pollOnce(handle, state && JSON.parse(JSON.stringify(state)), options);
    assert.equal(clock.countTimers(), 0, "no timer");
    return /** @type {any} */ (result);
  };
  return { clock, fetch, step };
}

test("a wait goes through its steps to the settled task", async (t) => {
  const { clock, fetch, step } = host(t, running(10), running(60), succeeded());
  let last = await step(FRESH, null);
  assert.deepEqual([last.task, last.done, fetch.calls.length], [null, false, 0]);
  /** @type {string[]} */
  const seen = [];
  while (!last.done) {
    assert.ok(last.waitMs >= 1_000 && last.waitMs <= 30_000, String(last.waitMs));
    clock.tick(last.waitMs);
    last = await step(FRESH, last.state);
    seen.push(`${last.task.status} ${last.task.progress}`);
  }
  assert.deepEqual(seen, ["running 10", "running 60", "succeeded 100"]);
  assert.deepEqual([last.state, last.waitMs, fetch.calls.length], [null, 0, 3]);
  assert.deepEqual(last.task.images, ["https://cdn.example/1.png"]);
  assert.equal(last.task.raw.status, "SUCCESS");
});

test("it asks when poll asks", async (t) => {
  const clock = stopClock(t, NOW);
  const service = async (/** @type {any} */ times) => {
    times.push(clock.now - NOW);
    return clock.now - NOW > 75_000 ? succeeded() : running(Math.floor((clock.now - NOW) / 1_000));
  };
  t.mock.method(Math, "random", () => 0.5);
  /** @type {number[][]} */
  const [whole, steps] = [[], []];
  const client = createClient({
    baseUrl: BASE_URL,
    fetch: () => service(whole),
    onEvent: skipSleeps(clock),
  });
  await client.poll(FRESH);
  clock.setSystemTime(NOW);
  const stepper = createClient({ baseUrl: BASE_URL, fetch: () => service(steps) });
  for (let state = null; ;) {
    const last = await stepper.pollOnce(FRESH, state);
    if (last.done) break;
    state = last.state;
    clock.setSystemTime(clock.now + last.waitMs);
  }
  assert.ok(whole.length > 4, whole.join());
  assert.deepEqual(steps, whole);
});

test("a step before its time asks nothing and gives the rest", async (t) => {
  const { clock, fetch, step } = host(t, running(10));
  const first = await step(OLD, null);
  clock.tick(first.waitMs - 300);
  const early = await step(OLD, first.state);
  assert.deepEqual([early.task, early.done, early.waitMs, fetch.calls.length], [null, false, 300, 1]);
  assert.deepEqual(early.state, first.state);
});

test("the state is small plain JSON", async (t) => {
  const { step } = host(t, running(10));
  const { state } = await step(OLD, null);
  assert.deepEqual(structuredClone(state), state);
  assert.ok(JSON.stringify(state).length < 1024, JSON.stringify(state));
  assert.equal(JSON.stringify(state).includes(ID), false);
});

test("a failed, a canceled and an unanswered task are results", async (t) => {
  const { step } = host(
    t,
    reading("FAILURE", { failReason: "no luck" }),
    reading("CANCEL"),
    reading("MODAL"),
  );
  const failed = await step(OLD, null);
  assert.deepEqual(
    [failed.done, failed.task.status, failed.task.failure.message],
    [true, "failed", "no luck"],
  );
  assert.equal((await step(OLD, null)).task.status, "canceled");
  assert.equal((await step(OLD, null, { throwOnFailure: true })).task.status, "action_required");
});

test("a failure that passes lengthens the wait, and is no end however often it comes", async (t) => {
  const broken = new TypeError("no way");
  const { clock, step } = host(
    t,
    busy(),
    broken,
    ...Array(8).fill(() => busy()),
    busy({ "Retry-After": "33" }),
    succeeded(),
  );
  /** @type {any} */
  let state = null;
  for (let failures = 0; failures < 10; failures += 1) {
    const last = await step(OLD, state);
    assert.deepEqual([last.task, last.done], [null, false]);
    assert.ok(last.waitMs >= 0 && last.waitMs <= 30_000);
    state = last.state;
    clock.tick(60_000);
  }
  const told = await step(OLD, state);
  assert.equal(told.waitMs, 33_000);
  clock.tick(33_000);
  assert.equal((await step(OLD, told.state)).done, true);
});

test("the deadline is that of the first step", async (t) => {
  const { clock, step } = host(t, running(1), running(2));
  const first = await step(OLD, null, { timeoutMs: 20_000 });
  clock.tick(19_999);
  const second = await step(OLD, first.state, { timeoutMs: 3_600_000 });
  assert.deepEqual([second.done, second.waitMs], [false, 1]);
  clock.tick(1);
  const error = await rejection(step(OLD, second.state));
  assert.deepEqual([error.code, error.retryable, error.handle.id], ["deadline", true, ID]);
  assert.equal(error.task.progress, 2);
});

test("a request that the deadline overtakes ends with it", async (t) => {
  const { clock, step } = host(t, () => new Promise(() => {}));
  const call = watch(step(OLD, null, { timeoutMs: 4_000 }));
  for (let turned = 0; turned < 5; turned += 1) await turn();
  clock.tick(4_000);
  for (let turned = 0; turned < 5; turned += 1) await turn();
  assert.equal(call.reason?.code, "deadline");
  assert.equal(clock.countTimers(), 0);
});

test("a state that is unknown or damaged starts anew with the deadline that can be read", async (t) => {
  const { clock, step } = host(t, ...Array(8).fill(() => running(1)));
  /** @type {any} */
  const circular = {};
  circular.self = circular;
  for (const state of [{}, { v: 7, deadline: NOW + 10_000 }, { deadline: "soon" }, { v: 1, n: [1] }]) {
    const last = await step(OLD, state);
    assert.deepEqual([last.done, last.task.progress], [false, 1], JSON.stringify(state));
  }
  const client = createClient({ baseUrl: BASE_URL, fetch: /** @type {any} */ (stubFetch(running(1))) });
  assert.equal((await client.pollOnce(OLD, circular)).done, false);
  clock.tick(10_000);
  const error = await rejection(step(OLD, { v: 7, deadline: NOW + 10_000 }));
  assert.equal(error.code, "deadline");
});

test("a state that is no object is a validation error, and nothing is sent", async (t) => {
  const { fetch, step } = host(t);
  for (const state of ["{}", 1, true, [], [1]]) {
    const error = await rejection(step(OLD, state));
    assert.deepEqual([error.code, error.details.field], ["validation", "state"], JSON.stringify(state));
  }
  for (const [handle, options] of [
    ["", {}],
    [OLD, { intervalMs: 0 }],
    [OLD, null],
    [undefined, {}],
  ]) {
    assert.equal((await rejection(step(handle, null, options))).code, "validation");
  }
  assert.equal(fetch.calls.length, 0);
});

test("what would not change with time is thrown with the handle", async (t) => {
  const unknown = json({ description: "task_no_found ", type: "upstream_error", code: 4 }, 400);
  const { step } = host(t, json({}, 401), json({}, 403), unknown, running(1));
  for (const code of ["unauthorized", "forbidden", "not_found"]) {
    const error = await rejection(step(OLD, null));
    assert.deepEqual([error.code, error.handle.id], [code, ID]);
  }
  assert.equal((await rejection(step(OLD, null, { maxRequests: 1 }))).code, "request_budget");
});

test("an unknown id is waited for while the task is fresh", async (t) => {
  const unknown = json({ description: "task_no_found ", type: "upstream_error", code: 4 }, 400);
  const { clock, step } = host(t, unknown, succeeded());
  const first = await step({ ...FRESH, submittedAt: NOW - 2_000 }, null, { intervalMs: 1_000 });
  assert.deepEqual([first.task, first.done], [null, false]);
  clock.tick(first.waitMs);
  assert.equal(
    (await step({ ...FRESH, submittedAt: NOW - 2_000 }, first.state, { intervalMs: 1_000 })).done,
    true,
  );
});

test("onUpdate is told of news only", async (t) => {
  const { clock, step } = host(t, running(1), running(1), running(2));
  /** @type {number[]} */
  const told = [];
  const options = { intervalMs: 1_000, onUpdate: (/** @type {any} */ { progress }) => told.push(progress) };
  /** @type {any} */
  let state = null;
  for (let steps = 0; steps < 3; steps += 1) {
    ({ state } = await step(OLD, state, options));
    clock.tick(1_000);
  }
  assert.deepEqual(told, [1, 2]);
  const thrown = new Error("no");
  const client = createClient({ baseUrl: BASE_URL, fetch: async () => running(3) });
  const onUpdate = () => {
    throw thrown;
  };
  assert.equal(await rejection(client.pollOnce(OLD, state, { onUpdate })), thrown);
});

test("a bare id is asked for at once", async (t) => {
  const { fetch, step } = host(t, running(1));
  assert.equal((await step(ID, null)).task.progress, 1);
  assert.equal(fetch.calls.length, 1);
});

test("an abort rejects with its reason in the same turn, and leaves nothing behind", async (t) => {
  const clock = stopClock(t, NOW);
  const controller = new AbortController();
  const count = countListeners(controller.signal);
  const fetch = stubFetch(() => new Promise(() => {}));
  const client = createClient({ baseUrl: BASE_URL, fetch: /** @type {any} */ (fetch) });
  const call = watch(client.pollOnce(OLD, null, { signal: controller.signal }));
  for (let turned = 0; turned < 5; turned += 1) await turn();
  controller.abort("enough");
  await turn();
  assert.equal(call.reason, "enough");
  assert.deepEqual([clock.countTimers(), count.listeners], [0, 0]);
  assert.equal(
    await rejection(client.pollOnce(OLD, null, { signal: AbortSignal.abort("before") })),
    "before",
  );
  assert.equal(fetch.calls.length, 1);
});
