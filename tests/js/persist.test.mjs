// persist: every file of a task, whole, under its name, and nothing that is none.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { importInstalled } from "./installed.mjs";
import { stopClock } from "./support/clock.mjs";
import { BASE_URL, KEY, createBucket, createScene, passing } from "./support/keeping.mjs";
import { rejection } from "./support/replies.mjs";

const { createClient } = await importInstalled("comet-tasks");

/** @param {object} [options] @param {any} [elsewhere] */
const scene = (options, elsewhere) => createScene(createClient, options, elsewhere);
/** @param {Uint8Array} bytes */
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

test("a picture lands in the bucket under its task's name, with its type, and to the byte", async () => {
  const { client, picture, sandbox } = scene();
  const task = await picture();
  const bucket = createBucket();
  const [kept, ...more] = await client.persist(task, bucket, { sha256: true });
  const key = `${task.handle.id}/0.png`;
  const { bytes, options } = bucket.held.get(key) ?? assert.fail("no such key");
  const original = new Uint8Array(await (await sandbox.fetch(task.images[0])).arrayBuffer());
  assert.deepEqual(bytes, original);
  assert.deepEqual(options, { httpMetadata: { contentType: "image/png" } });
  const size = original.length;
  const info = { url: task.images[0], kind: "image", index: 0, key, contentType: "image/png", size };
  assert.deepEqual([kept, more], [{ ...info, bytes: size, sha256: sha256(original) }, []]);
});

test("all clips of a video task are kept, each under its place, after its pictures", async () => {
  const { client, clips } = scene();
  const task = await clips();
  const bucket = createBucket();
  const kept = await client.persist(task, bucket);
  const files = [...task.images, ...task.videos];
  assert.ok(files.length > 1);
  assert.deepEqual(
    kept.map(({ url, index }) => [url, index]),
    files.map((url, index) => [url, index]),
  );
  assert.deepEqual(
    [...bucket.held.keys()],
    kept.map(({ key }) => key),
  );
  assert.equal(new Set(bucket.held.keys()).size, files.length);
});

test("keeping a task twice gives the same keys and the same bytes", async () => {
  const { client, clips } = scene();
  const task = await clips();
  const [first, second] = [createBucket(), createBucket()];
  assert.deepEqual(await client.persist(task, first), await client.persist(task, second));
  assert.deepEqual(first.held, second.held);
});

test("content without a URL comes through the authenticated endpoint", async () => {
  const { client, sora, log } = scene();
  const task = await sora();
  assert.deepEqual([task.videos, task.content], [[], true]);
  const bucket = createBucket();
  const [kept] = await client.persist(task, bucket);
  assert.deepEqual([kept.url, kept.key, kept.contentType], [null, `${task.handle.id}/0.mp4`, "video/mp4"]);
  assert.equal(log[0].url, `${BASE_URL}/v1/videos/${task.handle.id}/content`);
  assert.equal(log[0].headers.get("authorization"), `Bearer ${KEY}`);
});

test("the key and the client's headers go to no other host and to no sink", async () => {
  const puts = async (/** @type {Request} */ request) => {
    if (request.method !== "PUT") return undefined;
    await request.arrayBuffer();
    return new Response();
  };
  const { client, picture, log } = scene({ origin: "https://cdn.example" }, puts);
  const task = await picture();
  await client.persist(task, "https://storage.example/put", { headers: { "x-own": "secret" } });
  assert.deepEqual(
    log.map(({ method, url }) => `${method} ${new URL(url).host}`),
    ["GET cdn.example", "PUT storage.example"],
  );
  for (const { headers } of log) {
    const all = JSON.stringify([...headers]);
    assert.ok(!all.includes(KEY) && !all.includes("secret"), all);
  }
});

/* ── what is asked for first ────────────────────────────────────────── */

test("a task that has not succeeded is not_ready, one without a file no_asset, anything else validation", async () => {
  const { client, picture } = scene();
  const task = await picture();
  const bucket = createBucket();
  /** @type {[any, string, boolean?][]} */
  const cases = [
    [{ ...task, status: "running" }, "not_ready", true],
    [{ ...task, status: "failed" }, "not_ready"],
    [{ ...task, images: [] }, "no_asset"],
    [{ ...task, images: ["file:///etc/passwd", "data:image/png;base64,AAAA"] }, "no_asset"],
    [{ status: "succeeded" }, "validation"],
    [null, "validation"],
    ["1", "validation"],
  ];
  for (const [wrong, code, retryable = false] of cases) {
    const error = await rejection(client.persist(wrong, bucket));
    assert.deepEqual([error.code, error.operation, error.retryable], [code, "persist", retryable]);
  }
  assert.equal(bucket.held.size, 0);
});

test("a wrong sink is a validation error before anything is fetched", async () => {
  const { client, clips, log } = scene();
  const task = await clips();
  for (const sink of [
    undefined,
    null,
    7,
    {},
    "ftp://storage.example/",
    "not a URL",
    "https://storage.example/one",
  ]) {
    const error = await rejection(client.persist(task, /** @type {any} */ (sink)));
    assert.deepEqual([error.code, error.details.field], ["validation", "sink"], String(sink));
  }
  assert.equal(log.length, 0);
});

test("a key of the caller's own is used, and must lead nowhere else", async () => {
  const { client, picture } = scene();
  const task = await picture();
  const bucket = createBucket();
  const [kept] = await client.persist(task, bucket, { key: ({ key }) => `user-7/${key}` });
  assert.deepEqual([...bucket.held.keys()], [`user-7/${task.handle.id}/0.png`]);
  assert.equal(kept.key, `user-7/${task.handle.id}/0.png`);
  for (const key of ["", "/a", "a/../../b", "a\\b", 7]) {
    const error = await rejection(client.persist(task, bucket, { key: () => /** @type {any} */ (key) }));
    assert.deepEqual([error.code, error.details.field], ["validation", "key"], String(key));
  }
  assert.equal(bucket.held.size, 1);
});

test("two files under one key are a validation error, not one file", async () => {
  const { client, clips } = scene();
  const bucket = createBucket();
  const error = await rejection(client.persist(await clips(), bucket, { key: () => "the/only.mp4" }));
  assert.deepEqual([error.code, error.details.field, bucket.held.size], ["validation", "key", 1]);
});

/* ── hosts ──────────────────────────────────────────────────────────── */

const PRIVATE = [
  "http://127.0.0.1/a",
  "http://0x7f.1/a",
  "http://[::1]/a",
  "http://localhost:8080/a",
  "http://169.254.169.254/a",
];

test("a private host is never asked, not even after a redirect", async () => {
  const elsewhere = (/** @type {Request} */ { url }) =>
    url.startsWith("https://public.example")
      ? Response.redirect("http://10.0.0.7/secret.png", 302)
      : undefined;
  const { client, picture, log } = scene({}, elsewhere);
  const task = await picture();
  for (const url of PRIVATE) {
    const error = await rejection(client.persist({ ...task, images: [url] }, createBucket()));
    assert.deepEqual([error.code, error.details.field], ["validation", "url"], url);
  }
  assert.equal(log.length, 0);
  const error = await rejection(
    client.persist({ ...task, images: ["https://public.example/a"] }, createBucket()),
  );
  assert.equal(error.code, "validation");
  assert.deepEqual(
    log.map(({ url }) => url),
    ["https://public.example/a"],
  );
});

test("allowHost decides alone, for redirects too", async () => {
  const png = Buffer.from("iVBORw0KGgoAAAANSUhEUg==", "base64");
  const elsewhere = (/** @type {Request} */ { url }) =>
    url.startsWith("http://127.0.0.1")
      ? new Response(png)
      : url.includes("/led")
        ? Response.redirect("http://127.0.0.1/a")
        : undefined;
  const { client, picture } = scene({}, elsewhere);
  const task = { ...(await picture()), images: ["https://cdn.example/led"] };
  /** @type {string[]} */
  const asked = [];
  const allowHost = (/** @type {string} */ host) => asked.push(host) > 0;
  await client.persist(task, createBucket(), { allowHost });
  assert.deepEqual(asked, ["cdn.example", "127.0.0.1"]);
  const error = await rejection(
    client.persist(task, createBucket(), { allowHost: (host) => host === "127.0.0.1" }),
  );
  assert.equal(error.code, "validation");
});

test("the service's own origin may be private: it was the caller who named it", async () => {
  const own = createScene((options) => createClient({ ...options, baseUrl: "http://127.0.0.1:7070" }));
  const task = await own.picture();
  assert.ok(task.images[0].startsWith("http://127.0.0.1:7070/"));
  assert.equal((await own.client.persist(task, createBucket())).length, 1);
});

test("redirects have an end, and lead to http only, under nobody's name", async () => {
  for (const to of ["https://round.example/a", "file:///etc/passwd", "https://user:word@round.example/a"]) {
    const elsewhere = (/** @type {Request} */ { url }) =>
      url.startsWith("https://round.example")
        ? new Response(null, { status: 302, headers: { location: to } })
        : undefined;
    const { client, picture, log } = scene({}, elsewhere);
    const task = { ...(await picture()), images: ["https://round.example/a"] };
    const error = await rejection(client.persist(task, createBucket()));
    assert.equal(error.code, "redirect");
    assert.ok(log.length <= 6, String(log.length));
  }
});

/* ── what goes wrong on the way ─────────────────────────────────────── */

/** @param {any} t @param {any[]} faults */
function faulty(t, ...faults) {
  const clock = stopClock(t);
  const stage = scene({ faults: faults.map((fault, at) => ({ on: "asset", at: at + 1, do: fault })) });
  const bucket = createBucket();
  const keep = (/** @type {any} */ task, /** @type {any} */ options = {}) =>
    passing(clock, stage.client.persist(task, bucket, options));
  const assets = () =>
    stage.sandbox.requests.filter(({ path }) => !path.includes("/fetch") && !path.includes("submit"));
  return { ...stage, bucket, keep, assets };
}

for (const [name, fault] of /** @type {[string, any][]} */ ([
  ["a copy that broke off", { truncateAt: 100 }],
  ["a body without a byte", { truncateAt: 0 }],
  ["a web page in its place", { contentType: "text/html" }],
  ["a dropped connection", "drop_before"],
  ["a host that broke", { status: 503 }],
  ["a host that is busy", { status: 429, headers: { "Retry-After": "2" } }],
  ["a host that does not answer", "stall"],
])) {
  test(`${name} is fetched again as a whole, and nothing of it is stored`, async (t) => {
    const { picture, bucket, keep, assets } = faulty(t, fault);
    const task = await picture();
    const [{ bytes }] = await keep(task);
    assert.equal(bucket.held.get(`${task.handle.id}/0.png`)?.bytes.length, bytes);
    assert.ok(bytes > 1000);
    assert.equal(assets().length, 2);
  });
}

for (const [fault, code] of /** @type {[any, string][]} */ ([
  [{ truncateAt: 100 }, "truncated"],
  [{ contentType: "text/html" }, "protocol"],
  ["drop_before", "network"],
  ["stall", "timeout"],
  [{ status: 500 }, "gateway"],
])) {
  test(`a file that never comes ends as ${code} after four tries, with the handle, and nothing is stored`, async (t) => {
    const { picture, bucket, keep, assets } = faulty(t, ...Array(9).fill(fault));
    const task = await picture();
    const error = await rejection(keep(task));
    assert.deepEqual([error.code, error.operation, error.handle], [code, "persist", task.handle]);
    assert.equal(assets().length, 4);
    assert.equal(bucket.held.size, 0);
  });
}

test("an expired URL is read anew once, for all files of the task together", async (t) => {
  const { clips, keep, bucket, sandbox } = faulty(t, "expire");
  const task = await clips();
  const reads = sandbox.requests.filter(({ path }) => path.endsWith("/fetch")).length;
  const kept = await keep(task);
  assert.equal(sandbox.requests.filter(({ path }) => path.endsWith("/fetch")).length, reads + 1);
  assert.equal(bucket.held.size, kept.length);
  assert.notEqual(kept[0].url, task.videos[0] ?? task.images[0]);
});

test("a URL that has expired again after a new reading ends as expired", async (t) => {
  const { clips, keep, bucket } = faulty(t, "expire", "expire");
  const error = await rejection(keep(await clips()));
  assert.deepEqual([error.code, error.status], ["expired", 403]);
  assert.equal(bucket.held.size, 0);
});

test("a new reading that has other files does not put them under the old names", async (t) => {
  const { clips, keep, bucket, client } = faulty(t, "expire");
  const task = await clips();
  const fresh = { ...(await client.fetchTask(task.handle)), videos: [] };
  client.fetchTask = async () => fresh;
  fresh.images = ["https://cdn.example/poster.png"];
  const error = await rejection(keep(task));
  assert.equal(error.code, "expired");
  assert.equal(bucket.held.size, 0);
});

test("what its bytes do not show to be a picture is refused whatever it calls itself", async (t) => {
  const clock = stopClock(t);
  const page = () =>
    new Response("<!doctype html><script>alert(1)</script>", { headers: { "content-type": "image/png" } });
  const { client, picture } = scene({}, (/** @type {Request} */ { url }) =>
    url.startsWith("https://cdn.example") ? page() : undefined,
  );
  const task = { ...(await picture()), images: ["https://cdn.example/a.png"] };
  const bucket = createBucket();
  const error = await rejection(passing(clock, client.persist(task, bucket)));
  assert.equal(error.code, "protocol");
  assert.equal(bucket.held.size, 0);
});

test("a file over maxBytes is too_large, at its head or on its way", async () => {
  const png = Buffer.concat([Buffer.from("89504e470d0a1a0a", "hex"), Buffer.alloc(5000)]);
  const endless = () => new Response(new Blob([png]).stream());
  const { client, picture } = scene({}, (/** @type {Request} */ { url }) =>
    url.startsWith("https://cdn.example") ? endless() : undefined,
  );
  const task = await picture();
  const bucket = createBucket();
  const atHead = await rejection(client.persist(task, bucket, { maxBytes: 99 }));
  const onWay = await rejection(
    client.persist({ ...task, images: ["https://cdn.example/a.png"] }, bucket, { maxBytes: 4999 }),
  );
  assert.deepEqual([atHead.code, onWay.code], ["too_large", "too_large"]);
  assert.equal(bucket.held.size, 0);
});

/* ── sinks that fail, and ends from outside ─────────────────────────── */

test("a bucket that fails once gets the file again, and one that fails for good is code persist with its cause", async (t) => {
  const clock = stopClock(t);
  const { client, picture } = scene();
  const task = await picture();
  const bucket = createBucket();
  let failures = 1;
  const moody = {
    put: async (/** @type {string} */ key, /** @type {any} */ body, /** @type {any} */ options) => {
      if (failures-- > 0) throw new Error("full");
      await bucket.put(key, body, options);
    },
  };
  await passing(clock, client.persist(task, moody));
  assert.equal(bucket.held.size, 1);
  failures = Infinity;
  const error = await rejection(passing(clock, client.persist(task, moody)));
  assert.deepEqual([error.code, error.cause.message, error.retryable], ["persist", "full", true]);
});

test("a callback gets the asset and a response of known length, and must read it to its end", async (t) => {
  const clock = stopClock(t);
  const { client, picture } = scene();
  const task = await picture();
  /** @type {any[]} */
  const written = [];
  const write = async (/** @type {any} */ asset, /** @type {Response} */ response) => {
    const { headers } = response;
    const length = (await response.arrayBuffer()).byteLength;
    written.push([asset.key, headers.get("content-type"), headers.get("content-length") === `${length}`]);
    asset.key = "its own affair";
  };
  const [{ key }] = await client.persist(task, { write });
  assert.equal(key, `${task.handle.id}/0.png`);
  assert.deepEqual(written, [[`${task.handle.id}/0.png`, "image/png", true]]);
  const error = await rejection(passing(clock, client.persist(task, { write: async () => {} })));
  assert.equal(error.code, "persist");
});

test("an abort ends it with the signal's own reason, while it waits for a host, a sink, or the next try", async (t) => {
  const clock = stopClock(t);
  for (const [faults, sink] of /** @type {[any[], any][]} */ ([
    [["stall"], createBucket()],
    [[{ status: 503, headers: { "Retry-After": "50" } }], createBucket()],
    [[], { write: () => new Promise(() => {}) }],
  ])) {
    const { client, picture } = scene({ faults: faults.map((fault) => ({ on: "asset", at: 1, do: fault })) });
    const controller = new AbortController();
    const pending = rejection(client.persist(await picture(), sink, { signal: controller.signal }));
    clock.tick(100);
    await new Promise((resolve) => setImmediate(resolve));
    controller.abort("enough");
    assert.equal(await pending, "enough");
    assert.equal(clock.countTimers(), 0);
  }
});

test("closing the client ends it with code closed", async () => {
  const { client, picture } = scene();
  const task = await picture();
  const pending = rejection(client.persist(task, { write: () => new Promise(() => {}) }));
  await new Promise((resolve) => setImmediate(resolve));
  client.close();
  assert.equal((await pending).code, "closed");
  assert.equal((await rejection(client.persist(task, createBucket()))).code, "closed");
});

test("no timer is left behind", async (t) => {
  const clock = stopClock(t);
  const { client, picture } = scene();
  await passing(clock, client.persist(await picture(), createBucket()));
  assert.equal(clock.countTimers(), 0);
});
