// The gateway in workerd, with the package's own client before it and the sandbox behind it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { KEY, SECRET, pageClient, startGateway } from "./gateway-kit.mjs";

const LIMIT = { timeout: 60_000 };
const QUICK = { intervalMs: 20 };
const PNG = Uint8Array.from(atob("iVBORw0KGgo="), (letter) => letter.charCodeAt(0));
const SIGNED = /^\d{16}\.[\w-]{43}$/;

/** @type {Awaited<ReturnType<typeof startGateway>>} */
let gateway;
/** @type {Awaited<ReturnType<typeof pageClient>>} */
let alice;

before(async () => {
  gateway = await startGateway();
  alice = await pageClient(gateway.origin, "alice");
});
after(() => gateway.close());

test("pictures: imagine, button, modal, seed and batch, with signed ids alone", LIMIT, async () => {
  const grid = await alice.run({ kind: "imagine", params: { prompt: "a boat" } }, QUICK);
  assert.match(grid.handle.id, SIGNED);
  assert.deepEqual(grid.images, [`${gateway.origin}/api/comet/mj/image/${grid.handle.id}`]);
  const { customId = "" } = grid.buttons.find(({ label }) => label === "U1") ?? {};
  const picture = await alice.run({ kind: "action", params: { taskId: grid.handle.id, customId } }, QUICK);
  const zoom = picture.buttons.find((button) => button.customId.startsWith("MJ::CustomZoom"));
  const asked = { taskId: picture.handle.id, customId: zoom?.customId ?? "" };
  const question = await alice.run({ kind: "action", params: asked }, QUICK);
  assert.equal(question.status, "action_required");
  const params = { taskId: question.handle.id, prompt: "a boat --zoom 2" };
  assert.equal((await alice.run({ kind: "modal", params }, QUICK)).status, "succeeded");
  assert.match(await alice.imageSeed(grid.handle), /^\d+$/);
  const tasks = await alice.fetchTasks([grid.handle, "17", picture.handle]);
  assert.deepEqual(
    tasks.map((task) => task && "handle" in task && task.handle?.id),
    [grid.handle.id, null, picture.handle.id],
  );
  assert.equal(gateway.arrived.at(-1)?.url, "https://service.example/mj/task/list-by-condition");
});

test("videos: from a picture's bytes, continued, and by /v1/videos with two frames", LIMIT, async () => {
  const video = await alice.run({ kind: "video", params: { image: PNG, motion: "low" } }, QUICK);
  assert.equal(video.videos.length, 4);
  const more = { action: "extend", index: /** @type {const} */ (1), taskId: video.handle.id };
  assert.equal((await alice.run({ kind: "video", params: more }, QUICK)).status, "succeeded");
  const params = { prompt: "a kite", inputReference: [new Blob([PNG], { type: "image/png" }), PNG] };
  const veo = await alice.run({ kind: "veo", params }, QUICK);
  assert.match(veo.handle.id, /^task_\w{32}\.[\w-]{43}$/);
  const form = gateway.arrived.find(({ url }) => url === "https://service.example/v1/videos")?.body ?? "";
  assert.equal(form.split('name="input_reference"').length, 3);
  const content = await alice.downloadContent(veo.handle);
  assert.equal(content.headers.get("content-type"), "video/mp4");
  const bytes = new Uint8Array(await content.arrayBuffer());
  assert.equal(bytes.length, Number(content.headers.get("content-length")));
  assert.equal(new TextDecoder().decode(bytes.subarray(4, 8)), "ftyp");
});

test("pictures that are uploaded, blended and described keep their bytes", LIMIT, async () => {
  const large = new Uint8Array(3 * 1024 * 1024).map((_, at) => at * 7);
  large.set(PNG);
  assert.equal((await alice.uploadImages([large])).length, 1);
  const letters = Buffer.from(large).toString("base64");
  assert.ok(gateway.arrived.at(-1)?.body === `{"base64Array":["data:image/png;base64,${letters}"]}`);
  await alice.submitBlend({ images: [PNG, PNG], dimensions: "SQUARE" });
  const described = await alice.submitDescribe({ image: PNG });
  assert.equal((await alice.poll(described, QUICK)).texts.length, 4);
});

test("a part of a file is asked for as it was asked of the gateway", LIMIT, async () => {
  const { handle } = await alice.run({ kind: "veo", params: { prompt: "a kite" } }, QUICK);
  const headers = { authorization: "Bearer page-alice", range: "bytes=4-7" };
  await gateway.ask({ path: `/api/comet/v1/videos/${handle.id}/content`, headers });
  assert.equal(gateway.arrived.at(-1)?.headers.range, "bytes=4-7");
  const odd = { ...headers, range: "bytes=0-1,2-3" };
  await gateway.ask({ path: `/api/comet/v1/videos/${handle.id}/content`, headers: odd });
  assert.equal(gateway.arrived.at(-1)?.headers.range, undefined);
});

test("open gives the service's handle to its own caller alone", LIMIT, async () => {
  const handle = await alice.submitImagine({ prompt: "a boat" });
  /** @param {string} name @param {object} body @returns {Promise<any>} */
  const open = async (name, body) => {
    const headers = { authorization: `Bearer page-${name}`, "content-type": "application/json" };
    const told = await gateway.ask({ method: "POST", path: "/open", headers, body: JSON.stringify(body) });
    return JSON.parse(told.text);
  };
  const opened = await open("alice", handle);
  assert.deepEqual(opened, { ...handle, id: handle.id.split(".")[0] });
  assert.equal((await open("bob", handle)).code, "not_found");
  assert.equal((await open("", handle)).code, "unauthorized");
  assert.equal((await open("alice", opened)).code, "not_found");
  assert.equal((await open("alice", { ...handle, family: "videos" })).code, "not_found");
  assert.equal((await open("alice", { ...handle, v: 2 })).code, "validation");
});

test("a wait through the gateway tells the service's refusals apart", LIMIT, async () => {
  await assert.rejects(alice.submitImagine({ prompt: "sandbox:banned" }), { code: "moderation" });
  await assert.rejects(alice.fetchTask("17"), { code: "not_found" });
  const greedy = await pageClient(gateway.origin, "greedy");
  const options = { requestTimeoutMs: 50 };
  await assert.rejects(greedy.submitImagine({ prompt: "a boat" }, options), { code: "rate_limited" });
  const nobody = await pageClient(gateway.origin, "");
  await assert.rejects(nobody.submitImagine({ prompt: "a boat" }), {
    code: "unauthorized",
    ambiguous: false,
  });
});

test("a service that says nothing is given up, and the next request does not suffer", LIMIT, async (t) => {
  let isSilent = true;
  const answer = () => (isSilent ? new Promise(() => {}) : undefined);
  const hasty = await startGateway({ haste: 1000, answer });
  t.after(() => hasty.close());
  const client = await pageClient(hasty.origin, "alice");
  const late = { code: "gateway", status: 504, serviceCode: "upstream_timeout", ambiguous: true };
  const silent = [client.submitImagine({ prompt: "a boat" }), client.submitVeo({ prompt: "a kite" })];
  await Promise.all(silent.map((submit) => assert.rejects(submit, late)));
  isSilent = false;
  assert.equal(
    (await client.run({ kind: "imagine", params: { prompt: "a boat" } }, QUICK)).status,
    "succeeded",
  );
  assert.ok(!/hung|cross-request|different request|Uncaught/i.test(hasty.log()), hasty.log());
});

test("two hundred overlapping callers each get their own", LIMIT, async () => {
  const names = Array.from({ length: 200 }, (_, at) => `many${at}`);
  const tasks = await Promise.all(
    names.map(async (name) => {
      const client = await pageClient(gateway.origin, name);
      return client.run({ kind: "imagine", params: { prompt: name } }, QUICK);
    }),
  );
  assert.deepEqual(
    tasks.map((task) => task.prompt),
    names,
  );
});

test("events name operations, and nothing that was logged or sent holds key or secret", () => {
  const events = gateway.log().matchAll(/^\{.*\}$/gm);
  const types = new Set(
    [...events].map(([line]) => `${JSON.parse(line).operation} ${JSON.parse(line).type}`),
  );
  for (const wanted of ["midjourney.imagine request", "videos.create response", "midjourney.list settled"]) {
    assert.ok(types.has(wanted), `${wanted} of ${[...types]}`);
  }
  for (const secret of [KEY, SECRET]) assert.ok(!gateway.log().includes(secret));
  assert.ok(!/hung|cross-request|different request|Uncaught/i.test(gateway.log()), gateway.log());
  for (const { headers } of gateway.arrived) {
    assert.equal(headers.authorization, `Bearer ${KEY}`);
    assert.equal(headers.origin, undefined);
  }
});
