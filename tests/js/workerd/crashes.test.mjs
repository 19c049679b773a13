// A CometWorkflow in workerd's own engine, stopped at every point where it can be: before and after each step, inside it,
// and before and after each call to the service and to the bucket. The points are those of a run that nobody disturbs.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Host, SERVICE, World, eachOf, storage } from "./harness.mjs";
import { clientModules } from "./modules.mjs";

/** A run that hangs is a red test. */
const LIMIT = { timeout: 200_000 };
const YEARS_MS = 1e11;

/** @typedef {{ points: number, submit: object, hooked?: boolean, forgets?: boolean }} Scenario */

/** What is disturbed, and how many points a calm run of it has. @type {Record<string, Scenario>} */
const SCENARIOS = {
  picture: { points: 34, submit: { kind: "imagine", params: { prompt: "a boat" } } },
  hooked: { points: 34, hooked: true, submit: { kind: "imagine", params: { prompt: "a boat" } } },
  clips: { points: 48, submit: { kind: "video", params: { image: { r2Key: "start.png" } } } },
};

/** @type {Host} */
let host;
let cases = 0;
/** @type {(() => unknown)[]} */
const cleanUps = [];

before(async () => {
  const at = await storage({ after: (work) => void cleanUps.push(work) });
  host = new Host({
    modules: await clientModules("durable.mjs"),
    r2Buckets: ["BUCKET"],
    r2Persist: at,
    workflows: { FLOW: { name: "flow", className: "Probed" } },
    workflowsPersist: at,
  });
  await host.start();
  const bucket = await host.bucket();
  await bucket.put("start.png", Buffer.from("iVBORw0KGgoAAAANSUhEUg==", "base64"));
});
after(async () => {
  await host.stop();
  for (const cleanUp of cleanUps) await cleanUp();
  console.log(`# ${cases} crash cases`);
});

/** @param {string} id @param {Scenario} scenario @param {[number, "throw" | "hold"]} [stop] */
async function begin(id, { submit, hooked, forgets }, stop) {
  const world = hooked ? hookedWorld(id) : new World(id);
  if (stop) world.plan.set(...stop);
  host.worlds.set(id, world);
  const params = { submit, bucket: "BUCKET", prefix: `${id}/`, timeoutMs: YEARS_MS, hooked, forgets };
  // A calm run is woken, however slow the machine; one that was stopped may wait for news that was lost with it.
  if (!stop) Object.assign(params, { longestWaitMs: 30_000 });
  await host.ask(`/create?id=${id}`, params);
  return world;
}

/** One whose service tells of its tasks; when a run has come to wait for that, it has been told. @param {string} id */
function hookedWorld(id) {
  /** @type {Promise<void>[]} */
  const posts = [];
  const world = new World(id, { notify: (/** @type {Request} */ request) => void posts.push(post(request)) });
  world.isHooked = true;
  world.whenReached("> word of the task", async () => {
    // The row of a new task shows nothing yet, and the service looks for changes when the next request arrives.
    world.clock += 10_000;
    await world.sandbox.fetch(`${SERVICE}/mj/task/list-by-condition`, { method: "OPTIONS" });
    await Promise.all(posts);
  });
  return world;
}

/** A process that ends, or was started anew just now, may lose it. @param {Request} request */
async function post(request) {
  const body = await request.text();
  const send = async () => {
    const signal = AbortSignal.timeout(2_000);
    return host.worker.dispatchFetch(request.url, { method: "POST", body, signal });
  };
  for (let left = 3; left > 0 && !(await send().catch(() => undefined)); left -= 1);
}

/** @param {string[]} points */
function landmarks(points) {
  const claimed = points.indexOf("> bucket put mark");
  const known = points.indexOf(
    "< bucket put mark",
    points.findIndex((point) => point.startsWith("< POST ")),
  );
  return { claimed, known };
}

/**
 * Whatever happened: one submit at most, and the task's files whole in the bucket, or the truth about why not.
 * @param {World} world @param {any} end @param {boolean} mayBeUnknown
 */
async function check(world, end, mayBeUnknown) {
  const { id, sandbox } = world;
  assert.ok(sandbox.submits <= 1, `${id}: ${sandbox.submits} submits`);
  const bucket = await host.bucket();
  const { objects } = await bucket.list({ prefix: `${id}/` });
  const kept = objects
    .map((/** @type {any} */ { key }) => key)
    .filter((/** @type {string} */ key) => !key.includes(".comet-tasks/"));
  // What the service tells of is not lost.
  if (end.status === "errored" && mayBeUnknown && !(world.isHooked && sandbox.submits > 0)) {
    assert.match(end.error.message, /submit_unknown/, id);
    return assert.deepEqual(kept, [], id);
  }
  assert.deepEqual([end.status, sandbox.submits], ["complete", 1], `${id}: ${JSON.stringify(end)}`);
  const { task, assets } = end.output;
  assert.equal(task.status, "succeeded");
  assert.deepEqual(kept, assets.map((/** @type {any} */ { key }) => key).sort(), id);
  assert.deepEqual(assets.length, task.images.length + task.videos.length, id);
  for (const { url, key } of assets) {
    const original = await (await sandbox.fetch(url.replace(`${host.origin}/${id}`, SERVICE))).arrayBuffer();
    const copy = await (await bucket.get(key))?.arrayBuffer();
    assert.deepEqual(Buffer.from(copy ?? []), Buffer.from(original), key);
  }
}

/**
 * What happens outside of any step no engine repeats, nor what it takes for an end when its own process dies. A person may.
 * @param {World} world @param {boolean} isOrphan
 */
async function finished({ id }, isOrphan) {
  const end = await host.ended(id, isOrphan);
  if (end.status !== "errored" || !/probe: |connection lost/i.test(end.error.message)) return end;
  await host.ask(`/restart?id=${id}`);
  return host.ended(id);
}

for (const [name, scenario] of Object.entries(SCENARIOS)) {
  /** @type {string[]} */
  let points = [];

  test(`${name}: a run that nobody disturbs passes its ${scenario.points} points`, LIMIT, async () => {
    const world = await begin(`${name}-calm`, scenario);
    await check(world, await host.ended(world.id), false);
    points = world.trace;
    assert.equal(points.length, scenario.points, JSON.stringify(points, null, 1));
  });

  test(
    `${name}: made to throw at each point, it submits once and keeps all, or says that it cannot know`,
    LIMIT,
    async () => {
      const { claimed, known } = landmarks(points);
      const run = async (/** @type {unknown} */ _, /** @type {number} */ at) => {
        const world = await begin(`${name}-throw-${at}`, scenario, [at, "throw"]);
        await check(world, await finished(world, false), at > claimed && at < known);
        cases += 1;
      };
      await eachOf(points, run);
    },
  );

  test(
    `${name}: killed at each point, it submits once and keeps all, or says that it cannot know`,
    LIMIT,
    async () => {
      const { claimed, known } = landmarks(points);
      const worlds = await Promise.all(
        points.map((_, at) => begin(`${name}-kill-${at}`, scenario, [at, "hold"])),
      );
      await Promise.all(worlds.map(({ held }) => held));
      await host.kill();
      await host.start();
      const run = async (/** @type {World} */ world, /** @type {number} */ at) => {
        await host.ask(`/poke?id=${world.id}`);
        await check(world, await host.ended(world.id), at > claimed && at < known);
        cases += 1;
      };
      await eachOf(worlds, run);
    },
  );
}

test("a Worker that forgets its marks is caught submitting twice", LIMIT, async () => {
  const scenario = { points: 0, submit: { kind: "imagine", params: { prompt: "a boat" } }, forgets: true };
  const calm = await begin("planted-calm", scenario);
  await check(calm, await host.ended(calm.id), false);
  const at = calm.trace.indexOf("< in submit");
  const world = await begin("planted", scenario, [at, "throw"]);
  const end = await host.ended(world.id);
  await assert.rejects(check(world, end, true), /2 submits/);
});
