// The sandbox's Midjourney side against protocol.md and the recorded bodies of tests/fixtures/wire.json.

import assert from "node:assert/strict";
import test from "node:test";
import { gzipSync, inflateSync } from "node:zlib";
import { ORIGIN, PNG, START, createKit, shapeOf, wireBody } from "./sandbox-kit.mjs";

const SUBMITS = /** @type {const} */ ([
  ["imagine", { prompt: "a boat" }, "IMAGINE"],
  ["video", { image: "https://a.test/i.png", motion: "low" }, "VIDEO"],
  ["blend", { base64Array: [PNG, PNG] }, "BLEND"],
  ["describe", { base64: PNG }, "DESCRIBE"],
  ["shorten", { prompt: "a very long prompt" }, "SHORTEN"],
  ["edits", { prompt: "add a moon", image: PNG }, "EDITS"],
]);

for (const [route, body, action] of SUBMITS) {
  test(`${route}: code 1, an id of 16 digits, and a row with its action`, async () => {
    const kit = createKit();
    const reply = await (await kit.post(`/mj/submit/${route}`, body)).json();
    assert.equal(reply.code, 1);
    assert.match(reply.result, new RegExp(`^${START}\\d{3}$`));
    assert.equal((await kit.task(reply.result)).action, action);
    assert.equal(kit.sandbox.submits, 1);
  });
}

test("a submit reply has the documented keys and types, and is typed as text", async () => {
  const reply = await createKit().post("/mj/submit/imagine", { prompt: "a boat" });
  assert.equal(reply.headers.get("content-type"), "text/plain; charset=utf-8");
  assert.deepEqual(shapeOf(await reply.json()), shapeOf(wireBody("S01")));
});

test("a task moves from no status over SUBMITTED and rising progress to SUCCESS", async () => {
  const kit = createKit();
  const id = await kit.submit("imagine", { prompt: "a boat" });
  /** @type {string[]} */
  const seen = [];
  for (let second = 0; second < 120; second += 1, kit.pass(1)) {
    const { status, progress } = await kit.task(id);
    const news = `${status} ${progress}`;
    if (seen.at(-1) !== news) seen.push(news);
  }
  const running = ["5%", "18%", "35%", "46%", "71%", "93%"].map((step) => `IN_PROGRESS ${step}`);
  assert.deepEqual(
    seen.filter((news) => news !== "IN_PROGRESS 0%"),
    [" 0%", "SUBMITTED 0%", ...running, "SUCCESS 100%"],
  );
});

test("the state is echoed from the first refresh on", async () => {
  const kit = createKit();
  const id = await kit.submit("imagine", { prompt: "a boat", state: "order-7" });
  assert.equal((await kit.task(id)).state, "");
  kit.pass(2);
  assert.equal((await kit.task(id)).state, "order-7");
});

test("a running task shows a preview that changes at every call, a finished one its picture", async () => {
  const kit = createKit();
  const id = await kit.submit("imagine", { prompt: "a boat" });
  kit.pass(15);
  const [first, second] = [await kit.task(id), await kit.task(id)];
  assert.match(first.imageUrl, new RegExp(`^${ORIGIN}/mj/image/${id}\\?rand=\\d{19}$`));
  assert.notEqual(first.imageUrl, second.imageUrl);
  const preview = await (await kit.ask(first.imageUrl)).arrayBuffer();
  kit.pass(1000);
  const { imageUrl } = await kit.task(id);
  assert.equal(imageUrl, `${ORIGIN}/mj/image/${id}`);
  assert.ok((await (await kit.ask(imageUrl)).arrayBuffer()).byteLength > preview.byteLength);
});

test("its pictures are whole PNGs, of the size and the pixels that they say", async () => {
  const kit = createKit();
  const id = await kit.finish("imagine", { prompt: "a boat" });
  const bytes = Buffer.from(await (await kit.ask(`/mj/image/${id}`)).arrayBuffer());
  const chunks = chunksOf(bytes);
  assert.deepEqual(Object.keys(chunks), ["IHDR", "IDAT", "IEND"]);
  const [width, height] = [chunks.IHDR.readUInt32BE(0), chunks.IHDR.readUInt32BE(4)];
  const rows = inflateSync(chunks.IDAT);
  assert.equal(rows.length, (3 * width + 1) * height);
  const pixel = (/** @type {number} */ x, /** @type {number} */ y) => {
    const at = (3 * width + 1) * y + 1 + 3 * x;
    return [...rows.subarray(at, at + 3)];
  };
  assert.deepEqual(pixel(width / 2, height / 2), [255, 255, 255]); // the gap between the four
  const sun = [Math.floor(0.32 * width), Math.floor(0.18 * height)];
  assert.deepEqual(pixel(sun[0], sun[1]), [0xff, 0xf6, 0xdc]);
});

/** By name; each one's sum is right. @param {Buffer} png @returns {Record<string, Buffer>} */
function chunksOf(png) {
  /** @type {Record<string, Buffer>} */
  const chunks = {};
  for (let at = 8; at < png.length;) {
    const end = at + 8 + png.readUInt32BE(at);
    const zipped = gzipSync(png.subarray(at + 4, end)); // ends with the same sum, and the length
    assert.equal(png.readUInt32BE(end), zipped.readUInt32LE(zipped.length - 8));
    chunks[png.toString("latin1", at + 4, at + 8)] = png.subarray(at + 8, end);
    at = end + 4;
  }
  return chunks;
}

test("a finished picture has at least the documented fields, with their types", async () => {
  const kit = createKit();
  const task = await kit.task(await kit.finish("imagine", { prompt: "a boat" }));
  const { buttons, ...documented } = wireBody("F01");
  for (const [name, value] of Object.entries(documented)) assert.equal(typeof task[name], typeof value, name);
  assert.deepEqual(shapeOf(task.buttons[0]), shapeOf(buttons[0]));
});

test("buttons: a grid has U, V and reroll, an upscaled picture zoom, pan, vary and animate", async () => {
  const kit = createKit();
  const grid = await kit.task(await kit.finish("imagine", { prompt: "a boat" }));
  const labels = grid.buttons.map((/** @type {any} */ button) => button.label || button.emoji);
  assert.deepEqual(labels, ["U1", "U2", "U3", "U4", "🔄", "V1", "V2", "V3", "V4"]);
  const single = await kit.task(await kit.upscaled());
  const ids = single.buttons.map((/** @type {any} */ button) => button.customId).join(" ");
  for (const family of ["MJ::CustomZoom", "MJ::Inpaint", "pan_left", "high_variation", "animate_low"]) {
    assert.ok(ids.includes(family), family);
  }
});

test("every button that a task shows can be pressed", async () => {
  const kit = createKit();
  const parents = [await kit.finish("imagine", { prompt: "a boat" }), await kit.upscaled()];
  parents.push(await kit.finish("video", { image: PNG }), await kit.finish("describe", { base64: PNG }));
  for (const taskId of parents) {
    for (const { customId } of (await kit.task(taskId)).buttons) {
      const { code } = await (await kit.post("/mj/submit/action", { taskId, customId })).json();
      assert.ok([1, 21].includes(code), `${customId} answers ${code}`);
      kit.pass(1000);
    }
  }
});

test("a video task has four clips, each an mp4 behind an expiring link", async () => {
  const kit = createKit();
  const task = await kit.task(await kit.finish("video", { image: PNG }));
  assert.equal(task.videoUrls.length, 4);
  assert.equal(task.videoUrl, task.videoUrls[0].url);
  for (const { url } of task.videoUrls) {
    assert.match(
      url,
      /^https:\/\/service\.test\/cdn\/.+\.mp4\?ex=[0-9a-f]{8}&is=[0-9a-f]{8}&hm=[0-9a-f]{32}$/,
    );
    const bytes = Buffer.from(await (await kit.ask(url)).arrayBuffer());
    assert.equal(bytes.toString("latin1", 4, 8), "ftyp");
  }
});

test("extend: action, index and taskId go together, on a finished video", async () => {
  const kit = createKit();
  const taskId = await kit.finish("video", { image: PNG });
  const running = await kit.submit("video", { image: PNG });
  const answer = async (/** @type {object} */ body) => (await kit.post("/mj/submit/video", body)).json();
  assert.equal((await answer({ action: "extend", index: 0, taskId })).code, 1);
  assert.equal((await answer({ image: PNG, taskId })).code, 4);
  const descriptions = [];
  for (const body of [{ index: 0 }, { taskId }, { index: 0, taskId: "1" }, { index: 0, taskId: running }]) {
    descriptions.push((await answer({ action: "extend", ...body })).description);
  }
  const expected = [
    "task_id_is_required ",
    "index_is_required ",
    "task_not_found ",
    "task_status_not_success ",
  ];
  assert.deepEqual(descriptions, expected);
});

test("a string index is refused, unless the body speaks the dialect with task_id", async () => {
  const kit = createKit();
  const id = await kit.finish("video", { image: PNG });
  const refused = await kit.post("/mj/submit/video", { action: "extend", index: "2", taskId: id });
  assert.equal(refused.status, 400);
  assert.match((await refused.json()).error.message, /^Invalid request, .*index \(request id: \w+\)$/);
  const snake = await kit.post("/mj/submit/video", { action: "extend", index: "2", task_id: id });
  assert.equal((await snake.json()).code, 1);
});

test("a window: code 21, a new id in MODAL, and the confirmation keeps the id", async () => {
  for (const customId of ["MJ::CustomZoom::x", "MJ::Inpaint::1::x::SOLO"]) {
    const kit = createKit();
    const taskId = await kit.upscaled();
    const reply = await (await kit.post("/mj/submit/action", { taskId, customId })).json();
    assert.deepEqual([reply.code, reply.description], [21, "Waiting for window confirm"]);
    assert.notEqual(reply.result, taskId);
    kit.pass(2);
    assert.equal((await kit.task(reply.result)).status, "MODAL");
    const confirmed = await (await kit.post("/mj/submit/modal", { taskId: reply.result })).json();
    assert.deepEqual([confirmed.code, confirmed.result], [1, reply.result]);
    const again = await (await kit.post("/mj/submit/modal", { taskId: reply.result })).json();
    assert.equal(again.code, 4);
  }
});

test("after a confirmation fetch stays at MODAL for the render, and the list shows both rows", async () => {
  const kit = createKit();
  const id = await kit.submit("action", { taskId: await kit.upscaled(), customId: "MJ::CustomZoom::x" });
  kit.pass(4);
  await kit.post("/mj/submit/modal", { taskId: id, prompt: "wider" });
  const rows = async () => (await kit.post("/mj/task/list-by-condition", { ids: [id] })).json();
  const statuses = async () => (await rows()).map((/** @type {any} */ row) => row.status).sort();
  kit.pass(12);
  assert.equal((await kit.task(id)).status, "MODAL");
  assert.deepEqual(
    await statuses(),
    wireBody("F16")
      .map((/** @type {any} */ row) => row.status)
      .sort(),
  );
  const newest = (await rows()).find((/** @type {any} */ row) => row.status !== "MODAL");
  assert.deepEqual([newest.id, newest.prompt, newest.action], [id, "wider", "CUSTOM_ZOOM"]);
  while (!(await statuses()).includes("SUCCESS")) kit.pass(1);
  assert.equal((await kit.task(id)).status, "MODAL");
  kit.pass(15);
  assert.equal((await kit.task(id)).status, "SUCCESS");
});

test("a window that nobody confirms fails after an hour", async () => {
  const kit = createKit();
  const id = await kit.submit("action", { taskId: await kit.upscaled(), customId: "MJ::CustomZoom::x" });
  kit.pass(3599);
  assert.equal((await kit.task(id)).status, "MODAL");
  kit.pass(2);
  const { status, progress, failReason } = await kit.task(id);
  assert.deepEqual([status, progress, failReason], ["FAILURE", "100%", "上游任务超时（超过1小时）"]);
});

test("enableRemix opens a window where a button would start at once", async () => {
  const kit = createKit();
  const taskId = await kit.finish("imagine", { prompt: "a boat" });
  const body = { taskId, customId: "MJ::JOB::variation::1::x" };
  assert.equal((await (await kit.post("/mj/submit/action", body)).json()).code, 1);
  assert.equal((await (await kit.post("/mj/submit/action", { ...body, enableRemix: true })).json()).code, 21);
});

test("describe and shorten answer with four numbered texts", async () => {
  const kit = createKit();
  for (const [route, body] of [SUBMITS[3], SUBMITS[4]]) {
    const { promptEn, properties } = await kit.task(await kit.finish(route, body));
    assert.deepEqual(promptEn.match(/\d️⃣ .+/gu)?.length, 4, promptEn);
    assert.equal(properties.finalPrompt, promptEn);
  }
});

test("PicReader::all makes four tasks, their ids joined by commas", async () => {
  const kit = createKit();
  const taskId = await kit.finish("describe", { base64: PNG });
  const reply = await (
    await kit.post("/mj/submit/action", { taskId, customId: "MJ::Job::PicReader::all" })
  ).json();
  const ids = reply.result.split(",");
  assert.deepEqual([reply.code, ids.length, new Set(ids).size, kit.sandbox.submits], [1, 4, 4, 5]);
});

test("a bookmark answers with the parent, and makes no task", async () => {
  const kit = createKit();
  const taskId = await kit.upscaled();
  const before = kit.sandbox.submits;
  assert.equal(await kit.submit("action", { taskId, customId: "MJ::BOOKMARK::x" }), taskId);
  assert.equal(kit.sandbox.submits, before);
});

test("uploads answer with readable links, and make no task", async () => {
  const kit = createKit();
  const reply = await (
    await kit.post("/mj/submit/upload-discord-images", { base64Array: [PNG, PNG] })
  ).json();
  assert.deepEqual([reply.code, reply.result.length, kit.sandbox.submits], [1, 2, 0]);
  assert.equal((await kit.ask(reply.result[1])).headers.get("content-type"), "image/png");
});

test("the eleventh running task waits in the queue: code 22 with its place", async () => {
  const kit = createKit();
  for (let count = 0; count < 10; count += 1) await kit.submit("imagine", { prompt: "a boat" });
  const reply = await (await kit.post("/mj/submit/imagine", { prompt: "a boat" })).json();
  assert.deepEqual([reply.code, reply.properties.numberOfQueues], [22, 1]);
  assert.match(reply.result, /^\d{16}$/);
});

test("the list leaves unknown ids out, and is [] for none", async () => {
  const kit = createKit();
  const ids = [await kit.submit("imagine", { prompt: "a" }), await kit.submit("imagine", { prompt: "b" })];
  const list = async (/** @type {unknown} */ body) =>
    (await kit.post("/mj/task/list-by-condition", body)).json();
  const found = await list({ ids: [...ids, "1773314942177000"] });
  assert.deepEqual(found.map((/** @type {any} */ row) => row.id).sort(), [...ids].sort());
  assert.deepEqual(await list({ ids: [] }), []);
  assert.equal((await list({ ids: "all" })).description, "do_request_failed ");
});

test("the image seed is digits, and only of a finished task", async () => {
  const kit = createKit();
  const id = await kit.submit("imagine", { prompt: "a boat" });
  assert.equal((await kit.read(`/mj/task/${id}/image-seed`)).description, "task_status_not_success ");
  kit.pass(1000);
  const { code, result } = await kit.read(`/mj/task/${id}/image-seed`);
  assert.equal(code, 1);
  assert.match(result, /^\d{10}$/);
});

test("an unknown task is 400 with the blank after its name, byte for byte", async () => {
  const kit = createKit();
  for (const path of ["fetch", "image-seed"]) {
    const reply = await kit.ask(`/mj/task/1773314942177684/${path}`);
    assert.equal(reply.status, 400);
    assert.equal(await reply.text(), '{"description":"task_no_found ","type":"upstream_error","code":4}');
  }
});

test("a blank prompt, and a body that is not typed as JSON, is prompt_is_required", async () => {
  const kit = createKit();
  for (const reply of [
    await kit.post("/mj/submit/imagine", { prompt: " \n" }),
    await kit.post("/mj/submit/imagine", { prompt: "a boat" }, { "Content-Type": "text/plain" }),
  ]) {
    assert.equal(reply.status, 400);
    assert.deepEqual(await reply.json(), wireBody("S23"));
  }
  assert.equal(kit.sandbox.submits, 0);
});

test("a custom id: missing and unknown are refused by name, one without :: makes the gateway panic", async () => {
  const kit = createKit();
  const taskId = await kit.finish("imagine", { prompt: "a boat" });
  const answer = async (/** @type {string} */ customId) => {
    const reply = await kit.post("/mj/submit/action", { taskId, customId });
    return [reply.status, (await reply.json()).error.message.replace(/ \(request id: \w+\)/, "")];
  };
  assert.deepEqual(await answer(""), [400, "Invalid request, custom_id_is_required"]);
  assert.deepEqual(await answer("MJ::JOB::fly::1"), [400, "Invalid request, unknown_action:MJ::JOB::fly::1"]);
  const [status, message] = await answer("U1");
  assert.equal(status, 500);
  assert.match(message, /^Panic detected/);
});

test("a parent must be there, and have succeeded", async () => {
  const kit = createKit();
  const running = await kit.submit("imagine", { prompt: "a boat" });
  const customId = "MJ::JOB::upsample::1::x";
  const reply = await kit.post("/mj/submit/action", { taskId: "1", customId });
  assert.equal((await reply.json()).description, "task_not_found ");
  const early = await kit.post("/mj/submit/action", { taskId: running, customId });
  assert.deepEqual(await early.json(), wireBody("S27"));
});

test("blend wants two to five data URIs, describe an image or a link", async () => {
  const kit = createKit();
  const refused = [
    ["blend", { base64Array: [PNG] }],
    ["blend", { base64Array: Array(6).fill(PNG) }],
    ["blend", { base64Array: ["https://a.test/1.png", PNG] }],
    ["describe", {}],
    ["edits", { prompt: "a moon" }],
    ["video", {}],
  ];
  for (const [route, body] of refused) {
    const reply = await kit.post(`/mj/submit/${route}`, body);
    const { code, result } = await reply.json();
    assert.deepEqual([reply.status, code, result], [200, 4, null], `${route}`);
  }
});

test("a state of more than 255 characters is declined, in an envelope of its own outside imagine", async () => {
  const kit = createKit();
  const state = "x".repeat(256);
  const imagine = await (await kit.post("/mj/submit/imagine", { prompt: "a", state })).json();
  assert.deepEqual([imagine.code, imagine.result], [4, null]);
  const shorten = await (await kit.post("/mj/submit/shorten", { prompt: "a", state })).json();
  assert.deepEqual([shorten.success, shorten.code], [false, -1]);
});
