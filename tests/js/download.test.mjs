// downloadContent after it has resolved: the signal and the time limit hold until the end of the body.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { importInstalled } from "./installed.mjs";
import { stopClock, turn } from "./support/clock.mjs";
import { BASE_URL, rejection, stubFetch } from "./support/replies.mjs";
import { watch } from "./support/trace.mjs";

const { createClient, init } = await importInstalled("comet-tasks");
await init();

const HEADERS = { "content-type": "video/mp4", "content-length": "6", "x-any": "kept" };

/** A body that the test writes, and what became of it. */
function written() {
  /** @type {ReadableStreamDefaultController} */
  let controller = /** @type {any} */ (undefined);
  const body = {
    /** @type {unknown} */
    canceled: undefined,
    stream: new ReadableStream({
      start: (own) => void (controller = own),
      cancel: (reason) => void (body.canceled = reason),
    }),
    write: (/** @type {number[]} */ ...bytes) => controller.enqueue(new Uint8Array(bytes)),
    close: () => controller.close(),
    fail: (/** @type {unknown} */ error) => controller.error(error),
  };
  return body;
}

/** @param {any} body @param {object} [options] @returns {Promise<Response>} */
function download(body, options) {
  const fetch = stubFetch(new Response(body.stream, { headers: HEADERS }));
  return createClient({ baseUrl: BASE_URL, fetch }).downloadContent("task_1", options);
}

test("a download hands over status, headers and every byte", async () => {
  const body = written();
  const response = await download(body);
  body.write(1, 2, 3);
  body.write(4, 5, 6);
  body.close();
  assert.deepEqual([response.status, response.headers.get("x-any")], [200, "kept"]);
  assert.deepEqual([...new Uint8Array(await response.arrayBuffer())], [1, 2, 3, 4, 5, 6]);
});

test("the signal ends a download that has begun, with its reason, and the connection with it", async () => {
  const body = written();
  const controller = new AbortController();
  const response = await download(body, { signal: controller.signal });
  body.write(1);
  const reader = /** @type {any} */ (response.body).getReader();
  assert.equal((await reader.read()).value[0], 1);
  const next = rejection(reader.read());
  controller.abort("enough");
  assert.equal(await next, "enough");
  assert.equal(body.canceled, "enough");
});

test("a download that stalls for requestTimeoutMs ends with a timeout and the handle; one that goes on does not", async (t) => {
  const clock = stopClock(t);
  const body = written();
  const response = await download(body, { requestTimeoutMs: 5_000 });
  const reader = /** @type {any} */ (response.body).getReader();
  for (let at = 0; at < 3; at += 1) {
    const piece = reader.read();
    await turn();
    clock.tick(4_999);
    body.write(at);
    assert.equal((await piece).value[0], at);
  }
  const stalled = watch(reader.read());
  await turn();
  clock.tick(5_000);
  await turn();
  const { code, operation, handle } = stalled.reason;
  assert.deepEqual([code, operation, handle.id], ["timeout", "videos.content", "task_1"]);
  assert.equal(clock.countTimers(), 0);
});

test("a reader that takes its time is no stall", async (t) => {
  const clock = stopClock(t);
  const body = written();
  const response = await download(body, { requestTimeoutMs: 5_000 });
  body.write(1);
  const reader = /** @type {any} */ (response.body).getReader();
  await reader.read();
  clock.tick(60_000);
  body.write(2);
  assert.equal((await reader.read()).value[0], 2);
  await reader.cancel();
});

test("a connection that breaks ends the download with code network, its cause and the handle", async () => {
  const body = written();
  const response = await download(body);
  const cause = new TypeError("terminated");
  body.fail(cause);
  const error = await rejection(response.arrayBuffer());
  assert.deepEqual([error.code, error.handle.id, error.cause], ["network", "task_1", cause]);
});

test("a download that nobody reads ends with its connection once it was dropped, though its client and its signal live on", async () => {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc");
  const { signal } = new AbortController();
  const body = written();
  const client = createClient({ baseUrl: BASE_URL, fetch: stubFetch(new Response(body.stream)) });
  await client.downloadContent("task_1", { signal });
  for (let turns = 0; turns < 100 && !body.canceled; turns += 1) {
    gc();
    await turn();
  }
  assert.equal(body.canceled, "nobody reads it any more");
  assert.equal(signal.aborted, false);
  client.close();
});

test("a download of which its reader alone is left goes on, however often the host collects", async () => {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc");
  const body = written();
  const client = createClient({ baseUrl: BASE_URL, fetch: stubFetch(new Response(body.stream)) });
  const reader = /** @type {any} */ ((await client.downloadContent("task_1")).body).getReader();
  for (let at = 0; at < 5; at += 1) {
    for (let turns = 0; turns < 10; turns += 1) {
      gc();
      await turn();
    }
    body.write(at);
    assert.equal((await reader.read()).value[0], at);
  }
  assert.equal(body.canceled, undefined);
  client.close();
});

test("a download that its reader leaves ends the connection, and leaves no timer", async (t) => {
  const clock = stopClock(t);
  const body = written();
  const response = await download(body);
  const reader = /** @type {any} */ (response.body).getReader();
  reader.read().catch(() => {});
  await turn();
  await reader.cancel("seen enough");
  assert.equal(body.canceled, "seen enough");
  assert.equal(clock.countTimers(), 0);
});
