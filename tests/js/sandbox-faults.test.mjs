// Faults by script, and prompts that ask for trouble.

import assert from "node:assert/strict";
import test from "node:test";
import { createKit, wireBody } from "./sandbox-kit.mjs";

const IMAGINE = { prompt: "a boat" };

test("drop_before rejects and creates nothing, drop_after rejects and creates the task", async () => {
  const kit = createKit({
    faults: [
      { on: "submit", at: 1, do: "drop_before" },
      { on: "submit", at: 2, do: "drop_after" },
    ],
  });
  await assert.rejects(kit.post("/mj/submit/imagine", IMAGINE), TypeError);
  assert.equal(kit.sandbox.submits, 0);
  await assert.rejects(kit.post("/mj/submit/imagine", IMAGINE), TypeError);
  assert.equal(kit.sandbox.submits, 1);
  assert.equal((await kit.post("/mj/submit/imagine", IMAGINE)).status, 200);
  assert.equal(kit.sandbox.requests.length, 3);
});

test("a stalled submit exists, and settles only with the signal's reason", async () => {
  const kit = createKit({ faults: [{ on: "submit", at: 1, do: "stall" }] });
  const gone = new AbortController();
  const headers = { "Content-Type": "application/json" };
  const init = { method: "POST", headers, body: JSON.stringify(IMAGINE), signal: gone.signal };
  const pending = kit.ask("/mj/submit/imagine", init);
  const state = Promise.race([pending, new Promise((resolve) => setImmediate(resolve, "pending"))]);
  assert.equal(await state, "pending");
  assert.equal(kit.sandbox.submits, 1);
  gone.abort(new Error("enough"));
  await assert.rejects(pending, { message: "enough" });
});

test("each kind of request has its own count", async () => {
  const status = 503;
  const kit = createKit({
    faults: [
      { on: "read", at: 2, do: { status, headers: { "Retry-After": "2" }, body: "busy" } },
      { on: "asset", at: 1, do: { status } },
    ],
  });
  const id = await kit.finish("imagine", IMAGINE);
  const fetchTask = () => kit.ask(`/mj/task/${id}/fetch`);
  assert.equal((await fetchTask()).status, 200);
  const busy = await fetchTask();
  assert.deepEqual([busy.status, busy.headers.get("retry-after"), await busy.text()], [503, "2", "busy"]);
  assert.equal((await fetchTask()).status, 200);
  assert.equal((await kit.ask(`/mj/image/${id}`)).status, 503);
  assert.equal((await kit.ask(`/mj/image/${id}`)).status, 200);
});

test("a submit that meets a status creates nothing", async () => {
  const kit = createKit({ faults: [{ on: "submit", at: 1, do: { status: 429 } }] });
  assert.equal((await kit.post("/mj/submit/imagine", IMAGINE)).status, 429);
  assert.equal(kit.sandbox.submits, 0);
});

test("truncateAt cuts the body, and an asset still claims its length", async () => {
  const kit = createKit({
    faults: [
      { on: "submit", at: 1, do: { truncateAt: 12 } },
      { on: "asset", at: 1, do: { truncateAt: 12 } },
    ],
  });
  assert.equal(await (await kit.post("/mj/submit/imagine", IMAGINE)).text(), '{"code":1,"d');
  const id = await kit.finish("imagine", IMAGINE);
  const asset = await kit.ask(`/mj/image/${id}`);
  assert.ok(Number(asset.headers.get("content-length")) > 1000);
  assert.equal((await asset.arrayBuffer()).byteLength, 12);
});

test("contentType changes the type and nothing else", async () => {
  const kit = createKit({ faults: [{ on: "read", at: 1, do: { contentType: "text/html" } }] });
  const id = await kit.submit("imagine", IMAGINE);
  const reply = await kit.ask(`/mj/task/${id}/fetch`);
  assert.equal(reply.headers.get("content-type"), "text/html");
  assert.equal((await reply.json()).id, id);
});

test("an expired link stays dead, and a new reading has one that works", async () => {
  const kit = createKit({ faults: [{ on: "asset", at: 1, do: "expire" }] });
  const id = await kit.finish("video", { image: "https://a.test/i.png" });
  const { videoUrls } = await kit.task(id);
  for (const expected of [403, 403]) assert.equal((await kit.ask(videoUrls[0].url)).status, expected);
  assert.equal((await kit.ask(videoUrls[1].url)).status, 200);
  const again = await kit.task(id);
  assert.equal((await kit.ask(again.videoUrls[0].url)).status, 200);
});

test("a fault that is none is refused when the sandbox is made", () => {
  const wrong = [
    { on: "poll", at: 1, do: "stall" },
    { on: "read", at: 0, do: "stall" },
    { on: "read", at: 1, do: "expire" },
    { on: "read", at: 1, do: "explode" },
    { on: "read", at: 1, do: { status: 99 } },
    { on: "read", at: 1, do: undefined },
  ];
  for (const fault of wrong) {
    const faults = /** @type {any} */ ([fault]);
    assert.throws(() => createKit({ faults }), {
      name: "TypeError",
      message: /^createSandbox: faults\[0\] /,
    });
  }
});

test("a prompt that asks for a refusal gets it, and no task", async () => {
  const kit = createKit();
  const expected = { banned: 24, "queue-full": 23, "queue-full-9": 9, rejected: 9 };
  for (const [mark, code] of Object.entries(expected)) {
    const reply = await kit.post("/mj/submit/imagine", { prompt: `a boat sandbox:${mark}` });
    const body = await reply.json();
    assert.deepEqual([reply.status, body.code, body.result], [200, code, null], mark);
  }
  const quota = await kit.post("/mj/submit/imagine", { prompt: "sandbox:quota" });
  assert.deepEqual(await quota.json(), wireBody("S26"));
  const saturated = await kit.post("/mj/submit/imagine", { prompt: "sandbox:saturated" });
  assert.deepEqual([saturated.status, await saturated.json()], [429, wireBody("S28")]);
  const channel = await kit.post("/mj/submit/imagine", { prompt: "sandbox:no-channel" });
  assert.deepEqual([channel.status, (await channel.json()).error.code], [503, wireBody("S34").error.code]);
  assert.equal(kit.sandbox.submits, 0);
});

test("the same refusals on /v1/videos have its shapes", async () => {
  const kit = createKit();
  const expected = {
    banned: 400,
    "queue-full": 429,
    rejected: 400,
    quota: 403,
    saturated: 429,
    "no-channel": 503,
  };
  for (const [mark, status] of Object.entries(expected)) {
    const reply = await kit.createVideo({ model: "veo3-fast", prompt: `sandbox:${mark}` });
    assert.equal(reply.status, status, mark);
  }
  assert.equal(kit.sandbox.submits, 0);
});

test("a lost submit hides a task that exists", async () => {
  const kit = createKit();
  const reply = await kit.post("/mj/submit/imagine", { prompt: "sandbox:lost" });
  assert.deepEqual([reply.status, await reply.json()], [400, wireBody("S24")]);
  assert.equal((await kit.createVideo({ model: "veo3-fast", prompt: "sandbox:lost" })).status, 502);
  assert.equal(kit.sandbox.submits, 2);
});

test("in-queue is accepted with code 22", async () => {
  const reply = await (await createKit().post("/mj/submit/imagine", { prompt: "sandbox:in-queue" })).json();
  assert.deepEqual([reply.code, reply.properties.numberOfQueues], [22, 1]);
});

test("fail and cancel end the task so, at 100% and with no URL", async () => {
  const kit = createKit();
  for (const [mark, status] of [
    ["fail", "FAILURE"],
    ["cancel", "CANCEL"],
  ]) {
    const task = await kit.task(await kit.finish("imagine", { prompt: `sandbox:${mark}` }));
    assert.deepEqual([task.status, task.progress, task.imageUrl], [status, "100%", ""]);
    assert.equal(task.failReason !== "", mark === "fail");
  }
});

test("slow takes ten times as long, never an hour and then fails", async () => {
  const duration = async (/** @type {string} */ prompt) => {
    const kit = createKit();
    const id = await kit.submit("imagine", { prompt });
    kit.pass(4000);
    const { submitTime, finishTime, status } = await kit.task(id);
    return { ms: finishTime - submitTime, status };
  };
  const [usual, slow, never] = [
    await duration("a"),
    await duration("sandbox:slow"),
    await duration("sandbox:never"),
  ];
  assert.ok(Math.abs(slow.ms - usual.ms * 10) <= 5);
  assert.deepEqual(never, { ms: 3_600_000, status: "FAILURE" });
});

test("no-asset: success first, the URLs twenty seconds later, or never", async () => {
  const kit = createKit();
  const id = await kit.submit("imagine", { prompt: "sandbox:no-asset" });
  const never = await kit.submit("imagine", { prompt: "sandbox:no-asset-ever" });
  while ((await kit.task(id)).status !== "SUCCESS") kit.pass(1);
  assert.equal((await kit.task(id)).imageUrl, "");
  assert.equal((await kit.ask(`/mj/image/${id}`)).status, 500);
  kit.pass(20);
  assert.notEqual((await kit.task(id)).imageUrl, "");
  kit.pass(1000);
  const task = await kit.task(never);
  assert.deepEqual([task.status, task.imageUrl], ["SUCCESS", ""]);
});

test("lying progress is full while the task runs, goes backwards, and is words", async () => {
  const kit = createKit();
  const id = await kit.submit("imagine", { prompt: "sandbox:lying-progress" });
  const seen = new Set();
  for (let task = await kit.task(id); task.status !== "SUCCESS"; task = await kit.task(id)) {
    if (task.status === "IN_PROGRESS") seen.add(task.progress);
    kit.pass(2);
  }
  assert.deepEqual([...seen], ["93%", "Waiting to start", "18%", "100%", "46%"]);
});
