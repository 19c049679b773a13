// The sandbox's /v1/videos side against protocol.md 1.16 to 1.19.

import assert from "node:assert/strict";
import test from "node:test";
import { ORIGIN, START, createKit, shapeOf, wireBody } from "./sandbox-kit.mjs";

test("a created video has the documented fields, and names the model behind the alias", async () => {
  const kit = createKit();
  const reply = await kit.createVideo({ prompt: "a kite", model: "veo3-fast", size: "16x9" });
  const { id, ...rest } = await reply.json();
  assert.match(id, /^task_[A-Za-z0-9]{32}$/);
  assert.deepEqual(rest, {
    created_at: Math.floor(START / 1000),
    model: "veo_3_1-4K",
    object: "video",
    progress: 0,
    seconds: "",
    size: "16x9",
    status: "queued",
  });
  assert.equal(kit.sandbox.submits, 1);
});

test("multipart with files and JSON are both read", async () => {
  const kit = createKit();
  const form = new FormData();
  form.append("prompt", "a kite");
  form.append("model", "veo3-fast");
  for (const name of ["first.png", "last.png"]) {
    form.append("input_reference", new Blob(["png"], { type: "image/png" }), name);
  }
  assert.equal((await kit.ask("/v1/videos", { method: "POST", body: form })).status, 200);
  assert.equal(
    (await kit.post("/v1/videos", { prompt: "a kite", model: "veo3-fast", seconds: "8" })).status,
    200,
  );
});

test("each wrong field has its own error", async () => {
  const kit = createKit();
  const code = async (/** @type {Record<string, string>} */ fields) => {
    const reply = await kit.createVideo(fields);
    const body = await reply.json();
    assert.deepEqual([reply.status, Object.keys(body), body.data], [400, ["code", "message", "data"], null]);
    return body.code;
  };
  assert.equal(await code({ prompt: "a kite" }), "missing_model");
  assert.equal(await code({ model: "veo3-fast", prompt: " " }), "invalid_request");
  assert.equal(await code({ model: "veo3-fast", prompt: "a kite", seconds: "3601" }), "invalid_seconds");
  assert.equal(await code({ model: "sora-2", prompt: "a kite", size: "16x9" }), "invalid_size");
  const number = await kit.post("/v1/videos", { model: "veo3-fast", prompt: "a kite", seconds: 8 });
  assert.equal((await number.json()).code, "invalid_json");
  assert.equal(kit.sandbox.submits, 0);
});

test("a video's progress stays 0 for a while, and completed_at is filled long before completion", async () => {
  const kit = createKit();
  const id = await kit.video();
  const readings = [];
  for (let second = 0; second < 1000; second += 2, kit.pass(2)) {
    readings.push(await kit.read(`/v1/videos/${id}`));
  }
  const running = readings.filter(({ status }) => status === "in_progress");
  assert.deepEqual(
    [...new Set(readings.map(({ status }) => status))],
    ["queued", "in_progress", "completed"],
  );
  assert.ok(running.filter(({ progress }) => progress === 0).length >= 0.3 * running.length);
  assert.ok(running.every(({ completed_at }) => completed_at >= Math.floor(START / 1000)));
  assert.ok(running.every(({ video_url }) => video_url === undefined));
});

test("a completed video has task_id and a link to a real mp4", async () => {
  const kit = createKit();
  const id = await kit.video();
  kit.pass(1000);
  const video = await kit.read(`/v1/videos/${id}`);
  assert.deepEqual([video.status, video.progress, video.task_id], ["completed", 100, id]);
  assert.deepEqual(video.metadata, { url: video.video_url });
  const reply = await kit.ask(video.video_url);
  assert.equal(reply.headers.get("content-type"), "video/mp4");
  assert.equal(Buffer.from(await reply.arrayBuffer()).toString("latin1", 4, 8), "ftyp");
});

test("Sora has its own reply, and no URL: the content endpoint alone has the video", async () => {
  const kit = createKit();
  const id = await kit.video("a kite", "sora-2");
  kit.pass(1000);
  const video = await kit.read(`/v1/videos/${id}`);
  assert.deepEqual(
    [video.status, video.error, video.seconds, video.prompt],
    ["completed", null, "4", "a kite"],
  );
  assert.ok(video.expires_at > video.completed_at);
  assert.ok(!JSON.stringify(video).includes("http"));
  assert.equal((await kit.ask(`/v1/videos/${id}/content`)).status, 200);
});

test("content is 400 before the end, 404 for an unknown id, then the whole file and no ranges", async () => {
  const kit = createKit();
  const id = await kit.video();
  const content = (/** @type {string} */ name) =>
    kit.ask(`/v1/videos/${name}/content`, { headers: { Range: "bytes=0-9" } });
  const early = await content(id);
  assert.equal(early.status, 400);
  assert.deepEqual(await early.json(), {
    error: { message: "Task is not completed yet, current status: QUEUED", type: "invalid_request_error" },
  });
  assert.equal((await content("task_x")).status, 404);
  kit.pass(1000);
  const ready = await content(id);
  assert.deepEqual([ready.status, ready.headers.get("cache-control")], [200, "public, max-age=86400"]);
  assert.equal(`${(await ready.arrayBuffer()).byteLength}`, ready.headers.get("content-length"));
});

test("an unknown video is 400 task_not_exist", async () => {
  const kit = createKit();
  const reply = await kit.ask("/v1/videos/task_x");
  assert.equal(reply.status, 400);
  assert.deepEqual(await reply.json(), wireBody("V14"));
  assert.deepEqual(
    await (await kit.post("/v1/videos/task_x/remix", { prompt: "a" })).json(),
    wireBody("V14"),
  );
});

test("a remix is a new video of the same model, and needs a prompt", async () => {
  const kit = createKit();
  const id = await kit.video("a kite", "sora-2");
  const remix = await (await kit.post(`/v1/videos/${id}/remix`, { prompt: "in snow" })).json();
  assert.notEqual(remix.id, id);
  assert.deepEqual([remix.model, remix.remixed_from_video_id, remix.prompt], ["sora-2", id, "in snow"]);
  const blank = await (await kit.post(`/v1/videos/${id}/remix`, { prompt: "" })).json();
  assert.deepEqual([blank.code, blank.message], ["invalid_request", "field prompt is required"]);
});

test("no list and no delete: 404 in the nested shape, naming method and path", async () => {
  const kit = createKit();
  for (const [method, path] of [
    ["GET", "/v1/videos"],
    ["DELETE", "/v1/videos/task_x"],
  ]) {
    const reply = await kit.ask(path, { method });
    assert.equal(reply.status, 404);
    const message = `Invalid URL (${method} ${path})`;
    assert.deepEqual(await reply.json(), {
      error: { message, type: "invalid_request_error", param: "", code: "" },
    });
  }
});

test("a failed video says why, with its progress at 100", async () => {
  const kit = createKit();
  const id = await kit.video("sandbox:fail");
  kit.pass(1000);
  const video = await kit.read(`/v1/videos/${id}`);
  assert.deepEqual([video.status, video.progress], ["failed", 100]);
  assert.deepEqual(shapeOf(video.error), shapeOf(wireBody("V08").error));
});

test("absolute links use the origin that was set", async () => {
  const kit = createKit({ origin: "https://public.test/" });
  const id = await kit.video();
  kit.pass(1000);
  const { video_url } = await kit.read(`/v1/videos/${id}`);
  assert.ok(video_url.startsWith("https://public.test/cdn/"));
  assert.ok(!video_url.startsWith(ORIGIN));
});
