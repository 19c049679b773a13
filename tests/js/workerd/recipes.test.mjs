// The README's alarm and queue, as they stand there, in workerd.
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Host, World } from "./harness.mjs";
import { clientModules } from "./modules.mjs";

const readme = await readFile(new URL("../../../README.md", import.meta.url), "utf8");
const recipes = Object.fromEntries(
  [...readme.matchAll(/<!-- worker: (\w+) -->\s+```js\n([\s\S]*?)```/g)].map(([, name, code]) => [
    name,
    code,
  ]),
);
const handle = (/** @type {string} */ id) => ({
  v: 1,
  family: "midjourney",
  kind: "imagine",
  id,
  submittedAt: 0,
});

/**
 * @param {import("node:test").TestContext} t @param {string} code @param {object} options of miniflare
 */
async function start(t, code, options) {
  const file = new URL(`recipe-${Math.random()}.gen.mjs`, import.meta.url);
  await writeFile(file, code);
  const { rm } = await import("node:fs/promises");
  t.after(() => rm(file));
  const modules = await clientModules(fileURLToPath(file));
  const host = new Host({ modules, r2Buckets: ["BUCKET"], ...options });
  await host.start();
  t.after(() => host.stop());
  return host;
}

/** A picture that is under way, and where it will be. @param {Host} host @param {string} id */
async function submitted(host, id) {
  const world = new World(id);
  host.worlds.set(id, world);
  const headers = { "content-type": "application/json", authorization: "Bearer sk-durable-0123456789" };
  const body = JSON.stringify({ prompt: "a boat" });
  const url = "https://service.example/mj/submit/imagine";
  const { result } = await (
    await world.sandbox.fetch(new Request(url, { method: "POST", headers, body }))
  ).json();
  return { world, handle: handle(result) };
}

/** @param {Host} host @param {string} key */
async function appears(host, key) {
  const bucket = await host.bucket();
  for (let turn = 0; turn < 100; turn += 1) {
    const object = await bucket.head(key);
    if (object) return object.size;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`${key} never came: ${host.noise.slice(-500)}`);
}

test("the alarm of the README waits for a task and keeps it", { timeout: 60_000 }, async (t) => {
  const worker = `${recipes.alarm}
    export default { async fetch(request, env) {
      const waiter = env.WAITER.get(env.WAITER.idFromName("one"));
      await waiter.start(await request.json());
      return Response.json(null);
    } };`;
  const bindings = { COMETAPI_BASE_URL: "" };
  const durableObjects = { WAITER: { className: "Waiter", useSQLite: true } };
  const own = worker.replace("this.env.COMETAPI_BASE_URL", "`${this.env.SERVICE}/one`");
  const host = await start(t, own, { bindings, durableObjects });
  const { handle } = await submitted(host, "one");
  await host.ask("/", handle);
  assert.ok((await appears(host, `${handle.id}/0.png`)) > 1000);
});

test("the queue of the README waits for a task and keeps it", { timeout: 60_000 }, async (t) => {
  const worker = recipes.queue.replace(
    "async queue(",
    `async fetch(request, env) {
      await env.QUEUE.send({ handle: await request.json(), state: null });
      return Response.json(null);
    },
    async queue(`,
  );
  const queueProducers = { QUEUE: "tasks" };
  const queueConsumers = { tasks: { maxBatchTimeout: 0 } };
  const own = worker.replace("env.COMETAPI_BASE_URL", "`${env.SERVICE}/two`");
  const host = await start(t, own, { queueProducers, queueConsumers });
  const { handle } = await submitted(host, "two");
  await host.ask("/", handle);
  assert.ok((await appears(host, `${handle.id}/0.png`)) > 1000);
});
