// Promise 3 and 5 under clocks that jump: a wait neither hangs nor storms, whatever the machine's clock does.
import assert from "node:assert/strict";
import { test } from "node:test";
import { importInstalled } from "./installed.mjs";
import { stopClock, turn } from "./support/clock.mjs";
import { BASE_URL, reading } from "./support/replies.mjs";
import { watch } from "./support/trace.mjs";

const { createClient, init } = await importInstalled("comet-tasks");
await init();

const HOUR_MS = 3_600_000;

/** @param {any} t */
function world(t) {
  const clock = stopClock(t);
  const asked = /** @type {number[]} */ ([]);
  const began = clock.now;
  let passed = 0;
  const fetch = async () => {
    asked.push(passed);
    return reading("IN_PROGRESS");
  };
  const client = createClient({ baseUrl: BASE_URL, fetch: /** @type {any} */ (fetch) });
  t.after(() => client.close());
  /** Lets time pass, whatever the clock says of it. @param {number} ms */
  const pass = async (ms) => {
    for (let left = ms; left > 0; left -= 1_000) {
      clock.tick(Math.min(left, 1_000));
      passed += Math.min(left, 1_000);
      for (let turned = 0; turned < 8; turned += 1) await turn();
    }
  };
  const handle = { v: 1, family: "midjourney", kind: "video", id: "1712345678901234", submittedAt: began };
  return { clock, client, asked, pass, handle: /** @type {any} */ (handle) };
}

/** @param {number[]} asked @param {number} from @param {number} to */
function between(asked, from, to) {
  return asked.filter((at) => at > from && at <= to).length;
}

test("a clock that is put back by an hour holds no wait up, and makes it ask no more", async (t) => {
  const { clock, client, asked, pass, handle } = world(t);
  const wait = watch(client.poll(handle));
  await pass(120_000);
  const before = asked.length;
  clock.setSystemTime(clock.now - HOUR_MS);
  await pass(120_000);
  const after = asked.length - before;
  assert.ok(after >= 3 && after <= 2 * before, `${before} requests, then ${after}`);
  assert.equal(wait.isSettled, false);
});

test("its time limit is not longer for that", async (t) => {
  const { clock, client, pass, handle } = world(t);
  const wait = watch(client.poll(handle, { timeoutMs: 300_000 }));
  await pass(100_000);
  clock.setSystemTime(clock.now - HOUR_MS);
  await pass(260_000);
  assert.equal(wait.reason?.code, "deadline");
});

test("a clock that is put back and put right again ends no wait", async (t) => {
  const { clock, client, pass, handle } = world(t);
  const wait = watch(client.poll(handle));
  await pass(60_000);
  clock.setSystemTime(clock.now - HOUR_MS);
  await pass(60_000);
  clock.setSystemTime(clock.now + HOUR_MS);
  await pass(60_000);
  assert.equal(wait.isSettled, false);
});

test("a laptop that slept for an hour asks once, and goes on as before", async (t) => {
  const { clock, client, asked, pass, handle } = world(t);
  const wait = watch(client.poll(handle, { timeoutMs: null }));
  await pass(60_000);
  clock.setSystemTime(clock.now + HOUR_MS);
  const slept = 60_000;
  await pass(60_000);
  assert.ok(between(asked, slept, slept + 35_000) <= 3, asked.join());
  assert.ok(between(asked, slept, slept + 60_000) >= 1, asked.join());
  assert.equal(wait.isSettled, false);
});

test("a clock that is put forward by a day ends no wait, and has it asked for at once", async (t) => {
  const { clock, client, asked, pass, handle } = world(t);
  const wait = watch(client.poll(handle, { timeoutMs: 300_000 }));
  await pass(60_000);
  const before = asked.length;
  // The steady clock, which nobody moves here, bears none of it out.
  clock.setSystemTime(clock.now + 24 * HOUR_MS);
  await pass(35_000);
  assert.ok(asked.length > before);
  assert.equal(wait.isSettled, false);
  await pass(215_000);
  assert.equal(wait.reason?.code, "deadline");
});

test("a hidden tab, whose timers run once a minute, asks once a minute", async (t) => {
  const { clock, client, asked, handle } = world(t);
  const wait = watch(client.poll(handle, { timeoutMs: null }));
  for (let minute = 0; minute < 10; minute += 1) {
    clock.setSystemTime(clock.now + 60_000);
    clock.runToLast();
    for (let turned = 0; turned < 8; turned += 1) await turn();
  }
  assert.ok(asked.length >= 8 && asked.length <= 11, `${asked.length} requests`);
  assert.equal(wait.isSettled, false);
});

test("a wait of a hundred days sleeps, and does not spin", async (t) => {
  const { clock, client, asked, pass, handle } = world(t);
  let timersSet = 0;
  const { setTimeout } = globalThis;
  const counted = (/** @type {[() => void, number]} */ ...args) => {
    timersSet += 1;
    return setTimeout(...args);
  };
  globalThis.setTimeout = /** @type {any} */ (counted);
  const wait = watch(client.poll(handle, { intervalMs: 100 * 24 * HOUR_MS, timeoutMs: null }));
  await pass(60_000);
  assert.ok(asked.length <= 1);
  assert.equal(clock.countTimers(), 1);
  // Each request has some for its own limit.
  assert.ok(timersSet < 10, `${timersSet} timers were set`);
  assert.equal(wait.isSettled, false);
});
