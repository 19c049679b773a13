// In workerd no timer, fetch, body or promise of one request may be waited for by another: the runtime kills the one that
// does. So a client at module scope must share nothing of the kind between its calls.
import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { Miniflare, Response } from "miniflare";
import { LEAVE } from "../../../pkg/src/events.js";
import { wasmFolder } from "../../../tools/build.mjs";
import { withPanicIn } from "../support/patch.mjs";
import { clientModules } from "./modules.mjs";

/** A Worker that hangs is a red test, not a hung run. */
const LIMIT = { timeout: 20_000 };

/** @type {Miniflare} */
let worker;
/** What workerd had to say. */
let noise = "";

/** The service: each task is running when it is read for the first time, and done the second time. */
const service = {
  /** @type {Map<string, number>} */
  reads: new Map(),
  /** @type {string[]} */
  log: [],
  /** The reading that finds a task done. */
  last: 2,
  /** Told of each request when it arrives. */
  arrivals: new EventEmitter(),
  /** Awaited before the answer to a request. @type {(step: string) => any} */
  gate: () => {},
};

before(async () => (worker = await start(await clientModules("worker.mjs"))));
after(() => worker.dispose());
beforeEach(() => {
  service.reads.clear();
  service.log = [];
  service.last = 2;
  service.gate = () => {};
});

/** @param {Awaited<ReturnType<typeof clientModules>>} modules */
async function start(modules) {
  const started = new Miniflare({
    cf: false,
    compatibilityDate: "2026-01-01",
    modules,
    outboundService: serve,
    handleRuntimeStdio: (/** @type {import("node:stream").Readable[]} */ ...streams) => {
      for (const stream of streams) stream.on("data", (chunk) => (noise += chunk));
    },
  });
  await started.ready;
  return started;
}

/** @param {any} request */
async function serve(request) {
  const { pathname } = new URL(request.url);
  if (request.method === "POST") {
    const { prompt } = /** @type {any} */ (await request.json());
    await arrive(`submit ${prompt}`);
    return Response.json({ code: 1, description: "submit success", result: prompt });
  }
  const id = pathname.split("/")[3] ?? "";
  const read = (service.reads.get(id) ?? 0) + 1;
  service.reads.set(id, read);
  await arrive(`read ${id} ${read}`);
  const done = { status: "SUCCESS", progress: "100%", imageUrl: `https://cdn.example/${id}.png` };
  return Response.json({
    id,
    action: "IMAGINE",
    progress: `${read * 10}%`,
    status: "IN_PROGRESS",
    ...(read >= service.last && done),
  });
}

/** @param {string} step */
async function arrive(step) {
  service.log.push(step);
  service.arrivals.emit(step);
  await service.gate(step);
}

/** A promise, and what resolves it. */
function latch() {
  let open = () => {};
  const opened = new Promise((resolve) => (open = () => resolve(undefined)));
  return { open, opened };
}

/** @param {string} path @param {object} [init] @param {Miniflare} [by] @returns {Promise<any>} */
async function ask(path, init, by = worker) {
  const reply = await by.dispatchFetch(`http://worker.example${path}`, init);
  const text = await reply.text();
  assert.ok(text.startsWith("{"), text);
  return JSON.parse(text);
}

/** @param {any} task @param {string} id */
function assertDone(task, id) {
  assert.deepEqual(
    [task.status, task.images],
    ["succeeded", [`https://cdn.example/${id}.png`]],
    JSON.stringify(task),
  );
}

test("two requests after one another each submit and wait with the same client", LIMIT, async () => {
  assertDone(await ask("/run?prompt=first"), "first");
  assertDone(await ask("/run?prompt=second"), "second");
  assert.deepEqual(
    service.log,
    ["first", "second"].flatMap((id) => [`submit ${id}`, `read ${id} 1`, `read ${id} 2`]),
  );
});

test("two overlapping requests both succeed, whichever of them is answered first", LIMIT, async () => {
  for (const [one, other] of [
    ["a", "b"],
    ["d", "c"],
  ]) {
    const arrived = { [`submit ${one}`]: latch(), [`submit ${other}`]: latch() };
    // Neither submit is answered before both are under way; then one waits for the other's first reading.
    const read = latch();
    service.gate = async (step) => {
      arrived[step]?.open();
      await Promise.all(Object.values(arrived).map(({ opened }) => opened));
      if (step === `read ${other} 1`) read.open();
      if (step === `read ${one} 1`) await read.opened;
    };
    const [task, otherTask] = await Promise.all([ask(`/run?prompt=${one}`), ask(`/run?prompt=${other}`)]);
    assertDone(task, one ?? "");
    assertDone(otherTask, other ?? "");
  }
});

test("a request whose elder has finished while it waited goes on", LIMIT, async () => {
  const [younger, finished] = [latch(), latch()];
  service.gate = async (step) => {
    if (step === "read elder 1") await younger.opened;
    if (step !== "read younger 1") return;
    younger.open();
    await finished.opened;
  };
  const elderWaits = once(service.arrivals, "read elder 1");
  const elder = ask("/run?prompt=elder");
  await elderWaits;
  const waiting = ask("/run?prompt=younger");
  assertDone(await elder, "elder");
  finished.open();
  assertDone(await waiting, "younger");
});

test("a request whose elder was disconnected while both waited goes on", LIMIT, async () => {
  const [left, bothWait] = [latch(), latch()];
  service.gate = async (step) => {
    if (step === "read gone 1") await new Promise(() => {});
    if (step !== "read stays 1") return;
    bothWait.open();
    await left.opened;
  };
  const caller = new AbortController();
  const goneWaits = once(service.arrivals, "read gone 1");
  const gone = ask("/run?prompt=gone", { signal: caller.signal }).catch((error) => error);
  await goneWaits;
  const stays = ask("/run?prompt=stays");
  await bothWait.opened;
  caller.abort();
  assert.ok((await gone) instanceof Error);
  left.open();
  assertDone(await stays, "stays");
  assertDone(await ask("/run?prompt=after"), "after");
});

test("a request that aborts its own call leaves the other one alone", LIMIT, async () => {
  const aborted = latch();
  service.gate = (step) => (step === "read other 2" ? aborted.opened : undefined);
  const other = ask("/run?prompt=other");
  assert.deepEqual(await ask("/abort?prompt=self"), { thrown: "enough" });
  aborted.open();
  assertDone(await other, "other");
  assert.deepEqual(
    service.log.filter((step) => step.includes("self")),
    ["submit self", "read self 1"],
  );
});

test("one request submits, and another one polls while the first is long gone", LIMIT, async () => {
  const { id } = await ask("/submit?prompt=kept");
  const polls = await Promise.all([ask(`/poll?prompt=${id}`), ask(`/poll?prompt=${id}`)]);
  for (const task of polls) assertDone(task, "kept");
});

test("twenty overlapping requests all succeed", LIMIT, async () => {
  const ids = Array.from({ length: 20 }, (_, index) => `many${index}`);
  const tasks = await Promise.all(ids.map((id) => ask(`/run?prompt=${id}`)));
  tasks.forEach((task, index) => assertDone(task, ids[index] ?? ""));
  assert.equal(service.log.filter((step) => step.startsWith("submit")).length, 20);
});

test("webhooks of two requests are read by the one reader", LIMIT, async () => {
  const body = JSON.stringify({ id: "1", status: "SUCCESS", imageUrl: "https://cdn.example/hook.png" });
  const init = { method: "POST", body };
  const tasks = [
    await ask("/webhook", init),
    ...(await Promise.all([ask("/webhook", init), ask("/webhook", init)])),
  ];
  for (const task of tasks) assertDone(task, "hook");
});

test("a wait ends where the clock stands still while the Worker computes", LIMIT, async () => {
  service.last = 5;
  const seen = await ask("/clock?prompt=frozen");
  assert.deepEqual(seen, { status: "succeeded", progress: [10, 20, 30, 40, 100] });
  assert.equal(service.log.length, 5);
});

test(
  "a wait that the Worker drives itself ends there too, and asks nothing before its time",
  LIMIT,
  async () => {
    service.last = 5;
    assert.deepEqual(await ask("/steps?prompt=driven"), { status: "succeeded", early: 0 });
    assert.equal(service.log.length, 5);
  },
);

test("a panic settles the waits of the module's one client, and the next call works", LIMIT, async (t) => {
  const [script, wasm] = await clientModules("worker.mjs");
  const glue = await readFile(join(wasmFolder, "glue.js"), "utf8");
  const contents = withPanicIn(new Uint8Array(/** @type {Buffer} */ (wasm?.contents)), glue, "hear", LEAVE);
  const broken = await start(/** @type {any} */ ([script, { ...wasm, contents }]));
  t.after(() => broken.dispose());
  for (const request of ["first", "second"]) {
    const seen = await ask(`/panic?prompt=${request}`, {}, broken);
    assert.deepEqual(seen, { ended: ["panic", "enough"], status: "running" });
  }
});

test("the runtime never found the Worker hung, nor a promise of another request", () => {
  assert.ok(!/hung|cross-request|different request|Uncaught/i.test(noise), noise);
});
