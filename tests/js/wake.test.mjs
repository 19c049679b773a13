// A page that comes back asks at once for what it may have missed, and never storms: however many events tell of it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { importInstalled } from "./installed.mjs";
import { stopClock, turn } from "./support/clock.mjs";
import { BASE_URL, json, reading } from "./support/replies.mjs";
import { watch } from "./support/trace.mjs";

// What a page has that a client listens to, before there is a client.
const page = Object.assign(new EventTarget(), { visibilityState: "visible" });
Object.assign(globalThis, { document: page, window: new EventTarget() });

const { createClient, init } = await importInstalled("comet-tasks");
await init();

const HOUR_MS = 3_600_000;
/** How a page says that it is back, one after another. */
const EVENTS = ["online", "pageshow", "visibilitychange", "online", "visibilitychange"];
const TEN = [...EVENTS, ...EVENTS];

/** @param {string} name */
function say(name) {
  const target = name === "visibilitychange" ? page : /** @type {any} */ (globalThis.window);
  target.dispatchEvent(new Event(name));
}

/** A client with this many waits, whose tasks go on and on. @param {any} t @param {number} [count] @param {object} [options] */
async function scene(t, count = 1, options) {
  const clock = stopClock(t);
  /** @type {string[]} */
  const asked = [];
  /** @param {string} url @param {RequestInit} request */
  const fetch = async (url, request) => {
    asked.push(url);
    const { ids } = JSON.parse(String(request.body ?? "{}"));
    const row = (/** @type {string} */ id) => ({
      id,
      action: "VIDEO",
      status: "IN_PROGRESS",
      progress: "1%",
    });
    return ids ? json(ids.map(row)) : reading("IN_PROGRESS");
  };
  const client = createClient({ baseUrl: BASE_URL, fetch: /** @type {any} */ (fetch) });
  t.after(() => client.close());
  const handle = (/** @type {number} */ at) =>
    /** @type {const} */ ({
      v: 1,
      family: "midjourney",
      kind: "video",
      id: String(1_712_345_678_901_234 + at),
    });
  const waits = Array.from({ length: count }, (_, at) =>
    watch(client.poll({ ...handle(at), submittedAt: clock.now }, { timeoutMs: null, ...options })),
  );
  /** @param {number} ms */
  const pass = async (ms) => {
    for (let left = ms; left > 0; left -= 500) {
      clock.tick(Math.min(left, 500));
      await turns(8);
    }
  };
  await turns(8);
  return { clock, asked, waits, pass };
}

/** @param {number} count */
async function turns(count) {
  for (let turned = 0; turned < count; turned += 1) await turn();
}

/** Time that passes while no timer runs. @param {any} clock @param {number} ms */
function sleep(clock, ms) {
  clock.setSystemTime(clock.now + ms);
}

test("ten wake events in a row make one request, and at once", async (t) => {
  const { clock, asked, pass } = await scene(t);
  await pass(60_000);
  sleep(clock, 5_000);
  const before = asked.length;
  for (const name of TEN) {
    say(name);
    await turns(3);
  }
  assert.equal(asked.length - before, 1);
  await pass(500);
  assert.equal(asked.length - before, 1, "and no more a moment later");
});

test("ten wake events within one turn make one request", async (t) => {
  const { clock, asked, pass } = await scene(t);
  await pass(60_000);
  sleep(clock, 5_000);
  const before = asked.length;
  TEN.forEach(say);
  await turns(20);
  assert.equal(asked.length - before, 1);
});

test("a page that is shown because it has just been loaded asks for nothing", async (t) => {
  const { asked, pass } = await scene(t);
  await pass(5_000);
  const event = (/** @type {boolean} */ persisted) => Object.assign(new Event("pageshow"), { persisted });
  window.dispatchEvent(event(false));
  await turns(20);
  assert.equal(asked.length, 0);
  window.dispatchEvent(event(true));
  await turns(20);
  assert.equal(asked.length, 1, "it was kept, and is shown again");
});

test("a page that goes out of sight asks for nothing", async (t) => {
  const { clock, asked, pass } = await scene(t);
  t.after(() => (page.visibilityState = "visible"));
  await pass(60_000);
  sleep(clock, 5_000);
  const before = asked.length;
  page.visibilityState = "hidden";
  TEN.forEach(say);
  await turns(20);
  assert.equal(asked.length, before);
});

test("a laptop that slept for an hour asks once when it wakes, by its events and its late timers together", async (t) => {
  const { clock, asked, waits, pass } = await scene(t);
  await pass(60_000);
  sleep(clock, HOUR_MS);
  const before = asked.length;
  clock.runToLast();
  TEN.forEach(say);
  await turns(20);
  TEN.forEach(say);
  await turns(20);
  assert.equal(asked.length - before, 1);
  assert.equal(waits[0]?.isSettled, false);
});

test("two hundred waits ask once each after an hour's sleep, in batches", async (t) => {
  const { clock, asked, pass } = await scene(t, 200);
  await pass(60_000);
  sleep(clock, HOUR_MS);
  const before = asked.length;
  for (const name of TEN) {
    say(name);
    await turns(20);
  }
  assert.equal(asked.length - before, 2, asked.slice(before).join());
});

test("a wait with an interval of its own keeps it, whatever the page says", async (t) => {
  const { clock, asked, pass } = await scene(t, 1, { intervalMs: 60_000 });
  await pass(10_000);
  const before = asked.length;
  TEN.forEach(say);
  await turns(20);
  assert.equal(asked.length, before);
  sleep(clock, HOUR_MS);
  TEN.forEach(say);
  await turns(20);
  assert.equal(asked.length - before, 1);
});
