// A CometWorkflow in workerd's own engine: how it ends, what it keeps, and what a hook may and may not do.
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { Host, World } from "./harness.mjs";
import { clientModules } from "./modules.mjs";

const LIMIT = { timeout: 60_000 };
const PICTURE = { kind: "imagine", params: { prompt: "a boat" } };

/** @type {Host} */
let host;
let count = 0;
/** @type {World} */
let world;

before(async () => {
  const workflows = { FLOW: { name: "flow", className: "Probed" } };
  host = await new Host({
    modules: await clientModules("durable.mjs"),
    r2Buckets: ["BUCKET"],
    workflows,
  }).start();
});
after(() => host.stop());
beforeEach(() => use());

/** @param {object} [options] of the sandbox */
function use(options) {
  world = new World(`flow-${(count += 1)}`, options);
  host.worlds.set(world.id, world);
}

/** @param {any} submit @param {object} [params] */
async function run(submit, params) {
  await create(submit, params);
  return host.ended(world.id);
}

/** @param {any} submit @param {object} [params] */
function create(submit, params) {
  const { id } = world;
  return host.ask(`/create?id=${id}`, {
    submit,
    bucket: "BUCKET",
    prefix: `${id}/`,
    timeoutMs: 1e11,
    ...params,
  });
}

/** @param {string} [name] of an object of this instance */
async function kept(name) {
  const bucket = await host.bucket();
  if (name) return (await bucket.get(`${world.id}/${name}`))?.json();
  const { objects } = await bucket.list({ prefix: `${world.id}/` });
  return objects.map((/** @type {any} */ { key }) => key.slice(world.id.length + 1));
}
const mark = () => kept(`.comet-tasks/${world.id}.json`);

test(
  "a picture is submitted, waited for and kept, and the result leaves the service's own object out",
  LIMIT,
  async () => {
    const { status, output } = await run(PICTURE);
    assert.equal(status, "complete");
    const { task, assets } = output;
    assert.deepEqual([task.status, "raw" in task], ["succeeded", false]);
    assert.deepEqual(
      assets.map((/** @type {any} */ { key }) => key),
      [`${world.id}/${task.handle.id}/0.png`],
    );
    assert.deepEqual(await kept(), [`.comet-tasks/${world.id}.json`, `${task.handle.id}/0.png`]);
  },
);

test("a video of /v1/videos is kept from the content endpoint, which alone gets the key", LIMIT, async () => {
  const { output } = await run({ kind: "veo", params: { prompt: "a kite", model: "sora-2" } });
  assert.deepEqual(
    output.assets.map((/** @type {any} */ { url, contentType }) => [url, contentType]),
    [[null, "video/mp4"]],
  );
});

test("a task that fails is a result like any other, and nothing is kept", LIMIT, async () => {
  const { status, output } = await run({ kind: "imagine", params: { prompt: "sandbox:fail" } });
  assert.deepEqual([status, output.task.status, output.assets], ["complete", "failed", []]);
});

/** @param {string} name @returns {(value: any) => [any, object, RegExp]} */
const unpaid = (name) => (value) => [PICTURE, { [name]: value }, new RegExp(`validation: ${name}`)];

test(
  "what would not change with time ends at once, by its code, and before anything is paid for",
  LIMIT,
  async () => {
    /** @type {[any, object, RegExp][]} */
    const cases = [
      [{ kind: "imagine", params: { prompt: " " } }, {}, /validation: prompt/],
      [{ kind: "describe", params: {} }, {}, /validation: submit.kind/],
      [PICTURE, { bucket: "NONE" }, /validation: bucket/],
      [{ kind: "video", params: { image: { r2Key: "nowhere.png" } } }, {}, /validation: r2Key/],
      [{ kind: "imagine", params: { prompt: "sandbox:banned" } }, {}, /moderation: /],
      [{ kind: "imagine", params: { prompt: "sandbox:quota" } }, {}, /quota: /],
      ...["../", "/", "a//", "a/./", "a\\", "a\n", 7, "a".repeat(301)].map(unpaid("prefix")),
      ...[-1, "5", 1e300].map(unpaid("timeoutMs")),
    ];
    for (const [submit, params, message] of cases) {
      use();
      const { status, error } = await run(submit, params);
      assert.equal(status, "errored");
      assert.match(error.message, message);
      assert.equal(world.sandbox.submits, 0);
      const attempts = world.trace.filter((point) => /^> in /.test(point));
      assert.equal(new Set(attempts).size, attempts.length, `${message}: ${attempts}`);
    }
  },
);

test("a submit that was refused leaves no mark, and is tried again where that may help", LIMIT, async () => {
  use({
    faults: [1, 2, 3, 4].map((at) => ({
      on: "submit",
      at,
      do: { status: 429, headers: { "retry-after": "0" } },
    })),
  });
  assert.equal((await run(PICTURE)).status, "complete");
  assert.equal(world.sandbox.submits, 1);
  use();
  await run({ kind: "imagine", params: { prompt: "sandbox:banned" } });
  assert.deepEqual(await kept(), []);
});

test(
  "a submit whose answer is lost ends as submit_unknown, and a restart does not submit again",
  LIMIT,
  async () => {
    use({ faults: [{ on: "submit", at: 1, do: "drop_after" }] });
    const first = await run(PICTURE);
    assert.match(first.error.message, /submit_unknown: network/);
    await host.ask(`/restart?id=${world.id}`);
    const second = await host.ended(world.id);
    assert.match(second.error.message, /submit_unknown/);
    assert.equal(world.sandbox.submits, 1);
  },
);

/* ── hooks ──────────────────────────────────────────────────────────── */

/** Where the service was told to post, and what it would. */
async function told() {
  const { token, state } = await mark();
  const [{ path }] = world.sandbox.requests.filter(({ method }) => method === "POST");
  assert.match(path, /submit/);
  return { url: `/hook/${world.id}/${token}`, state };
}

/** @param {string} path @param {any} body */
async function post(path, body) {
  const init = { method: "POST", body: typeof body === "string" ? body : JSON.stringify(body) };
  return (await host.worker.dispatchFetch(`https://worker.example${path}`, init)).status;
}

/** What the service says of the task now. @returns {Promise<any>} */
async function reading(id = "1773314942177666") {
  const headers = { authorization: "Bearer sk-durable-0123456789" };
  return (await world.sandbox.fetch(`https://service.example/mj/task/${id}/fetch`, { headers })).json();
}

test("after a lost answer, a hook with the submit's tag gives the task back", LIMIT, async () => {
  use({ faults: [{ on: "submit", at: 1, do: "drop_after" }] });
  const waits = world.reached("> word of the task");
  const params = { ...PICTURE.params, state: "", notifyHook: "" };
  await create({ kind: "imagine", params }, { hooked: true, longestWaitMs: 30_000 });
  await waits;
  const { url, state } = await told();
  assert.equal(state, `comet-tasks ${world.id}`);
  world.clock += 10_000; // the row of a new task shows nothing yet
  assert.equal(await post(url, await reading()), 204);
  const { status, output } = await host.ended(world.id);
  assert.deepEqual([status, output.task.handle.state, output.assets.length], ["complete", state, 1]);
  assert.equal(world.sandbox.submits, 1);
});

test(
  "a hook without the secret, for another task, or that the service does not confirm changes nothing",
  LIMIT,
  async () => {
    use({ faults: [{ on: "submit", at: 1, do: "drop_after" }] });
    const waits = world.reached("> word of the task");
    await create(PICTURE, { hooked: true });
    await waits;
    const { url } = await told();
    const body = await reading();
    const before = await mark();
    assert.equal(
      await post(
        url.replace(/.$/, (last) => (last === "0" ? "1" : "0")),
        body,
      ),
      404,
    );
    assert.equal(await post(url.slice(0, -1), body), 404);
    assert.equal(await post(url.replace(world.id, "other"), body), 404);
    assert.equal(await post(url, { ...body, id: "1773314942177999" }), 404);
    assert.equal(await post(url, "<html>"), 400);
    assert.deepEqual(await mark(), before);
    assert.match((await host.ended(world.id)).error.message, /submit_unknown/);
  },
);

test(
  "a hook wakes the wait, which reads the task itself instead of believing what was posted",
  LIMIT,
  async () => {
    const waits = world.reached("> wait 1");
    await create(PICTURE, { hooked: true });
    await waits;
    const { url } = await told();
    const lie = { ...(await reading()), status: "SUCCESS", imageUrl: "https://evil.example/a.png" };
    assert.equal(await post(url, lie), 204);
    const { output } = await host.ended(world.id);
    assert.ok(!JSON.stringify(output).includes("evil"));
    assert.equal(await post(url, lie), 204);
    assert.equal(await post(url, { ...lie, id: "1773314942177999" }), 404);
  },
);
