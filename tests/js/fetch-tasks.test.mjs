// fetchTasks: one reading of many, in as few requests as the service allows.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { importInstalled } from "./installed.mjs";
import { stopClock, turn } from "./support/clock.mjs";
import { BASE_URL, json, rejection, stubFetch } from "./support/replies.mjs";
import { countListeners, watch } from "./support/trace.mjs";

const { createClient, init, isCometError } = await importInstalled("comet-tasks");
await init();

/** @type {unknown[]} */
const unhandled = [];
process.on("unhandledRejection", (reason) => unhandled.push(reason));
after(() => assert.deepEqual(unhandled, [], "no rejection is left unhandled"));

/** @param {any} fetch @param {object} [options] */
function clientOf(fetch, options) {
  return createClient({ baseUrl: BASE_URL, fetch, ...options });
}

/** @param {any} call @returns {string[]} */
const idsOf = (call) => JSON.parse(call.body).ids;
/** @param {string} id @param {string} [status] */
const row = (id, status = "IN_PROGRESS") => ({ id, status, progress: "10%" });
/** The rows of what was asked, last first. @param {any} call */
const listed = (call) =>
  json(
    idsOf(call)
      .map((id) => row(id))
      .reverse(),
  );
/** @param {any} call */
const single = (call) => json({ ...row(call.path.split("/")[3]), own: true });
/** @param {any} call */
const video = (call) => json({ id: call.path.split("/")[3], status: "in_progress", progress: 5 });
/** @param {number} count */
const ids = (count) => Array.from({ length: count }, (_, at) => `17123456789${at}`);
/** @param {any} fetch */
const paths = (fetch) => fetch.calls.map((/** @type {any} */ { path }) => path);

test("Midjourney's go by the list and videos one by one, in the order of the input", async () => {
  const fetch = stubFetch(listed, video, video);
  const wanted = ["1", "task_a", "2", "video_b", "3"];
  const tasks = /** @type {any[]} */ (await clientOf(fetch).fetchTasks(wanted));
  assert.deepEqual(
    tasks.map(({ handle, status }) => `${handle.id} ${status}`),
    wanted.map((id) => `${id} running`),
  );
  assert.deepEqual(paths(fetch), ["/mj/task/list-by-condition", "/v1/videos/task_a", "/v1/videos/video_b"]);
  assert.equal(fetch.calls[0].method, "POST");
  assert.deepEqual(idsOf(fetch.calls[0]), ["1", "2", "3"]);
});

test("a list request names at most a hundred", async () => {
  const fetch = stubFetch(listed, listed, listed);
  const tasks = /** @type {any[]} */ (await clientOf(fetch).fetchTasks(ids(230)));
  assert.deepEqual(
    tasks.map(({ handle }) => handle.id),
    ids(230),
  );
  assert.deepEqual(
    fetch.calls.map((call) => idsOf(call).length),
    [100, 100, 30],
  );
});

test("one handle alone is asked by its own address", async () => {
  const fetch = stubFetch(single);
  assert.equal((await clientOf(fetch).fetchTasks(["1"])).length, 1);
  assert.deepEqual(paths(fetch), ["/mj/task/1/fetch"]);
});

test("nothing is asked for nothing", async () => {
  assert.deepEqual(await clientOf(stubFetch()).fetchTasks([]), []);
});

test("a task that is named twice is asked for once, and stands in both places with its handle there", async () => {
  const fetch = stubFetch(listed);
  const handle = { v: 1, family: "midjourney", kind: "video", id: "1", submittedAt: 5, state: "mine" };
  const tasks = /** @type {any[]} */ (
    await clientOf(fetch).fetchTasks(["1", "2", /** @type {any} */ (handle), "1"])
  );
  assert.deepEqual(idsOf(fetch.calls[0]), ["1", "2"]);
  assert.deepEqual(
    tasks.map(({ handle: { id, kind } }) => `${id} ${kind}`),
    ["1 imagine", "2 imagine", "1 video", "1 imagine"],
  );
  assert.deepEqual(tasks[2].handle, handle);
  assert.equal(tasks[2].raw.id, "1");
});

test("a task that the service does not know is null", async () => {
  const unknown = json({ code: "task_not_exist", message: "task_not_exist", data: null }, 400);
  const fetch = stubFetch(json([row("2")]), unknown);
  const tasks = await clientOf(fetch).fetchTasks(["1", "2", "task_a"]);
  assert.deepEqual(
    tasks.map((task) => task && "status" in task && task.status),
    [null, "running", null],
  );
});

test("a single reading that failed is its error in its place", async () => {
  const broken = new TypeError("no way");
  const fetch = stubFetch(video, json("", 503), broken);
  const [good, gateway, network] = /** @type {any[]} */ (
    await clientOf(fetch).fetchTasks(["task_a", "task_b", "task_c"])
  );
  assert.equal(good.status, "running");
  assert.ok(isCometError(gateway) && isCometError(network));
  assert.deepEqual([gateway.code, gateway.status, gateway.handle?.id], ["gateway", 503, "task_b"]);
  assert.deepEqual([network.code, network.handle?.id, network.cause], ["network", "task_c", broken]);
});

test("a list that failed is each of its tasks' error, and no further request", async () => {
  const fetch = stubFetch(json({ message: "slow down" }, 429, { "Retry-After": "7" }));
  const errors = /** @type {any[]} */ (await clientOf(fetch).fetchTasks(["1", "2"]));
  assert.deepEqual(
    errors.map(({ code, retryAfterMs, handle }) => [code, retryAfterMs, handle.id]),
    [
      ["rate_limited", 7_000, "1"],
      ["rate_limited", 7_000, "2"],
    ],
  );
  assert.equal(fetch.calls.length, 1);
});

for (const [name, answer] of /** @type {[string, () => Response][]} */ ([
  ["404", () => json({ error: { message: "Invalid URL" } }, 404)],
  ["405", () => json("", 405)],
  ["501", () => json("", 501)],
  ["a web page", () => json("<!doctype html><html></html>", 200, { "Content-Type": "text/html" })],
  ["an object", () => json({ code: 4, description: "do_request_failed " })],
])) {
  test(`a gateway that answers the list with ${name} is asked singly from then on`, async () => {
    const fetch = stubFetch(answer, single, single, single, single);
    const client = clientOf(fetch);
    for (let round = 0; round < 2; round += 1) {
      const tasks = /** @type {any[]} */ (await client.fetchTasks(["1", "2"]));
      assert.deepEqual(
        tasks.map((task) => task.raw.own),
        [true, true],
      );
    }
    const singles = ["/mj/task/1/fetch", "/mj/task/2/fetch"];
    assert.deepEqual(paths(fetch), ["/mj/task/list-by-condition", ...singles, ...singles]);
  });
}

test("raw is the task's own row, the most advanced of two, whatever digits its id has", async () => {
  const long = "14001934816969359";
  const text = `[{"id":"1","status":"MODAL"},{"id":${long},"status":"SUBMITTED","mark":"long"},
    {"id":"1","status":"IN_PROGRESS","mark":"live"},{"id":"1","status":"SUBMITTED"}]`;
  const fetch = stubFetch(json(text), json(`{"data":${text}}`));
  const client = clientOf(fetch);
  for (let round = 0; round < 2; round += 1) {
    const tasks = /** @type {any[]} */ (await client.fetchTasks(["1", long]));
    assert.deepEqual(
      tasks.map(({ raw }) => raw.mark),
      ["live", "long"],
    );
    assert.equal(tasks[0].rawStatus, "IN_PROGRESS");
    assert.equal("row" in tasks[0], false);
  }
});

test("at most six requests are in flight", async () => {
  let [inFlight, most] = [0, 0];
  const fetch = async (/** @type {string} */ url) => {
    most = Math.max(most, ++inFlight);
    await turn();
    inFlight -= 1;
    return video({ path: new URL(url).pathname });
  };
  const wanted = Array.from({ length: 40 }, (_, at) => `task_${at}`);
  const tasks = /** @type {any[]} */ (await clientOf(fetch).fetchTasks(wanted));
  assert.deepEqual(
    tasks.map(({ handle }) => handle.id),
    wanted,
  );
  assert.equal(most, 6);
});

/* ── the whole call ─────────────────────────────────────────────────── */

test("a bad handle rejects the whole call, and nothing is sent", async () => {
  const fetch = stubFetch();
  const client = clientOf(fetch);
  /** @type {[any, string][]} */
  const wrong = [
    [["1", ""], "handles[1]"],
    [["1", "2", { id: "3" }], "handles[2].v"],
    [[undefined], "handles[0]"],
    [[NaN], "0"],
    ["1", "handles"],
    [undefined, "handles"],
    [{ 0: "1", length: 1 }, "handles"],
  ];
  for (const [handles, field] of wrong) {
    const error = await rejection(client.fetchTasks(handles));
    assert.deepEqual([error.code, error.operation, error.details.field], ["validation", "fetchTasks", field]);
  }
  const error = await rejection(client.fetchTasks(["1"], /** @type {any} */ (null)));
  assert.equal(error.code, "validation");
  assert.equal(fetch.calls.length, 0);
});

for (const [status, code] of /** @type {[number, string][]} */ ([
  [401, "unauthorized"],
  [403, "forbidden"],
])) {
  test(`${status} rejects the whole call and ends its other requests`, async () => {
    /** @type {AbortSignal[]} */
    const signals = [];
    const fetch = stubFetch(
      ({ init }) => new Promise(() => signals.push(/** @type {any} */ (init.signal))),
      () => json({}, status),
    );
    const error = await rejection(clientOf(fetch).fetchTasks(["1", "2", "task_a"]));
    assert.deepEqual([error.code, error.status], [code, status]);
    assert.deepEqual(
      signals.map(({ aborted }) => aborted),
      [true],
    );
  });
}

test("an abort rejects with its reason in the same turn, and leaves nothing behind", async (t) => {
  const clock = stopClock(t);
  const controller = new AbortController();
  const count = countListeners(controller.signal);
  const fetch = stubFetch(...Array(6).fill(() => new Promise(() => {})));
  const wanted = Array.from({ length: 10 }, (_, at) => `task_${at}`);
  const call = watch(clientOf(fetch).fetchTasks(wanted, { signal: controller.signal }));
  for (let turned = 0; turned < 5; turned += 1) await turn();
  controller.abort("enough");
  await turn();
  assert.equal(call.reason, "enough");
  assert.deepEqual([fetch.calls.length, clock.countTimers(), count.listeners], [6, 0, 0]);
});

test("closing the client ends it", async (t) => {
  const clock = stopClock(t);
  const client = clientOf(stubFetch(() => new Promise(() => {})));
  const call = watch(client.fetchTasks(["1", "2"]));
  for (let turned = 0; turned < 5; turned += 1) await turn();
  client.close();
  await turn();
  assert.deepEqual([call.reason?.code, clock.countTimers()], ["closed", 0]);
});
