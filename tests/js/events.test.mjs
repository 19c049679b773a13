// What `onEvent` is told: each call's end once, with its task and how it ended, and of a repetition when it comes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { importInstalled } from "./installed.mjs";
import { stopClock, turn } from "./support/clock.mjs";
import { BASE_URL, accepted, json, reading, stubFetch, succeeded } from "./support/replies.mjs";
import { watch } from "./support/trace.mjs";

const { createClient, init } = await importInstalled("comet-tasks");
await init();

const ID = "1712345678901234";
const PICTURE = /** @type {const} */ ({ kind: "imagine", params: { prompt: "a" } });
const never = () => new Promise(() => {});

/** @param {number} [count] */
async function turns(count = 10) {
  for (let turned = 0; turned < count; turned += 1) await turn();
}

/** A client with these answers, and what its listener was told. @param {...any} answers */
function scene(...answers) {
  /** @type {any[]} */
  const events = [];
  const fetch = stubFetch(...answers);
  const client = createClient({ baseUrl: BASE_URL, fetch, onEvent: (event) => events.push(event) });
  const told = (/** @type {string} */ type) => events.filter((event) => event.type === type);
  const ends = () => told("settled").map((event) => [event.operation, event.outcome, event.id]);
  return { client, told, ends };
}

test("each call tells of its end once, with its task and its outcome", async (t) => {
  const clock = stopClock(t);
  /** @type {[any[], (client: any) => Promise<any>, any[]][]} */
  const cases = [
    [[succeeded()], (client) => client.poll(ID), ["poll", "succeeded", ID]],
    [[succeeded()], (client) => client.fetchTask(ID), ["fetchTask", "succeeded", ID]],
    [[reading("IN_PROGRESS")], (client) => client.pollOnce(ID), ["pollOnce", "running", ID]],
    [[accepted()], (client) => client.submitImagine({ prompt: "a" }), ["midjourney.imagine", "queued", ID]],
    [[accepted(), succeeded()], (client) => client.run(PICTURE), ["midjourney.imagine", "succeeded", ID]],
    [[json({}, 401)], (client) => client.poll(ID), ["poll", "unauthorized", ID]],
    [
      [json({ code: 1, result: "7" })],
      (client) => client.imageSeed(ID),
      ["midjourney.seed", "succeeded", ID],
    ],
  ];
  for (const [answers, call, end] of cases) {
    const { client, ends } = scene(...answers);
    const seen = watch(call(client));
    await turns();
    clock.tick(15_000);
    await turns();
    assert.ok(seen.isSettled);
    assert.deepEqual(ends(), [end]);
    client.close();
    assert.equal(ends().length, 1);
  }
});

test("calls that closing ends tell that, and those that a signal ends that they were aborted", async () => {
  for (const outcome of ["closed", "aborted"]) {
    const { client, ends, told } = scene(never, never, never);
    const controller = new AbortController();
    const { signal } = controller;
    const calls = [client.poll(ID, { signal }), client.fetchTask(ID, { signal })];
    [...calls, client.submitImagine({ prompt: "a" }, { signal })].forEach(watch);
    await turns();
    if (outcome === "closed") client.close();
    else controller.abort();
    await turns();
    const word = outcome === "closed" ? "closed" : "submit_unknown";
    assert.deepEqual(ends().sort(), [
      ["fetchTask", outcome, ID],
      ["midjourney.imagine", word, undefined],
      ["poll", outcome, ID],
    ]);
    const inDoubt = told("settled").filter((event) => event.ambiguous);
    assert.deepEqual(
      inDoubt.map((event) => event.operation),
      ["midjourney.imagine"],
    );
  }
});

test("a read that is made again tells after how long, and one that ends its wait is no repetition", async (t) => {
  const clock = stopClock(t);
  const { client, told } = scene(json({}, 503, { "retry-after": "7" }), json({}, 401));
  const wait = watch(client.poll(ID));
  await turns();
  const retries = () => told("retry").map((event) => [event.id, event.code, event.waitMs]);
  assert.deepEqual(retries(), [[ID, "gateway", 7_000]]);
  clock.tick(7_000);
  await turns();
  assert.equal(wait.reason.code, "unauthorized");
  assert.deepEqual(retries(), [[ID, "gateway", 7_000]]);
});

test("a step tells after how long its failed read is to be made again", async () => {
  const { client, told } = scene(json({}, 429, { "retry-after": "40" }), json({}, 401));
  const { waitMs } = await client.pollOnce(ID);
  assert.equal(waitMs, 40_000);
  await watch(client.pollOnce(ID));
  await turns();
  assert.deepEqual(
    told("retry").map((event) => [event.code, event.waitMs]),
    [["rate_limited", 40_000]],
  );
});
