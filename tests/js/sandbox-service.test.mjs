// What holds on every route of the sandbox: keys, CORS, wrong paths, time, chance, links, hooks.

import assert from "node:assert/strict";
import test from "node:test";
import { ORIGIN, START, createKit, shapeOf, wireBody } from "./sandbox-kit.mjs";

const IMAGINE = { prompt: "a boat" };

test("a key is taken as a bearer token, bare, and in mj-api-secret", async () => {
  const kit = createKit({ apiKey: "sk-key" });
  const status = async (/** @type {Record<string, string>} */ headers) =>
    (await kit.post("/mj/submit/imagine", IMAGINE, headers)).status;
  assert.equal(await status({ Authorization: "Bearer sk-key" }), 200);
  assert.equal(await status({ Authorization: "sk-key" }), 200);
  assert.equal(await status({ "mj-api-secret": "sk-key" }), 200);
  assert.equal(await status({ Authorization: "midjourney-proxy", "mj-api-secret": "sk-key" }), 200);
  assert.equal(await status({ Authorization: "Bearer other", "mj-api-secret": "sk-key" }), 401);
  assert.equal(await status({}), 401);
  assert.equal(kit.sandbox.submits, 4);
});

test("a wrong key is 401 in the nested shape, with the request id of the header", async () => {
  const reply = await createKit({ apiKey: "k" }).ask("/v1/videos/task_x");
  const { error } = await reply.json();
  assert.deepEqual([reply.status, error.type], [401, wireBody("F33").error.type]);
  const [, id] = /\(request id: ([^)]+)\)$/.exec(error.message) ?? [];
  assert.equal(id, reply.headers.get("x-oneapi-request-id"));
  assert.match(id, /^\d{23}[A-Za-z0-9]{8}$/);
});

test("content needs the key, pictures and links do not", async () => {
  const kit = createKit({ apiKey: "k" });
  const headers = { Authorization: "Bearer k" };
  const { result } = await (await kit.post("/mj/submit/imagine", IMAGINE, headers)).json();
  const { id } = await (await kit.post("/v1/videos", { ...IMAGINE, model: "veo3-fast" }, headers)).json();
  kit.pass(1000);
  assert.equal((await kit.ask(`/mj/image/${result}`)).status, 200);
  assert.equal((await kit.ask(`/v1/videos/${id}/content`)).status, 401);
  assert.equal((await kit.ask(`/v1/videos/${id}/content`, { headers })).status, 200);
  const { video_url } = await (await kit.ask(`/v1/videos/${id}`, { headers })).json();
  assert.equal((await kit.ask(video_url)).status, 200);
});

test("a preflight is 204, allows what it asks for, and is not logged", async () => {
  const kit = createKit({ apiKey: "k" });
  const headers = { "Access-Control-Request-Headers": "authorization,content-type" };
  const reply = await kit.ask("/mj/submit/imagine", { method: "OPTIONS", headers });
  assert.equal(reply.status, 204);
  assert.equal(reply.headers.get("access-control-allow-origin"), "*");
  assert.equal(reply.headers.get("access-control-allow-headers"), "authorization,content-type");
  assert.deepEqual(kit.sandbox.requests, []);
});

test("every reply may be read from another origin", async () => {
  const kit = createKit({ faults: [{ on: "read", at: 1, do: { status: 502, body: "<html>" } }] });
  const id = await kit.finish("imagine", IMAGINE);
  for (const path of [`/mj/task/${id}/fetch`, `/mj/image/${id}`, "/nowhere", "/v1/nowhere", "/cdn/x/0.mp4"]) {
    assert.equal((await kit.ask(path)).headers.get("access-control-allow-origin"), "*", path);
  }
});

test("a wrong path is 404 JSON under /v1, and a page of HTML with status 200 elsewhere", async () => {
  const kit = createKit();
  assert.equal((await kit.ask("/v1/videoz")).status, 404);
  for (const [method, path] of [
    ["GET", "/mj/submit/imagine"],
    ["GET", "/mj/status/1"],
    ["POST", "/submit/imagine"],
    ["POST", "//mj/submit/imagine"],
  ]) {
    const reply = await kit.sandbox.fetch(ORIGIN + path, { method });
    assert.deepEqual(
      [reply.status, reply.headers.get("content-type")],
      [200, "text/html; charset=utf-8"],
      path,
    );
    assert.match(await reply.text(), /^<!doctype html>/);
  }
});

test("a slash too many is redirected: 301 for GET, 307 for POST", async () => {
  const kit = createKit();
  const got = await kit.ask("/mj/task/1/fetch/?a=1");
  assert.deepEqual([got.status, got.headers.get("location")], [301, "/mj/task/1/fetch?a=1"]);
  assert.equal((await kit.ask("/v1/videos/", { method: "POST" })).status, 307);
});

test("the three speed prefixes lead to the same routes, submits and reads alike", async () => {
  const kit = createKit();
  for (const mode of ["relax", "fast", "turbo"]) {
    const { result } = await (await kit.post(`/mj-${mode}/mj/submit/imagine`, IMAGINE)).json();
    assert.equal((await kit.task(result)).id, result);
    assert.equal((await kit.read(`/mj-${mode}/mj/task/${result}/fetch`)).id, result);
  }
  assert.equal(
    (await kit.post("/mj-warp/mj/submit/imagine", IMAGINE)).headers.get("content-type")?.slice(0, 9),
    "text/html",
  );
});

test("malformed JSON is refused in the nested shape", async () => {
  const headers = { "Content-Type": "application/json" };
  const reply = await createKit().ask("/mj/submit/imagine", { method: "POST", headers, body: '{"prompt":' });
  assert.equal(reply.status, 400);
  assert.match((await reply.json()).error.message, /^Invalid request, /);
});

test("a body of more than 30 MB is 413", async () => {
  const kit = createKit();
  const prompt = "x".repeat(30_000_000);
  assert.equal((await kit.post("/mj/submit/imagine", { prompt })).status, 413);
  const reply = await kit.createVideo({ prompt, model: "veo3-fast" });
  assert.deepEqual([reply.status, (await reply.json()).code], [413, "read_request_body_failed"]);
  assert.equal(kit.sandbox.submits, 0);
});

test("the log has method, path without query, and time of each request", async () => {
  const kit = createKit();
  const id = await kit.submit("imagine", IMAGINE);
  kit.pass(3);
  await kit.ask(`/mj/task/${id}/fetch?x=1`);
  assert.deepEqual(kit.sandbox.requests, [
    { method: "POST", path: "/mj/submit/imagine", at: START },
    { method: "GET", path: `/mj/task/${id}/fetch`, at: START + 3000 },
  ]);
});

test("more tasks than a millisecond has ids are no end of it, and each has its own", async () => {
  const kit = createKit();
  const ids = new Set();
  for (let count = 0; count < 1200; count += 1) ids.add(await kit.submit("imagine", IMAGINE));
  assert.equal(ids.size, 1200);
});

test("the same seed gives the same tasks, however often they are read; another seed gives others", async () => {
  const story = async (/** @type {number} */ seed, /** @type {number} */ polls) => {
    const kit = createKit({ seed });
    const ids = [];
    for (let count = 0; count < 3; count += 1) {
      ids.push(await kit.submit("imagine", IMAGINE), await kit.video());
      for (let poll = 0; poll < polls; poll += 1) await kit.task(ids[0]);
    }
    kit.pass(1000);
    return [ids, await kit.task(ids[2]), await kit.read(`/v1/videos/${ids[3]}`)];
  };
  assert.deepEqual(await story(7, 0), await story(7, 5));
  assert.notDeepEqual(await story(7, 0), await story(8, 0));
});

test("durations are log-normal around the service's medians", async () => {
  const kit = createKit();
  const median = async (/** @type {() => Promise<number>} */ sample) => {
    const values = [];
    for (let count = 0; count < 301; count += 1) values.push(await sample());
    return values.sort((a, b) => a - b)[150];
  };
  const midjourney = (/** @type {string} */ route, /** @type {object} */ body) => async () => {
    const { submitTime, finishTime } = await kit.task(await kit.finish(route, body));
    return (finishTime - submitTime) / 1000;
  };
  const video = async () => {
    const id = await kit.video();
    kit.pass(1000);
    const { created_at, completed_at } = await kit.read(`/v1/videos/${id}`);
    return completed_at - created_at;
  };
  const near = (/** @type {number} */ value, /** @type {number} */ wanted) =>
    assert.ok(Math.abs(value / wanted - 1) < 0.15, `${value} is not near ${wanted}`);
  near(await median(midjourney("imagine", IMAGINE)), 40);
  near(await median(midjourney("video", { image: "https://a.test/i.png" })), 134);
  near(await median(video), 120);
});

test("a mark gives one task a speed of its own, whatever the others have", async () => {
  const kit = createKit({ speed: 15 });
  const usual = await kit.submit("imagine", IMAGINE);
  const slow = await kit.submit("imagine", { prompt: "a boat sandbox:speed-1" });
  kit.pass(20);
  assert.equal((await kit.task(usual)).status, "SUCCESS");
  assert.equal((await kit.task(slow)).status, "IN_PROGRESS");
});

test("speed divides the duration, as the task's own times tell it too", async () => {
  const duration = async (/** @type {number} */ speed) => {
    const kit = createKit({ speed });
    const id = await kit.submit("imagine", IMAGINE);
    let ms = 0;
    for (; (await kit.task(id)).status !== "SUCCESS"; ms += 10) kit.pass(0.01);
    const { submitTime, finishTime } = await kit.task(id);
    return { ms, told: finishTime - submitTime };
  };
  const [slow, fast] = [await duration(1), await duration(60)];
  assert.ok(Math.abs(slow.told / 60 - fast.told) <= 1);
  assert.ok(fast.ms >= fast.told && fast.ms <= fast.told + 2000 / 60 + 10);
  assert.throws(() => createKit({ speed: 0 }), TypeError);
});

test("a link ends after a day, and cannot be made up; the next reading has a new one", async () => {
  const kit = createKit();
  const id = await kit.finish("video", { image: "https://a.test/i.png" });
  const { videoUrl, finishTime } = await kit.task(id);
  const expires = parseInt(new URL(videoUrl).searchParams.get("ex") ?? "", 16);
  assert.equal(expires, Math.floor(finishTime / 1000) + 86_400);
  const forged = videoUrl.replace(/ex=[0-9a-f]+/, "ex=ffffffff");
  assert.equal((await kit.ask(forged)).status, 403);
  kit.clock.now = expires * 1000;
  assert.equal((await kit.ask(videoUrl)).status, 403);
  const again = await kit.task(id);
  assert.notEqual(again.videoUrl, videoUrl);
  assert.equal((await kit.ask(again.videoUrl)).status, 200);
});

test("links serve ranges, so that a player can seek", async () => {
  const kit = createKit();
  const { videoUrl } = await kit.task(await kit.finish("video", { image: "https://a.test/i.png" }));
  const whole = Buffer.from(await (await kit.ask(videoUrl)).arrayBuffer());
  const part = async (/** @type {string} */ range) => {
    const reply = await kit.ask(videoUrl, { headers: { Range: range } });
    const bytes = Buffer.from(await reply.arrayBuffer());
    return { status: reply.status, place: reply.headers.get("content-range"), bytes };
  };
  const size = whole.length;
  assert.deepEqual(await part("bytes=4-7"), {
    status: 206,
    place: `bytes 4-7/${size}`,
    bytes: whole.subarray(4, 8),
  });
  assert.deepEqual((await part("bytes=100-")).bytes, whole.subarray(100));
  assert.deepEqual((await part("bytes=-5")).bytes, whole.subarray(size - 5));
  assert.equal((await part("bytes=0-99999999")).place, `bytes 0-${size - 1}/${size}`);
  assert.deepEqual([(await part(`bytes=${size}-`)).status, (await part("lines=1-2")).status], [416, 200]);
  const head = await kit.ask(videoUrl, { method: "HEAD" });
  assert.equal(head.headers.get("accept-ranges"), "bytes");
  assert.deepEqual(
    [head.headers.get("content-length"), (await head.arrayBuffer()).byteLength],
    [`${size}`, 0],
  );
});

test("a hook gets the whole task at each change, once, and the end last", async () => {
  /** @type {Request[]} */
  const calls = [];
  const kit = createKit({ notify: async (request) => calls.push(request) });
  const id = await kit.submit("imagine", { ...IMAGINE, state: "s", notifyHook: "https://hook.test/in" });
  for (let second = 0; second < 200; second += 1, kit.pass(1)) await kit.ask("/", { method: "OPTIONS" });
  const bodies = await Promise.all(calls.map((request) => request.json()));
  const news = bodies.map(({ status, progress }) => `${status} ${progress}`);
  assert.deepEqual([news[0], news.at(-1)], ["SUBMITTED 0%", "SUCCESS 100%"]);
  assert.equal(new Set(news).size, news.length);
  assert.deepEqual([calls[0].method, calls[0].url], ["POST", "https://hook.test/in"]);
  assert.deepEqual(shapeOf(bodies.at(-1)), shapeOf(await kit.task(id)));
  assert.equal(bodies.at(-1).state, "s");
});

test("a hook that throws, or is no address, disturbs nobody", async () => {
  const notify = () => {
    throw new Error("down");
  };
  const kit = createKit({ notify });
  for (const notifyHook of ["https://hook.test/in", "no address"]) {
    const task = await kit.task(await kit.finish("imagine", { ...IMAGINE, notifyHook }));
    assert.equal(task.status, "SUCCESS");
  }
  // An unhandled rejection would surface in the next turn of the event loop.
  await new Promise((resolve) => setImmediate(resolve));
});

test("fetch takes what the global fetch takes, and needs no this", async () => {
  const { fetch } = createKit().sandbox;
  const headers = { "Content-Type": "application/json" };
  const init = { method: "POST", headers, body: JSON.stringify(IMAGINE) };
  assert.equal((await (await fetch(`${ORIGIN}/mj/submit/imagine`, init)).json()).code, 1);
  assert.equal((await (await fetch(new URL("/mj/submit/imagine", ORIGIN), init)).json()).code, 1);
});
