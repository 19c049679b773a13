// watch: the wait of poll as readings. That an abort and a close end it at each of its waiting points is checked with all
// other calls in lifecycle.test.mjs; here return() does.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { importInstalled } from "./installed.mjs";
import { skipSleeps, stopClock, turn } from "./support/clock.mjs";
import { BASE_URL, json, reading, rejection, stubFetch, succeeded } from "./support/replies.mjs";
import { World, countListeners, watch } from "./support/trace.mjs";

const { createClient, init } = await importInstalled("comet-tasks");
await init();

/** @type {unknown[]} */
const unhandled = [];
process.on("unhandledRejection", (reason) => unhandled.push(reason));
after(() => assert.deepEqual(unhandled, [], "no rejection is left unhandled"));

const ID = "1712345678901234";
const running = (/** @type {number} */ percent) => reading("IN_PROGRESS", { progress: `${percent}%` });

/** A client whose sleeps pass at once. @param {any} t @param {any[]} answers */
function scene(t, ...answers) {
  const clock = stopClock(t);
  const fetch = stubFetch(...answers);
  const client = createClient({
    baseUrl: BASE_URL,
    fetch: /** @type {any} */ (fetch),
    onEvent: skipSleeps(clock),
  });
  return { clock, fetch, client };
}

/** A client whose time stands still. @param {any} t @param {any[]} answers */
function still(t, ...answers) {
  const clock = stopClock(t);
  const fetch = stubFetch(...answers);
  return { clock, fetch, client: createClient({ baseUrl: BASE_URL, fetch: /** @type {any} */ (fetch) }) };
}

/** @param {AsyncIterable<any>} iterable @returns {any} */
const iterate = (iterable) => iterable[Symbol.asyncIterator]();

/** @param {any} task */
const standing = (task) => `${task.status} ${task.progress}`;

/** @param {AsyncIterable<any>} iterable */
async function collect(iterable) {
  const seen = [];
  for await (const task of iterable) seen.push(standing(task));
  return seen;
}

/** @param {number} count */
async function turns(count) {
  for (let turned = 0; turned < count; turned += 1) await turn();
}

/* ── what it yields ─────────────────────────────────────────────────── */

test("nothing starts before the first next()", async (t) => {
  const { clock, fetch, client } = still(t);
  const { signal } = new AbortController();
  const count = countListeners(signal);
  iterate(client.watch(ID, { signal }));
  await turns(5);
  assert.deepEqual([fetch.calls.length, clock.countTimers(), count.listeners], [0, 0, 0]);
});

test("what changed is yielded, the settled reading last and once", async (t) => {
  const answers = [reading("SUBMITTED"), running(10), running(10), running(60), succeeded()];
  const { fetch, client } = scene(t, ...answers);
  /** @type {string[]} */
  const updates = [];
  const seen = await collect(client.watch(ID, { onUpdate: (task) => updates.push(standing(task)) }));
  assert.deepEqual(seen, ["queued 0", "running 10", "running 60", "succeeded 100"]);
  assert.deepEqual(updates, seen);
  assert.equal(fetch.calls.length, 5);
});

test("the settled reading has its result and its raw", async (t) => {
  const { client } = scene(t, running(1), succeeded());
  const tasks = [];
  for await (const task of client.watch(ID)) tasks.push(task);
  assert.deepEqual(tasks[1].images, ["https://cdn.example/1.png"]);
  assert.equal(/** @type {any} */ (tasks[1].raw).status, "SUCCESS");
});

test("a success without its result is not yielded before it has one", async (t) => {
  const { client } = scene(t, reading("SUCCESS", { progress: "100%" }), succeeded());
  assert.deepEqual(await collect(client.watch(ID)), ["succeeded 100"]);
});

test("a modal ends it, and after the modal was sent it does not", async (t) => {
  const { client } = scene(t, reading("MODAL"), reading("MODAL"), running(5), succeeded());
  assert.deepEqual(await collect(client.watch(ID)), ["action_required 0"]);
  const seen = await collect(client.watch(ID, { afterModal: true }));
  assert.deepEqual(seen, ["action_required 0", "running 5", "succeeded 100"]);
});

test("a handle of submitModal is one after the modal was sent", async (t) => {
  const { client } = scene(t, reading("MODAL"), succeeded());
  const handle = /** @type {const} */ ({ v: 1, family: "midjourney", kind: "modal", id: ID, submittedAt: 1 });
  assert.deepEqual(await collect(client.watch(handle)), ["action_required 0", "succeeded 100"]);
});

test("a slow consumer gets the newest reading and the settled one", async (t) => {
  const { fetch, client } = scene(t, running(1), running(2), running(3), running(4), succeeded());
  const iterator = iterate(client.watch(ID));
  assert.equal(standing((await iterator.next()).value), "running 1");
  while (fetch.calls.length < 5) await turn();
  await turns(10);
  assert.equal(standing((await iterator.next()).value), "running 4");
  assert.equal(standing((await iterator.next()).value), "succeeded 100");
  assert.deepEqual(await iterator.next(), { value: undefined, done: true });
});

test("calls of next() that do not wait for each other are answered in order", async (t) => {
  const { client } = scene(t, running(1), succeeded());
  const iterator = iterate(client.watch(ID));
  const results = await Promise.all([iterator.next(), iterator.next(), iterator.next(), iterator.next()]);
  assert.deepEqual(
    results.map(({ value, done }) => (done ? "done" : standing(value))),
    ["running 1", "succeeded 100", "done", "done"],
  );
});

test("it can be iterated once", async (t) => {
  const { fetch, client } = scene(t, succeeded());
  const readings = client.watch(ID);
  assert.deepEqual(await collect(readings), ["succeeded 100"]);
  assert.deepEqual(await collect(readings), []);
  assert.equal(fetch.calls.length, 1);
});

/* ── where it throws ────────────────────────────────────────────────── */

test("it throws where poll would reject, and has ended then", async (t) => {
  const failed = () => reading("FAILURE", { failReason: "no luck" });
  const { client } = scene(t, running(1), failed(), failed());
  const iterator = iterate(client.watch(ID));
  await iterator.next();
  const error = await rejection(iterator.next());
  assert.deepEqual([error.code, error.handle.id, error.task.status], ["task_failed", ID, "failed"]);
  assert.equal((await iterator.next()).done, true);
  assert.deepEqual(await collect(client.watch(ID, { throwOnFailure: false })), ["failed 0"]);
});

test("a deadline is thrown after the readings before it", async (t) => {
  const { client } = scene(t, running(1), running(2));
  const iterator = iterate(client.watch(ID, { timeoutMs: 3_000, intervalMs: 5_000 }));
  assert.equal(standing((await iterator.next()).value), "running 1");
  const seen = [];
  for (let next = iterator.next(); ; next = iterator.next()) {
    const result = await next.catch((/** @type {any} */ error) => error);
    seen.push(result.code ?? standing(result.value));
    if (result.code) break;
  }
  assert.equal(seen.at(-1), "deadline");
});

test("wrong arguments are thrown by the first next(), and nothing is sent", async () => {
  const fetch = stubFetch();
  const client = createClient({ baseUrl: BASE_URL, fetch: /** @type {any} */ (fetch) });
  /** @type {any[][]} */
  const wrong = [
    [""],
    [{ id: ID }],
    [ID, null],
    [ID, { onUpdate: 1 }],
    [ID, { signal: {} }],
    [ID, { intervalMs: 0 }],
  ];
  for (const [handle, options] of wrong) {
    const error = await rejection(iterate(client.watch(handle, options)).next());
    assert.equal(error.code, "validation", JSON.stringify([handle, options]));
  }
  assert.equal(fetch.calls.length, 0);
});

test("what onUpdate throws ends it", async (t) => {
  const { clock, client } = scene(t, running(1));
  const thrown = new Error("no");
  const onUpdate = () => {
    throw thrown;
  };
  assert.equal(await rejection(collect(client.watch(ID, { onUpdate }))), thrown);
  assert.equal(clock.countTimers(), 0);
});

test("an abort rejects a next() that waits, with the reason, in the same turn", async (t) => {
  const { clock, client } = still(t, running(1));
  const controller = new AbortController();
  const count = countListeners(controller.signal);
  const iterator = iterate(client.watch(ID, { signal: controller.signal }));
  await iterator.next();
  const next = watch(iterator.next());
  await turns(3);
  controller.abort("enough");
  await turn();
  assert.deepEqual([next.isSettled, next.reason], [true, "enough"]);
  assert.deepEqual([clock.countTimers(), count.listeners], [0, 0]);
});

test("an abort outranks a reading that was not taken yet", async (t) => {
  const { fetch, client } = scene(t, running(1), running(2), () => new Promise(() => {}));
  const controller = new AbortController();
  const iterator = iterate(client.watch(ID, { signal: controller.signal }));
  await iterator.next();
  while (fetch.calls.length < 3) await turn();
  controller.abort("enough");
  await turns(3);
  assert.equal(await rejection(iterator.next()), "enough");
  assert.equal((await iterator.next()).done, true);
});

test("a signal that was given before starts nothing", async (t) => {
  const { fetch, client } = still(t);
  const iterator = iterate(client.watch(ID, { signal: AbortSignal.abort("before") }));
  assert.equal(await rejection(iterator.next()), "before");
  assert.equal(fetch.calls.length, 0);
});

test('closing the client ends it with "closed" and the handle', async (t) => {
  const { clock, client } = still(t, running(1));
  const iterator = iterate(client.watch(ID));
  await iterator.next();
  const next = watch(iterator.next());
  client.close();
  await turn();
  assert.deepEqual([next.reason?.code, next.reason?.handle.id], ["closed", ID]);
  assert.equal(clock.countTimers(), 0);
  assert.equal((await rejection(iterate(client.watch(ID)).next())).code, "closed");
});

/* ── leaving ────────────────────────────────────────────────────────── */

test("leaving the loop stops the wait at once", async (t) => {
  const { clock, fetch, client } = still(t, running(1));
  const { signal } = new AbortController();
  const count = countListeners(signal);
  for await (const task of client.watch(ID, { signal })) {
    assert.equal(task.progress, 1);
    break;
  }
  assert.deepEqual([clock.countTimers(), count.listeners], [0, 0]);
  await clock.runAllAsync();
  assert.equal(fetch.calls.length, 1);
});

test("return() ends a next() that waits, in the same turn", async (t) => {
  const { clock, client } = still(t, running(1));
  const iterator = iterate(client.watch(ID));
  await iterator.next();
  const next = watch(iterator.next());
  await turns(3);
  const returned = watch(iterator.return("left"));
  await turn();
  assert.deepEqual(next.value, { value: undefined, done: true });
  assert.deepEqual(returned.value, { value: "left", done: true });
  assert.equal(clock.countTimers(), 0);
});

test("return() before the first next() leaves nothing to start", async (t) => {
  const { fetch, client } = still(t);
  const iterator = iterate(client.watch(ID));
  assert.deepEqual(await iterator.return(), { value: undefined, done: true });
  assert.deepEqual(await iterator.next(), { value: undefined, done: true });
  assert.equal(fetch.calls.length, 0);
});

test("throw() stops the wait and throws what it is given", async (t) => {
  const { clock, client } = still(t, running(1));
  const iterator = iterate(client.watch(ID));
  await iterator.next();
  const thrown = new Error("mine");
  assert.equal(await rejection(iterator.throw(thrown)), thrown);
  assert.equal(clock.countTimers(), 0);
  assert.equal((await iterator.next()).done, true);
});

test("return() at each point of the wait ends it in the same turn, with no later request", async (t) => {
  const clock = stopClock(t);
  t.mock.method(Math, "random", () => 0.5);
  const points = await walk(clock, Infinity);
  assert.ok(points.length > 10 && points.includes("sleep"), points.join());
  for (const at of points.keys()) await walk(clock, at);
});

/** Iterates until point `stopAt`, and leaves there. @param {any} clock @param {number} stopAt */
async function walk(clock, stopAt) {
  const world = new World(stopAt, clock);
  world.answers = [() => json("", 503), () => running(1), () => running(2), succeeded];
  const fetch = /** @type {any} */ (world.fetch);
  const apiKey = () => world.wait("key", () => "sk-0123456789");
  const client = createClient({ baseUrl: BASE_URL, apiKey, fetch, onEvent: world.onEvent });
  const iterator = iterate(client.watch(ID, { onUpdate: () => world.pass("onUpdate") }));
  /** @type {any} */
  let returned;
  const leave = () => (returned = watch(iterator.return()));
  world.atPass = leave;
  const loop = watch(collect({ [Symbol.asyncIterator]: () => iterator }));
  if (stopAt < Infinity) {
    await world.reached;
    await turn();
    if (!returned) leave();
    await turn();
    assert.deepEqual(
      [returned.isSettled, loop.isSettled],
      [true, true],
      `at ${stopAt}, ${world.points.at(-1)}`,
    );
    const { requests } = world;
    assert.equal(clock.countTimers(), 0);
    world.release();
    await clock.runAllAsync();
    assert.equal(world.requests, requests);
  }
  while (!loop.isSettled) await turn();
  assert.equal(loop.reason, undefined);
  return world.points;
}
