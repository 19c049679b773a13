// Promise 3: closing a client, time limits and throwing callbacks end calls in the way that the types say.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { folder, importInstalled } from "./installed.mjs";
import { skipSleeps, stopClock, turn } from "./support/clock.mjs";
import { BASE_URL, accepted, json, reading, rejection, stubFetch, succeeded } from "./support/replies.mjs";
import { countListeners, watch } from "./support/trace.mjs";

const { createClient, init } = await importInstalled("comet-tasks");
await init();

const PICTURE = /** @type {const} */ ({ kind: "imagine", params: { prompt: "a" } });
const ID = "1712345678901234";
const HANDLE = /** @type {const} */ ({ v: 1, family: "midjourney", kind: "imagine", id: ID, submittedAt: 1 });
const never = () => new Promise(() => {});
const hungBody = () => new Response(new ReadableStream({ pull: never }, { highWaterMark: 0 }));

/** @param {any} fetch @param {object} [options] */
function client(fetch, options) {
  return createClient({ baseUrl: BASE_URL, fetch, ...options });
}

/* ── close ──────────────────────────────────────────────────────────── */

test("a closed client refuses every call, and closing it again changes nothing", async () => {
  const fetch = stubFetch();
  const closed = client(fetch);
  closed.close();
  closed.close();
  for (const call of [
    closed.submitImagine({ prompt: "a" }),
    closed.fetchTask("1"),
    closed.poll("1"),
    closed.run(PICTURE),
    closed.uploadImages([new Uint8Array([1])]),
    closed.imageSeed("1"),
    closed.downloadContent("task_1"),
  ]) {
    const error = await rejection(call);
    assert.deepEqual([error.code, error.ambiguous, error.retryable], ["closed", false, false]);
  }
  assert.equal(fetch.calls.length, 0);
});

for (const type of /** @type {const} */ (["request", "response", "reading", "sleep"])) {
  test(`a client that a listener closes at a ${type} sends nothing after it, and leaves no timer`, async (t) => {
    const clock = stopClock(t);
    let sent = 0;
    const fetch = async () => {
      sent += 1;
      return reading("IN_PROGRESS");
    };
    const closing = client(fetch, {
      onEvent(/** @type {any} */ event) {
        if (event.type === type) closing.close();
      },
    });
    const waits = [closing.poll("1"), closing.fetchTask("2"), closing.run(PICTURE)].map(watch);
    for (let turned = 0; turned < 20; turned += 1) await turn();
    const before = sent;
    assert.equal(clock.countTimers(), 0);
    clock.tick(60_000);
    for (let turned = 0; turned < 20; turned += 1) await turn();
    assert.equal(sent, before);
    if (type === "request") assert.equal(sent, 0);
    assert.equal(waits[0].reason?.code, "closed");
  });
}

test("Symbol.dispose closes the client", { skip: !Symbol.dispose }, async () => {
  const disposed = client(stubFetch());
  /** @type {any} */ (disposed)[Symbol.dispose]();
  assert.equal((await rejection(disposed.fetchTask("1"))).code, "closed");
});

test("a wait that closing ends carries the handle, whatever it was given", async () => {
  const open = client(stubFetch(never, never));
  const calls = [open.poll("task_1", { intervalMs: 60_000 }), open.fetchTask("1712345678901234")];
  await turns(3);
  open.close();
  const [video, picture] = await Promise.all(calls.map(rejection));
  assert.deepEqual([video.code, video.handle.id, video.handle.family], ["closed", "task_1", "videos"]);
  assert.deepEqual([picture.code, picture.handle.id], ["closed", "1712345678901234"]);
});

test("a run that closing ends after the submit was answered carries the handle", async (t) => {
  stopClock(t);
  const open = client(stubFetch(accepted()));
  const run = watch(open.run(PICTURE));
  await turns(10);
  open.close();
  await turn();
  assert.deepEqual([run.reason.code, run.reason.ambiguous], ["closed", false]);
  assert.equal(run.reason.handle.id, "1712345678901234");
});

test("a run that a listener closes at its submit's reply carries the handle", async (t) => {
  stopClock(t);
  const onEvent = (/** @type {any} */ event) => void (event.type === "response" && open.close());
  const open = client(stubFetch(accepted()), { onEvent });
  const { code, handle } = await rejection(open.run(PICTURE));
  assert.deepEqual([code, handle?.id], ["closed", ID]);
});

test("a submit that closing ends before its answer is ambiguous and has no handle", async () => {
  const open = client(stubFetch(never));
  const submit = open.submitImagine({ prompt: "a" });
  await turns(3);
  open.close();
  const error = await rejection(submit);
  assert.deepEqual([error.code, error.ambiguous, error.handle], ["closed", true, undefined]);
});

test("a client that is closed while the wasm compiles ends its first call at once", async (t) => {
  const fresh = await freshPackage();
  t.mock.method(WebAssembly, "compile", never);
  for (const end of ["close", "abort"]) {
    const open = fresh.createClient({ baseUrl: BASE_URL, fetch: stubFetch() });
    const controller = new AbortController();
    const call = watch(open.fetchTask("1", { signal: controller.signal }));
    await turn();
    if (end === "close") open.close();
    else controller.abort("enough");
    await turn();
    assert.equal(end === "close" ? call.reason?.code : call.reason, end === "close" ? "closed" : "enough");
  }
});

test("what closing ends carries the handle that it was given, before the wasm is there and after", async (t) => {
  const fresh = await freshPackage();
  t.mock.method(WebAssembly, "compile", never);
  for (const module of [createClient, fresh.createClient]) {
    for (const isFirst of [true, false]) {
      const open = module({ baseUrl: BASE_URL, fetch: stubFetch(never, never, never) });
      if (isFirst) open.close();
      const calls = [open.poll(HANDLE), open.fetchTask(HANDLE), open.pollOnce(HANDLE)];
      open.close();
      for (const error of await Promise.all(calls.map(rejection))) {
        assert.deepEqual([error.code, error.handle], ["closed", HANDLE]);
      }
    }
  }
});

test("closing ends every wait, though one's handle cannot be read any more", async () => {
  const open = client(stubFetch(never, never));
  const { proxy, revoke } = Proxy.revocable(HANDLE, {});
  const calls = [open.poll(proxy), open.poll(HANDLE)];
  await turns(3);
  revoke();
  open.close();
  const [revoked, other] = await Promise.all(calls.map(rejection));
  assert.deepEqual([revoked.code, revoked.handle], ["closed", undefined]);
  assert.deepEqual([other.code, other.handle], ["closed", HANDLE]);
});

/* ── abort ──────────────────────────────────────────────────────────── */

test("a signal that is aborted already sends nothing, and not even reads the pictures", async (t) => {
  stopClock(t);
  const fetch = stubFetch();
  const signal = AbortSignal.abort("enough");
  const blob = Object.assign(new Blob(["x"]), { slice: () => assert.fail("the picture was read") });
  const open = client(fetch, { apiKey: () => assert.fail("the key was asked for") });
  for (const call of [
    open.submitImagine({ prompt: "a", images: [blob] }, { signal }),
    open.submitVeo({ prompt: "a" }, { signal }),
    open.uploadImages([blob], { signal }),
    open.fetchTask("1", { signal }),
    open.poll("1", { signal }),
    open.run(PICTURE, { signal }),
    open.imageSeed("1", { signal }),
    open.downloadContent("task_1", { signal }),
  ]) {
    assert.equal(await rejection(call), "enough");
  }
  assert.equal(fetch.calls.length, 0);
});

test("one call's abort leaves the others of its client alone", async () => {
  const controller = new AbortController();
  const open = client(stubFetch(never, succeeded));
  const aborted = open.fetchTask("1", { signal: controller.signal });
  await turns(3);
  const other = open.fetchTask("1712345678901234");
  controller.abort("enough");
  assert.equal(await rejection(aborted), "enough");
  assert.equal((await other).status, "succeeded");
});

test("a hundred calls of one signal have one listener, which goes with the last of them", async () => {
  const open = client(never);
  const controller = new AbortController();
  const { signal } = controller;
  const count = countListeners(signal);
  const polls = Array.from({ length: 50 }, (_, at) => open.poll(String(at), { signal }));
  const reads = Array.from({ length: 50 }, (_, at) => open.fetchTask(String(at), { signal }));
  const calls = [...polls, ...reads].map(watch);
  await turns(3);
  assert.equal(count.listeners, 1);
  controller.abort("enough");
  await turn();
  assert.ok(calls.every(({ reason }) => reason === "enough"));
  assert.equal(count.listeners, 0);
});

test("something that is no AbortSignal is a validation error", async () => {
  const error = await rejection(client(stubFetch()).fetchTask("1", /** @type {any} */ ({ signal: "stop" })));
  assert.deepEqual([error.code, error.details.field], ["validation", "signal"]);
});

test("a client's first call is checked like any other", async () => {
  const first = (await freshPackage("first")).createClient({ baseUrl: BASE_URL, fetch: stubFetch() });
  const error = await rejection(first.poll("1", /** @type {any} */ ({ signal: {} })));
  assert.deepEqual([error.code, error.details?.field], ["validation", "signal"]);
});

/* ── time limits ────────────────────────────────────────────────────── */

const SUBMIT = /** @type {const} */ (["submitImagine", { prompt: "a" }]);
/** @type {[string, readonly [string, any], any, object, number][]} */
const limits = [
  ["a hung submit: 120 s", SUBMIT, never, {}, 120_000],
  ["a submit's hung body: 120 s", SUBMIT, hungBody, {}, 120_000],
  ["a hung upload: 120 s", ["uploadImages", [new Uint8Array([1])]], never, {}, 120_000],
  ["a hung image seed: 120 s", ["imageSeed", "1"], never, {}, 120_000],
  ["a hung read: 30 s", ["fetchTask", "1"], never, {}, 30_000],
  ["a read's hung body: 30 s", ["fetchTask", "1"], hungBody, {}, 30_000],
  ["a hung download: 30 s", ["downloadContent", "task_1"], never, {}, 30_000],
  ["requestTimeoutMs of the call: 5 s", ["fetchTask", "1"], never, { requestTimeoutMs: 5_000 }, 5_000],
];
for (const [name, [method, argument], answer, options, ms] of limits) {
  test(`requestTimeoutMs ends ${name}`, async (t) => {
    const clock = stopClock(t);
    const open = /** @type {any} */ (client(stubFetch(answer)));
    const call = watch(open[method](argument, options));
    await turns(3);
    clock.tick(ms - 1);
    await turn();
    assert.equal(call.isSettled, false);
    clock.tick(1);
    await turn();
    const mayCreate = method.startsWith("submit");
    assert.deepEqual([call.reason?.code, call.reason?.ambiguous], ["timeout", mayCreate]);
    assert.equal(clock.countTimers(), 0);
  });
}

test("requestTimeoutMs of null is no limit", async (t) => {
  const clock = stopClock(t);
  const open = client(stubFetch(never, never), { requestTimeoutMs: null });
  const calls = [watch(open.fetchTask("1")), watch(open.submitImagine({ prompt: "a" }))];
  await turns(3);
  assert.equal(clock.countTimers(), 0);
  assert.deepEqual(
    calls.map(({ isSettled }) => isSettled),
    [false, false],
  );
  open.close();
});

test("a key that never comes is a timeout, and no submit is in doubt: nothing was sent", async (t) => {
  const clock = stopClock(t);
  const fetch = stubFetch();
  const open = client(fetch, { apiKey: never });
  const call = watch(open.submitImagine({ prompt: "a" }));
  await turns(3);
  clock.tick(120_000);
  await turn();
  assert.deepEqual(
    [call.reason?.code, call.reason?.ambiguous, call.reason?.retryable],
    ["timeout", false, true],
  );
  assert.equal(fetch.calls.length, 0);
});

test("timeoutMs ends a wait whose request hangs, with the handle", async (t) => {
  const clock = stopClock(t);
  const open = client(stubFetch(never));
  const wait = watch(open.poll("1712345678901234", { timeoutMs: 10_000, intervalMs: 1_000 }));
  await turns(3);
  clock.tick(1_000);
  await turns(3);
  clock.tick(8_999);
  await turn();
  assert.equal(wait.isSettled, false);
  clock.tick(1);
  await turn();
  assert.deepEqual([wait.reason?.code, wait.reason?.handle.id], ["deadline", "1712345678901234"]);
  assert.equal(clock.countTimers(), 0);
});

test("timeoutMs of a run ends a submit that hangs, which leaves doubt", async (t) => {
  const clock = stopClock(t);
  const open = client(stubFetch(never));
  const run = watch(open.run(PICTURE, { timeoutMs: 10_000 }));
  await turns(3);
  clock.tick(9_999);
  await turn();
  assert.equal(run.isSettled, false);
  clock.tick(1);
  await turns(3);
  assert.deepEqual(
    [run.reason?.code, run.reason?.ambiguous, run.reason?.retryable],
    ["submit_unknown", true, false],
  );
  assert.equal(clock.countTimers(), 0);
});

test("timeoutMs of a run ends one whose key never comes, and nothing is in doubt", async (t) => {
  const clock = stopClock(t);
  const run = watch(client(stubFetch(), { apiKey: never }).run(PICTURE, { timeoutMs: 10_000 }));
  await turns(3);
  clock.tick(10_000);
  await turns(3);
  assert.deepEqual([run.reason?.code, run.reason?.ambiguous], ["deadline", false]);
});

test("timeoutMs of a run ends one whose onSubmitted hangs, with the handle, after a last request", async (t) => {
  const clock = stopClock(t);
  const fetch = stubFetch(accepted(), () => reading("IN_PROGRESS"));
  const run = watch(client(fetch).run(PICTURE, { timeoutMs: 10_000, onSubmitted: never }));
  await turns(10);
  clock.tick(10_000);
  await turns(10);
  assert.deepEqual([run.reason?.code, run.reason?.handle.id], ["deadline", "1712345678901234"]);
  assert.equal(fetch.calls.length, 2);
});

/* ── callbacks ──────────────────────────────────────────────────────── */

test("what onUpdate throws, or rejects with, is what the wait rejects with", async (t) => {
  const clock = stopClock(t);
  const mistake = { mine: true };
  const throwing = () => {
    throw mistake;
  };
  for (const onUpdate of [throwing, () => Promise.reject(mistake)]) {
    const fetch = stubFetch(reading("IN_PROGRESS"));
    const open = client(fetch, { onEvent: skipSleeps(clock) });
    assert.equal(await rejection(open.poll("1", { onUpdate })), mistake);
    assert.equal(fetch.calls.length, 1);
    assert.equal(clock.countTimers(), 0);
  }
});

test("an onEvent that throws, or rejects, changes nothing", async (t) => {
  const clock = stopClock(t);
  const skip = skipSleeps(clock);
  const listeners = [() => assert.fail("thrown"), () => Promise.reject(new Error("rejected"))];
  for (const listener of listeners) {
    const onEvent = (/** @type {any} */ event) => {
      skip(event);
      return /** @type {any} */ (listener());
    };
    const task = await client(stubFetch(accepted(), succeeded()), { onEvent }).run(PICTURE);
    assert.equal(task.status, "succeeded");
  }
});

test("what onSubmitted gives may call back twice and throw after it: the run goes on", async (t) => {
  const clock = stopClock(t);
  const then = (/** @type {() => void} */ done) => {
    done();
    done();
    throw new Error("too late");
  };
  const open = client(stubFetch(accepted(), succeeded()), { onEvent: skipSleeps(clock) });
  const run = watch(open.run(PICTURE, { onSubmitted: () => /** @type {any} */ ({ then }) }));
  await turns(20);
  assert.equal(run.value?.status, "succeeded");
});

test("onSubmitted is awaited before the first poll", async (t) => {
  const clock = stopClock(t);
  const fetch = stubFetch(accepted(), succeeded());
  let store = () => {};
  const stored = new Promise((resolve) => (store = () => resolve(undefined)));
  const onSubmitted = t.mock.fn(() => stored);
  const run = client(fetch, { onEvent: skipSleeps(clock) }).run(PICTURE, { onSubmitted });
  await turns(20);
  await clock.tickAsync(60_000);
  assert.equal(fetch.calls.length, 1);
  assert.equal(/** @type {any} */ (onSubmitted.mock.calls[0]).arguments[0].id, "1712345678901234");
  store();
  assert.equal((await run).status, "succeeded");
});

test("an onSubmitted that rejects, or throws, rejects the run, and nothing is polled", async () => {
  const full = new Error("disk full");
  const throwing = () => {
    throw full;
  };
  for (const onSubmitted of [throwing, () => Promise.reject(full)]) {
    const fetch = stubFetch(accepted());
    assert.equal(await rejection(client(fetch).run(PICTURE, { onSubmitted })), full);
    assert.equal(fetch.calls.length, 1);
  }
});

test("a callback that is no function is refused before anything is sent", async () => {
  const fetch = stubFetch();
  for (const name of ["onSubmitted", "onUpdate"]) {
    const error = await rejection(client(fetch).run(PICTURE, { [name]: "log" }));
    assert.deepEqual([error.code, error.details.field], ["validation", name]);
  }
  assert.equal(fetch.calls.length, 0);
});

/* ── a fetch of the caller's own ────────────────────────────────────── */

/** @type {[string, () => any, string][]} */
const oddReplies = [
  ["nothing", () => undefined, "network"],
  ["a body that was read already", readAlready, "network"],
  ["a body that is no stream", () => ({ status: 200, headers: new Headers(), body: {} }), "network"],
  ["a body of texts", () => textStream(), "network"],
];
for (const [name, reply, code] of oddReplies) {
  test(`a fetch that gives ${name} fails its own call and no other`, async () => {
    const open = client(stubFetch(never, reply));
    const other = watch(open.fetchTask("1"));
    const error = await rejection(open.submitImagine({ prompt: "a" }));
    assert.deepEqual([error.code, error.ambiguous], [code, true]);
    assert.equal(other.isSettled, false);
    open.close();
  });
}

async function readAlready() {
  const response = json({ code: 1, result: "1" });
  await response.text();
  return response;
}

function textStream() {
  return new Response(
    new ReadableStream({
      start(controller) {
        controller.enqueue("text");
        controller.close();
      },
    }),
  );
}

/** A package whose wasm has not been loaded yet. @returns {Promise<typeof import("comet-tasks")>} */
function freshPackage(word = "fresh") {
  const { resolve } = createRequire(join(folder, "tests.js"));
  return import(`${pathToFileURL(resolve("comet-tasks")).href}?${word}`);
}

/** @param {number} count */
async function turns(count) {
  for (let turned = 0; turned < count; turned += 1) await turn();
}
