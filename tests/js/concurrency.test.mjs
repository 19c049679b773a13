// maxConcurrency: so many requests of one client at a time, each until its reply's head is there.
import assert from "node:assert/strict";
import { test } from "node:test";
import { importInstalled } from "./installed.mjs";
import { stopClock, turn } from "./support/clock.mjs";
import { BASE_URL, accepted, json, rejection, succeeded } from "./support/replies.mjs";
import { watch } from "./support/trace.mjs";

const { createClient, init } = await importInstalled("comet-tasks");
await init();

/** A fetch whose replies come when the test says so. */
function heldFetch() {
  /** @type {((reply: Response) => void)[]} */
  const open = [];
  const fetch = () => {
    fetch.sent += 1;
    return new Promise((resolve) => open.push(resolve));
  };
  fetch.sent = 0;
  fetch.answer = async (/** @type {Response} */ reply) => {
    open.shift()?.(reply);
    for (let at = 0; at < 5; at += 1) await turn();
  };
  return fetch;
}

/** @param {any} fetch @param {object} [options] */
function client(fetch, options) {
  return createClient({ baseUrl: BASE_URL, fetch, ...options });
}

async function turns() {
  for (let at = 0; at < 5; at += 1) await turn();
}

test("submits, readings and seeds of a client go out at most maxConcurrency at a time, in their order", async () => {
  const fetch = heldFetch();
  const open = client(fetch, { maxConcurrency: 2 });
  const calls = [
    open.submitImagine({ prompt: "a" }),
    open.imageSeed("1712345678901234"),
    open.fetchTask("1712345678901234"),
  ];
  await turns();
  assert.equal(fetch.sent, 2);
  await fetch.answer(accepted());
  assert.equal(fetch.sent, 3);
  await fetch.answer(json({ code: 1, result: "7" }));
  await fetch.answer(succeeded());
  await Promise.all(calls);
});

test("a fraction of a request is none", async () => {
  const fetch = heldFetch();
  const open = client(fetch, { maxConcurrency: 1.5 });
  const calls = [open.submitImagine({ prompt: "a" }), open.submitImagine({ prompt: "b" })];
  await turns();
  assert.equal(fetch.sent, 1);
  await fetch.answer(accepted());
  await fetch.answer(accepted());
  await Promise.all(calls);
});

test("six requests are out at once by default", async () => {
  const fetch = heldFetch();
  const open = client(fetch);
  const calls = Array.from({ length: 20 }, () => open.submitImagine({ prompt: "a" }));
  await turns();
  assert.equal(fetch.sent, 6);
  for (const _ of calls) await fetch.answer(accepted());
  assert.equal((await Promise.all(calls)).length, 20);
  assert.equal(fetch.sent, 20);
});

test("a request counts until its reply's head, not until the end of its body", async () => {
  const fetch = heldFetch();
  const open = client(fetch, { maxConcurrency: 1 });
  const slow = watch(open.fetchTask("1712345678901234"));
  const next = open.fetchTask("1712345678901234");
  await turns();
  const never = new ReadableStream({ pull: () => new Promise(() => {}) }, { highWaterMark: 0 });
  await fetch.answer(new Response(never));
  assert.equal(fetch.sent, 2);
  await fetch.answer(succeeded());
  assert.equal((await next).status, "succeeded");
  assert.equal(slow.isSettled, false);
  open.close();
});

test("a call that is aborted before its turn sends nothing, is in no doubt, and takes nobody's turn", async () => {
  const fetch = heldFetch();
  const open = client(fetch, { maxConcurrency: 1 });
  const controller = new AbortController();
  const first = open.submitImagine({ prompt: "a" });
  const second = open.submitImagine({ prompt: "b" }, { signal: controller.signal });
  const third = open.submitImagine({ prompt: "c" });
  await turns();
  controller.abort("enough");
  assert.equal(await rejection(second), "enough");
  await fetch.answer(accepted());
  await first;
  assert.equal(fetch.sent, 2);
  await fetch.answer(accepted());
  await third;
  assert.equal(fetch.sent, 2);
});

test("a request that is given up makes room at once, though its fetch never settles", async () => {
  const fetch = heldFetch();
  const open = client(fetch, { maxConcurrency: 1 });
  const controller = new AbortController();
  const hung = open.fetchTask("1712345678901234", { signal: controller.signal });
  const next = watch(open.fetchTask("1712345678901234"));
  await turns();
  controller.abort("enough");
  assert.equal(await rejection(hung), "enough");
  await turns();
  assert.equal(fetch.sent, 2);
  assert.equal(next.isSettled, false);
  open.close();
});

test("requestTimeoutMs counts from a request's own turn", async (t) => {
  const clock = stopClock(t);
  const fetch = heldFetch();
  const open = client(fetch, { maxConcurrency: 1, requestTimeoutMs: 1_000 });
  const first = watch(open.fetchTask("1712345678901234"));
  const second = watch(open.fetchTask("1712345678901234"));
  await turns();
  clock.tick(1_000);
  await turns();
  assert.deepEqual([first.reason?.code, second.isSettled], ["timeout", false]);
  clock.tick(999);
  await turns();
  assert.equal(second.isSettled, false);
  clock.tick(1);
  await turns();
  assert.equal(second.reason?.code, "timeout");
});
