// persist: replies, options and addresses that nobody should give, and somebody does.
import assert from "node:assert/strict";
import { test } from "node:test";
import { importInstalled } from "./installed.mjs";
import { createBucket, createScene } from "./support/keeping.mjs";
import { rejection } from "./support/replies.mjs";

const { createClient } = await importInstalled("comet-tasks");

/** @param {object} [options] @param {any} [elsewhere] */
const scene = (options, elsewhere) => createScene(createClient, options, elsewhere);

test("whoever gives allowHost no plain answer lets nothing pass", async () => {
  const { client, picture, log } = scene();
  const task = await picture();
  for (const odd of [Promise.resolve(false), Promise.resolve(true), "yes", undefined]) {
    const allowHost = /** @type {any} */ (() => odd);
    const error = await rejection(client.persist(task, createBucket(), { allowHost }));
    assert.deepEqual([error.code, error.details.field], ["validation", "allowHost"], String(odd));
  }
  assert.equal(log.length, 0);
});

test("a URL that this host cannot read is a validation error", async () => {
  const { client, picture } = scene();
  const task = { ...(await picture()), images: ["https://1.2.3.4.5/a.png"] };
  const error = await rejection(client.persist(task, createBucket()));
  assert.deepEqual([error.code, error.details.field], ["validation", "url"]);
});

test("the service's own endpoint that does not find a result is asked again after one reading, and not a third time", async () => {
  let misses = 1;
  const elsewhere = (/** @type {Request} */ { url }) => {
    const isMiss = url.endsWith("/content") && misses-- > 0;
    return isMiss ? Response.json({ error: { message: "Task not found" } }, { status: 404 }) : undefined;
  };
  const { client, sora, log } = scene({}, elsewhere);
  const task = await sora();
  assert.equal((await client.persist(task, createBucket())).length, 1);
  const paths = log.map(({ url }) => new URL(url).pathname.replace(task.handle.id, "id"));
  assert.deepEqual(paths, ["/v1/videos/id/content", "/v1/videos/id", "/v1/videos/id/content"]);
  misses = Infinity;
  const error = await rejection(client.persist(task, createBucket()));
  assert.deepEqual([error.code, error.status, log.length], ["not_found", 404, 6]);
});

for (const length of ["24, 24", "much", "", "-1", "1e1"]) {
  test(`a length that is no number ("${length}") is none`, async () => {
    const png = Buffer.concat([Buffer.from("89504e470d0a1a0a", "hex"), Buffer.alloc(16)]);
    const { client, picture } = scene({}, (/** @type {Request} */ { url }) =>
      url.startsWith("https://cdn.example")
        ? new Response(png, { headers: { "content-length": length } })
        : undefined,
    );
    const task = { ...(await picture()), images: ["https://cdn.example/a.png"] };
    const [kept] = await client.persist(task, createBucket());
    assert.deepEqual([kept.size, kept.bytes], [null, 24]);
  });
}

for (const [name, limits] of /** @type {[string, any[]][]} */ ([
  ["maxBytes", [NaN, "10", -1, null]],
  ["requestTimeoutMs", [NaN, "10", -1, 0]],
])) {
  test(`${name} that is no such number is a validation error, and no leave to take everything`, async () => {
    const { client, picture, log } = scene();
    const task = await picture();
    for (const limit of limits) {
      const error = await rejection(client.persist(task, createBucket(), { [name]: limit }));
      assert.deepEqual([error.code, error.details.field], ["validation", name], String(limit));
    }
    assert.equal(log.length, 0);
  });
}

test("a task that has no JSON is a validation error, and ends nobody's wait", async () => {
  const round = {};
  Object.assign(round, { round });
  const { client, picture } = scene();
  const task = await picture();
  const controller = new AbortController();
  const wait = client.poll("17", { signal: controller.signal }).catch((/** @type {unknown} */ end) => end);
  for (const odd of [
    { ...task, size: 5n },
    { ...task, raw: round },
  ]) {
    const error = await rejection(client.persist(/** @type {any} */ (odd), createBucket()));
    assert.deepEqual([error.code, error.operation], ["validation", "persist"]);
  }
  controller.abort("still there");
  assert.equal(await wait, "still there");
});
