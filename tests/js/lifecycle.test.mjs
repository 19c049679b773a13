// Promise 3: every call settles, and an abort settles it at once, wherever it stands. The points at which a call waits are
// recorded from an undisturbed run; then the call is aborted, or its client closed, at each of them.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { importInstalled } from "./installed.mjs";
import { stopClock, turn } from "./support/clock.mjs";
import { BASE_URL, accepted, json, reading, succeeded } from "./support/replies.mjs";
import { World, countListeners, watch } from "./support/trace.mjs";

/** @typedef {import("./support/trace.mjs").Flow} Flow */

const { createClient } = await importInstalled("comet-tasks");

// The jitter of a pause decides whether there is one at all.
Math.random = () => 0.5;

/** @type {unknown[]} */
const unhandled = [];
process.on("unhandledRejection", (reason) => unhandled.push(reason));
after(() => assert.deepEqual(unhandled, [], "no rejection is left unhandled"));

const HANDLE = "1712345678901234";
const png = new Uint8Array([0x89, 0x50, 0x4e, 0x47]);
const busy = () => json({ code: 30, description: "too many requests" }, 429);
const reply = (/** @type {string} */ method) => [`${method} headers`].concat(Array(3).fill(`${method} body`));
const POST = ["key", ...reply("POST")];
const GET = ["key", ...reply("GET")];

/** A Blob without a type, of which the first bytes must be looked at. @param {World} world */
function slowBlob(world) {
  const blob = new Blob([png]);
  const arrayBuffer = () => world.wait("picture", () => png.buffer);
  // A copy that is given a type goes into a form, where only a real Blob is taken.
  const slice = (/** @type {any[]} */ ...range) => (range[2] ? blob : { arrayBuffer });
  return Object.assign(blob, { slice, arrayBuffer });
}

/** @type {Flow[]} */
const flows = [
  {
    name: "submitImagine, sent again after a 429",
    points: ["picture", "key", "picture", ...reply("POST"), "sleep", "key", "picture", ...reply("POST")],
    start: ({ client, world, options }) => {
      world.answers = [busy, accepted];
      return client.submitImagine({ prompt: "a", images: [slowBlob(world)] }, options);
    },
  },
  {
    name: "submitVeo",
    points: ["picture", ...POST],
    start: ({ client, world, options }) => {
      world.answers = [() => json({ id: "task_1", status: "queued" })];
      return client.submitVeo({ prompt: "a", inputReference: slowBlob(world) }, options);
    },
  },
  {
    name: "uploadImages",
    points: ["picture", "key", "picture", ...reply("POST")],
    start: ({ client, world, options }) => {
      world.answers = [() => json({ code: 1, result: ["https://cdn.example/up.png"] })];
      return client.uploadImages([slowBlob(world)], options);
    },
  },
  {
    name: "imageSeed",
    points: GET,
    start: ({ client, world, options }) => {
      world.answers = [() => json({ code: 1, result: "42" })];
      return client.imageSeed(HANDLE, options);
    },
  },
  {
    name: "fetchTask",
    points: GET,
    start: ({ client, world, options }) => {
      world.answers = [succeeded];
      return client.fetchTask(HANDLE, options);
    },
  },
  {
    name: "poll, through a 503",
    points: [...GET, "sleep", ...GET, "onUpdate", "sleep", ...GET, "onUpdate"],
    start: ({ client, world, options }) => {
      world.answers = [() => json("", 503), () => reading("IN_PROGRESS"), succeeded];
      return client.poll(HANDLE, options);
    },
  },
  {
    name: "watch, through a 503",
    points: [...GET, "sleep", ...GET, "onUpdate", "sleep", ...GET, "onUpdate"],
    start: async ({ client, world, options }) => {
      world.answers = [() => json("", 503), () => reading("IN_PROGRESS"), succeeded];
      const seen = [];
      for await (const { status } of client.watch(HANDLE, options)) seen.push(status);
      assert.deepEqual(seen, ["running", "succeeded"]);
    },
  },
  {
    name: "run",
    points: [...POST, "onSubmitted", "sleep", ...GET, "onUpdate"],
    start: ({ client, world, options }) => {
      world.answers = [accepted, succeeded];
      const onSubmitted = () => world.wait("onSubmitted", () => {});
      return client.run({ kind: "imagine", params: { prompt: "a" } }, { ...options, onSubmitted });
    },
  },
  {
    name: "downloadContent, with its body",
    points: GET,
    start: ({ client, world, options }) => {
      world.answers = [() => new Response("film", { headers: { "content-type": "video/mp4" } })];
      return client
        .downloadContent("task_1", options)
        .then((/** @type {Response} */ response) => response.text());
    },
  },
  {
    name: "downloadContent of an unfinished task",
    points: GET,
    start: ({ client, world, options }) => {
      world.answers = [() => json({ code: "x", message: "task is not completed yet" }, 400)];
      return client.downloadContent("task_1", options).catch((/** @type {any} */ error) => {
        if (error?.code !== "not_ready") throw error;
      });
    },
  },
];

/** @type {[string, any][]} */
const reasons = [
  ["an Error", new Error("enough")],
  ["a string", "enough"],
  ["nothing", undefined],
  ["an object", { enough: true }],
  ["null", null],
];

for (const flow of flows) {
  test(`${flow.name}: waits at the recorded points, and leaves nothing behind`, async (t) => {
    const { world, seen, count } = begin(flow, Infinity, stopClock(t));
    while (!seen.isSettled) await turn();
    assert.equal(seen.reason, undefined);
    assert.deepEqual(world.points, flow.points);
    assert.equal(count.listeners, 0);
    assert.equal(world.clock.countTimers(), 0);
  });

  for (const [name, reason] of reasons) {
    test(`${flow.name}: aborted with ${name} at each point`, async (t) => {
      const clock = stopClock(t);
      const end = (/** @type {Begun} */ { controller }) => controller.abort(reason);
      await endAtEachPoint(flow, clock, end, checkAborted);
    });
  }

  test(`${flow.name}: its client closed at each point`, async (t) => {
    const clock = stopClock(t);
    const end = (/** @type {Begun} */ { client }) => client.close();
    await endAtEachPoint(flow, clock, end, checkClosed);
  });
}

/** @typedef {ReturnType<typeof begin>} Begun */

/** @param {Flow} flow @param {number} stopAt @param {any} clock */
function begin(flow, stopAt, clock) {
  const world = new World(stopAt, clock);
  const client = createClient({
    baseUrl: BASE_URL,
    apiKey: () => world.wait("key", () => "sk-0123456789"),
    fetch: /** @type {any} */ (world.fetch),
    onEvent: world.onEvent,
  });
  const controller = new AbortController();
  const count = countListeners(controller.signal);
  const options = { signal: controller.signal, onUpdate: () => world.pass("onUpdate") };
  const seen = watch(flow.start({ client, world, options }));
  return { world, client, controller, count, seen };
}

/**
 * @param {Flow} flow
 * @param {any} clock
 * @param {(begun: Begun) => void} end
 * @param {(begun: Begun, submitLeft: boolean) => void} check
 */
async function endAtEachPoint(flow, clock, end, check) {
  const visited = [];
  for (const at of flow.points.keys()) {
    const begun = begin(flow, at, clock);
    const { world, seen } = begun;
    world.atPass = () => end(begun);
    await Promise.race([world.reached, turns(200)]);
    visited.push(world.points[at]);
    /** @type {string} */
    const where = `at point ${at}, ${visited.at(-1)}`;
    if (visited.at(-1) !== "onUpdate") await endWait(begun, end, where);
    await turn();
    assert.equal(seen.isSettled, true, `settled in the same turn ${where}`);
    // The last reading is the result itself: what is done in its onUpdate comes too late.
    if (visited.at(-1) !== "onUpdate" || at < flow.points.length - 1)
      check(begun, flow.name !== "uploadImages" && isSubmitOut(world.points));
    await checkNothingLeft(begun, where);
  }
  assert.deepEqual(visited, flow.points);
}

/** @param {Begun} begun @param {(begun: Begun) => void} end @param {string} where */
async function endWait(begun, end, where) {
  await turn();
  assert.equal(begun.seen.isSettled, false, `still waiting ${where}`);
  end(begun);
}

/** @param {number} count */
async function turns(count) {
  for (let turned = 0; turned < count; turned += 1) await turn();
}

/** Whether the request that is under way is a submit. @param {string[]} points */
function isSubmitOut(points) {
  return points.at(-1)?.startsWith("POST") ?? false;
}

/** @param {Begun} begun @param {boolean} submitLeft */
function checkAborted({ seen, controller }, submitLeft) {
  const { reason } = controller.signal;
  if (!submitLeft) return assert.equal(seen.reason, reason);
  assert.equal(seen.reason?.code, "submit_unknown");
  assert.equal(seen.reason.ambiguous, true);
  assert.equal(seen.reason.retryable, false);
  assert.equal(seen.reason.cause, reason);
}

/** @param {Begun} begun @param {boolean} submitLeft */
function checkClosed({ seen }, submitLeft) {
  assert.equal(seen.reason?.name, "CometError");
  assert.equal(seen.reason.code, "closed");
  assert.equal(seen.reason.ambiguous, submitLeft);
}

/** @param {Begun} begun @param {string} where */
async function checkNothingLeft({ world, count }, where) {
  const { requests } = world;
  assert.equal(count.listeners, 0, `no listener ${where}`);
  assert.equal(world.clock.countTimers(), 0, `no timer ${where}`);
  world.release();
  await turns(5);
  await world.clock.runAllAsync();
  assert.equal(world.requests, requests, `no later request ${where}`);
}
