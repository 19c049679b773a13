// Promises 1 and 2: nothing is billed twice, and no task that exists is lost.
import assert from "node:assert/strict";
import { test } from "node:test";
import { importInstalled } from "./installed.mjs";
import { skipSleeps, stopClock, turn } from "./support/clock.mjs";
import { BASE_URL, accepted, json, reading, rejection, stubFetch, succeeded } from "./support/replies.mjs";
import { serve, serveSockets } from "./support/servers.mjs";
import { watch } from "./support/trace.mjs";

const { createClient } = await importInstalled("comet-tasks");

const START = 1_750_000_000_000;
const ID = "1712345678901234";
const PICTURE = /** @type {const} */ ({ kind: "imagine", params: { prompt: "a" } });

/* ── a submit whose answer is lost ──────────────────────────────────── */

/** Each breaks the connection once the request has arrived as a whole. @type {[string, (response: any) => void, string][]} */
const losses = [
  ["the connection drops before any byte of the answer", (response) => response.socket.destroy(), "network"],
  ["the connection is reset", (response) => response.socket.resetAndDestroy(), "network"],
  ["half of the status line comes", (response) => response.socket.end("HTTP/1.1 2"), "network"],
  ["the headers come and no body", (response) => dropAfter(response, ""), "network"],
  ["half of the body comes", (response) => dropAfter(response, '{"code":1,"resu'), "network"],
  ["half of the JSON comes as if it were all", (response) => response.end('{"code":1,"resu'), "protocol"],
  ["the answer is empty", (response) => response.end(), "protocol"],
  ["the answer is a web page", (response) => response.end("<html>busy</html>"), "protocol"],
  ["the gateway gives up", (response) => response.writeHead(504).end("timeout"), "gateway"],
];
for (const [name, lose, code] of losses) {
  test(`a submit is sent once and is ambiguous when ${name}`, async (t) => {
    const { origin, log } = await serve(t, (_, response) => lose(response));
    const client = createClient({ baseUrl: origin });
    const submits = [client.submitImagine({ prompt: "a" }), client.submitVeo({ prompt: "a" })];
    for (const error of await Promise.all(submits.map(rejection))) {
      // A web page is proof that no such API is there at all.
      const ambiguous = name !== "the answer is a web page";
      assert.deepEqual([error.code, error.ambiguous, error.retryable], [code, ambiguous, false]);
    }
    assert.deepEqual(log.map(({ method, path }) => `${method} ${path}`).sort(), [
      "POST /mj/submit/imagine",
      "POST /v1/videos",
    ]);
  });
}

const WHOLE = JSON.stringify({ code: 1, description: "ok", result: ID });

test("an id that came is not lost when the connection drops before the end of the body", async (t) => {
  const { origin } = await serve(t, (_, response) => dropAfter(response, WHOLE));
  const handle = await createClient({ baseUrl: origin }).submitImagine({ prompt: "a" });
  assert.equal(handle.id, ID);
});

test("an id that came is not lost when the body never ends", async (t) => {
  const clock = stopClock(t);
  const body = new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode(WHOLE)),
  });
  const client = clientOf(stubFetch(new Response(body)));
  const submit = watch(client.submitImagine({ prompt: "a" }));
  await turns(5);
  assert.ok(!submit.isSettled, "more may come");
  clock.tick(120_000);
  await turns(5);
  assert.equal(submit.value?.id, ID);
  assert.equal(clock.countTimers(), 0);
});

test("a response of type error is no redirect: the submit may have left", async () => {
  const error = await rejection(clientOf(stubFetch(Response.error())).submitImagine({ prompt: "a" }));
  assert.deepEqual([error.code, error.ambiguous], ["network", true]);
});

test("an id is read from a fetch that knows no streams", async () => {
  const { status, headers } = accepted();
  const plain = /** @type {any} */ ({ status, headers, text: async () => WHOLE });
  assert.equal((await clientOf(stubFetch(plain)).submitImagine({ prompt: "a" })).id, ID);
  const long = { ...plain, text: async () => " ".repeat(1_048_577) };
  assert.equal((await rejection(clientOf(stubFetch(long)).submitImagine({ prompt: "a" }))).code, "too_large");
});

/** @param {import("node:http").ServerResponse} response @param {string} start */
function dropAfter(response, start) {
  response.writeHead(200, { "content-length": 100 });
  response.flushHeaders();
  response.write(start, () => response.socket?.end());
}

test("a submit whose connection drops before the request was read is sent once and is ambiguous", async (t) => {
  let connections = 0;
  const { origin } = await serveSockets(t, (socket) => {
    connections += 1;
    socket.destroy();
  });
  const error = await rejection(createClient({ baseUrl: origin }).submitImagine({ prompt: "a" }));
  assert.deepEqual([error.code, error.ambiguous, connections], ["network", true, 1]);
  assert.ok(error.cause instanceof Error);
});

test("a run whose submit is lost has one POST, no handle, and does not poll", async (t) => {
  const { origin, log } = await serve(t, (_, response) => response.destroy());
  const error = await rejection(createClient({ baseUrl: origin }).run(PICTURE));
  assert.deepEqual([error.ambiguous, error.retryable, error.handle, log.length], [true, false, undefined, 1]);
});

/* ── what proves that nothing was created ───────────────────────────── */

const noChannel = () => json({ error: { code: "model_not_found", message: "no channel" } }, 503);
/** Refusals after which a submit goes out again, and how often at most. @type {[string, () => Response, string, number][]} */
const refusals = [
  ["a 429", () => json({ message: "slow down" }, 429), "rate_limited", 3],
  ["an empty 429", () => json("", 429), "rate_limited", 3],
  ["a 429 web page", () => json("<html>slow down</html>", 429), "rate_limited", 3],
  ["code 30", () => json({ code: 30, description: "busy" }), "rate_limited", 3],
  ["code 23", () => json({ code: 23, description: "queue is full" }), "queue_full", 3],
  ["a full queue in words", () => json({ code: 9, description: "队列已满，请稍后尝试" }), "queue_full", 3],
  ["503 model_not_found", noChannel, "unavailable", 1],
];
for (const [name, refuse, code, resends] of refusals) {
  test(`${name} is sent again at most ${resends} times`, async (t) => {
    const clock = stopClock(t);
    const fetch = stubFetch(...Array(resends + 3).fill(refuse));
    const error = await rejection(clientOf(fetch, clock).submitImagine({ prompt: "a" }));
    assert.equal(fetch.calls.length, 1 + resends);
    assert.deepEqual([error.code, error.ambiguous, error.retryable], [code, false, true]);
  });

  test(`${name}, then an answer: one task`, async (t) => {
    const fetch = stubFetch(refuse, accepted());
    const handle = await clientOf(fetch, stopClock(t)).submitImagine({ prompt: "a" });
    assert.equal(handle.id, ID);
    assert.equal(fetch.calls.length, 2);
    assert.equal(fetch.calls[1]?.body, fetch.calls[0]?.body);
  });
}

test("503 model_not_found after another refusal is not sent again: it had its one more try", async (t) => {
  const fetch = stubFetch(json("", 429), noChannel, accepted());
  const error = await rejection(clientOf(fetch, stopClock(t)).submitImagine({ prompt: "a" }));
  assert.deepEqual([error.code, fetch.calls.length], ["unavailable", 2]);
});

const STATUSES = [
  400, 401, 402, 403, 404, 405, 408, 409, 410, 413, 422, 425, 500, 501, 502, 503, 504, 520, 524,
];
const BODIES = [
  "",
  "<html></html>",
  "busy",
  "{}",
  '{"code":5,"description":"x"}',
  '{"error":{"message":"x"}}',
  '{"mess',
];
for (const status of STATUSES) {
  test(`a ${status} is never sent again, whatever it says`, async () => {
    for (const body of BODIES) {
      const fetch = stubFetch(...Array(3).fill(() => json(body, status)));
      await rejection(clientOf(fetch).submitImagine({ prompt: "a" }));
      assert.equal(fetch.calls.length, 1, body);
    }
  });
}

for (const code of [-1, 0, 2, 3, 4, 5, 7, 9, 10, 24, 25, 99]) {
  test(`code ${code} in a 200 is never sent again`, async () => {
    const fetch = stubFetch(json({ code, description: "no" }), accepted());
    await rejection(clientOf(fetch).submitImagine({ prompt: "a" }));
    assert.equal(fetch.calls.length, 1);
  });
}

for (const code of [1, 21, 22]) {
  test(`code ${code} with an id is a task`, async () => {
    const fetch = stubFetch(json({ code, description: "fine", result: ID }));
    const handle = await clientOf(fetch).submitImagine({ prompt: "a" });
    assert.deepEqual([handle.id, handle.code, fetch.calls.length], [ID, code, 1]);
  });
}

test("an upload is sent again after nothing", async () => {
  for (const answer of [json("", 429), json({ code: 23 }), json("", 503), new Error("reset")]) {
    const fetch = stubFetch(answer, accepted());
    await rejection(clientOf(fetch).uploadImages([new Uint8Array([1])]));
    assert.equal(fetch.calls.length, 1);
  }
});

/* ── pauses ─────────────────────────────────────────────────────────── */

test("a submit is sent again with full jitter under 1, 2 and 4 s", async (t) => {
  const clock = stopClock(t);
  t.mock.method(Math, "random", () => 0.999);
  const sentAt = timesOf(Array(4).fill(() => json("", 429)));
  await rejection(clientOf(sentAt.fetch, clock).submitImagine({ prompt: "a" }));
  assert.deepEqual(sentAt.pauses(), [999, 1998, 3996]);
});

test("Retry-After lengthens the pause, in seconds or as a date, and never shortens it", async (t) => {
  const clock = stopClock(t);
  t.mock.method(Math, "random", () => 0.5);
  const date = new Date(START + 30_000).toUTCString();
  const sentAt = timesOf([
    () => json("", 429, { "retry-after": "20" }),
    () => json("", 429, { "retry-after": date }),
    () => json("", 429, { "retry-after": "0" }),
    accepted,
  ]);
  await clientOf(sentAt.fetch, clock).submitImagine({ prompt: "a" });
  assert.deepEqual(sentAt.pauses(), [20_000, 10_000, 2_000]);
});

test("no submit is sent again when that would be after requestTimeoutMs, or a run's timeoutMs", async (t) => {
  const clock = stopClock(t);
  const busy = () => json("", 429, { "retry-after": "60" });
  /** @type {[object, number][]} */
  const limits = [
    [{ requestTimeoutMs: 59_000 }, 1],
    [{ requestTimeoutMs: 119_000 }, 2],
    [{}, 3],
    [{ requestTimeoutMs: null }, 4],
    [{ timeoutMs: 59_000 }, 1],
  ];
  for (const [options, posts] of limits) {
    const fetch = stubFetch(...Array(6).fill(busy));
    const error = await rejection(clientOf(fetch, clock).run(PICTURE, options));
    assert.deepEqual([error.code, error.retryAfterMs, fetch.calls.length], ["rate_limited", 60_000, posts]);
  }
});

test("an abort between two attempts rejects with its reason, and nothing more is sent", async (t) => {
  const clock = stopClock(t);
  const controller = new AbortController();
  const fetch = stubFetch(json("", 429, { "retry-after": "30" }), accepted());
  const submit = watch(clientOf(fetch).submitImagine({ prompt: "a" }, { signal: controller.signal }));
  while (clock.countTimers() === 0 || fetch.calls.length === 0) await turn();
  await turns(10);
  controller.abort("enough");
  await turn();
  assert.equal(submit.reason, "enough");
  await clock.runAllAsync();
  assert.equal(fetch.calls.length, 1);
});

/** A fetch that notes when it was called. @param {(() => Response)[]} answers */
function timesOf(answers) {
  /** @type {number[]} */
  const times = [];
  const fetch = stubFetch(...answers.map((answer) => () => (times.push(Date.now()), answer())));
  const pauses = () => times.slice(1).map((time, at) => time - /** @type {number} */ (times[at]));
  return { fetch, pauses };
}

/* ── once the id is known ───────────────────────────────────────────── */

/** What ends a wait, and its code. @type {[string, any[], object, string][]} */
const ends = [
  ["the task fails", [() => reading("FAILURE", { failReason: "no" })], {}, "task_failed"],
  ["the task is canceled", [() => reading("CANCEL")], {}, "task_canceled"],
  ["the key is refused", [() => json("", 401)], {}, "unauthorized"],
  ["a firewall answers", [() => json("<html></html>", 403)], {}, "forbidden"],
  ["a redirect comes", [() => json("", 302)], {}, "redirect"],
  [
    "the requests are used up",
    Array(2).fill(() => reading("IN_PROGRESS")),
    { maxRequests: 2 },
    "request_budget",
  ],
  ["the time is over", Array(99).fill(() => reading("IN_PROGRESS")), { timeoutMs: 20_000 }, "deadline"],
  ["every read fails", Array(99).fill(() => json("", 502)), {}, "gateway"],
  ["every connection fails", Array(99).fill(() => new Error("reset")), {}, "network"],
  ["no result ever shows", Array(99).fill(() => reading("SUCCESS")), {}, "no_asset"],
];
for (const [name, answers, options, code] of ends) {
  test(`when ${name}, a run's error carries the handle and says not to repeat it`, async (t) => {
    const clock = stopClock(t);
    const fetch = stubFetch(accepted(), ...answers.map((answer) => () => answer()));
    const error = await rejection(clientOf(fetch, clock).run(PICTURE, { intervalMs: 1_000, ...options }));
    assert.deepEqual([error.code, error.handle?.id], [code, ID]);
    assert.deepEqual([error.retryable, error.ambiguous], [false, false]);
    assert.equal(posts(fetch), 1);
  });

  test(`when ${name}, a wait's error carries the handle, and poll goes on with it`, async (t) => {
    const clock = stopClock(t);
    const fetch = stubFetch(...answers.map((answer) => () => answer()));
    const options_ = { intervalMs: 1_000, ...options };
    const error = await rejection(clientOf(fetch, clock).poll(ID, options_));
    assert.deepEqual([error.code, error.ambiguous], [code, false]);
    const stored = JSON.parse(JSON.stringify(error.handle));
    const later = stubFetch(succeeded());
    assert.equal((await clientOf(later, clock).poll(stored, { intervalMs: 1_000 })).status, "succeeded");
    assert.equal(later.calls[0]?.path, `/mj/task/${ID}/fetch`);
  });
}

test("a poll through two 503s and a dropped connection resolves", async (t) => {
  const clock = stopClock(t);
  const { origin, log } = await serve(t, (_, response, index) => {
    if (index < 2) response.writeHead(503).end();
    else if (index === 2) response.socket?.destroy();
    else response.end(JSON.stringify({ id: ID, status: "SUCCESS", imageUrl: "https://cdn.example/1.png" }));
  });
  const client = createClient({ baseUrl: origin, onEvent: skipSleeps(clock) });
  const task = await client.poll(ID);
  assert.deepEqual([task.status, task.images, log.length], ["succeeded", ["https://cdn.example/1.png"], 4]);
});

test("an error status over the name of a task is ambiguous and carries the handle", async () => {
  const fetch = stubFetch(json({ code: 1, description: "fine", result: ID }, 502), succeeded());
  const client = clientOf(fetch);
  const error = await rejection(client.submitImagine({ prompt: "a" }));
  assert.deepEqual([error.ambiguous, error.retryable, error.handle.id], [true, false, ID]);
  assert.equal((await client.fetchTask(error.handle)).status, "succeeded");
});

/** @param {ReturnType<typeof stubFetch>} fetch @param {any} [clock] */
function clientOf(fetch, clock) {
  return createClient({ baseUrl: BASE_URL, fetch, ...(clock && { onEvent: skipSleeps(clock) }) });
}

/** @param {ReturnType<typeof stubFetch>} fetch */
function posts(fetch) {
  return fetch.calls.filter(({ method }) => method === "POST").length;
}

/** @param {number} count */
async function turns(count) {
  for (let turned = 0; turned < count; turned += 1) await turn();
}
