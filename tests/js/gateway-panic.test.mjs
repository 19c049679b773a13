// When the gateway's wasm breaks down, that request is answered with 500, and the next one gets a fresh instance.
import assert from "node:assert/strict";
import { test } from "node:test";
import { edgeGlue, edgeWasm, openGateway } from "./support/gateway.mjs";
import { withLittleMemory, withPanicIn } from "./support/patch.mjs";
import { accepted, json, reading } from "./support/replies.mjs";

const UNKNOWN = `17.${"A".repeat(43)}`;
const KITE = new FormData();
KITE.append("prompt", "a kite");

/** @param {string} path @param {object} body @returns {[string, RequestInit]} */
const post = (path, body) => [
  `/api/comet${path}`,
  { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) },
];
/** @type {[string, RequestInit?]} */
const nowhere = ["/api/comet/nowhere"];
const ids = (/** @type {Ids} */ { picture }) =>
  post("/mj/task/list-by-condition", { ids: [picture, UNKNOWN] });

/** @typedef {{ picture: string, video: string }} Ids */

/** A decision, a request that needs it, and the status of the next request. @type {[string, (ids: Ids) => [string, RequestInit?], number][]} */
const decisions = [
  ["readJson", () => post("/mj/submit/imagine", { prompt: "a boat" }), 404],
  ["readForm", () => ["/api/comet/v1/videos", { method: "POST", body: KITE }], 404],
  ["refuse", () => [`/api/comet/mj/task/${UNKNOWN}/fetch`], 404],
  ["list", ids, 404],
  ["mediaType", ({ video }) => [`/api/comet/v1/videos/${video}/content`], 404],
  ["answer", ({ picture }) => [`/api/comet/mj/task/${picture}/fetch`], 404],
  ["judge", () => nowhere, 500],
];

/** @param {string} url */
async function service(url) {
  if (url.endsWith("/v1/videos")) return json({ id: "task_a", status: "queued" });
  if (url.endsWith("/content")) return new Response("film", { headers: { "content-type": "video/mp4" } });
  return url.includes("/submit/") ? accepted() : reading("IN_PROGRESS");
}

/** How many instances have been made since. @param {import("node:test").TestContext} t */
function countInstances(t) {
  const made = t.mock.method(WebAssembly, "Instance", WebAssembly.Instance);
  return () => made.mock.callCount();
}

/** The ids that another gateway of this operator's has given out. */
async function given() {
  const { client } = await openGateway(service);
  const [picture, video] = [
    await client.submitImagine({ prompt: "a" }),
    await client.submitVeo({ prompt: "a" }),
  ];
  client.close();
  return { picture: picture.id, video: video.id };
}

for (const [decision, request, after] of decisions) {
  test(`a panic of the decision "${decision}" is one 500, and the next request has an instance of its own`, async (t) => {
    const said = t.mock.method(console, "error", () => {});
    const asked = request(await given());
    const made = countInstances(t);
    const { ask } = await openGateway(service, withPanicIn(edgeWasm, edgeGlue, decision));
    const response = await ask(...asked);
    assert.deepEqual([response.status, made()], [500, 1]);
    assert.equal((await response.json()).error.type, "gateway_error");
    assert.match(String(said.mock.calls[0]?.arguments[0]), /^comet-tasks gateway: RuntimeError/);
    assert.deepEqual([(await ask(...nowhere)).status, made()], [after, 2]);
    assert.deepEqual([(await ask(...nowhere)).status, made()], [after, after === 500 ? 3 : 2]);
  });
}

test("a reply for which the memory does not suffice is one 500, in doubt, and the next ones are read", async (t) => {
  t.mock.method(console, "error", () => {});
  const made = countInstances(t);
  const large = json({ code: 1, description: "a".repeat(900_000), result: "17" });
  const answers = [large, accepted(), reading("IN_PROGRESS")];
  const next = async () => /** @type {Response} */ (answers.shift());
  const { client } = await openGateway(next, withLittleMemory(edgeWasm, 1));
  const submit = client.submitImagine({ prompt: "a boat" });
  await assert.rejects(submit, { code: "gateway", status: 500, ambiguous: true });
  const handle = await client.submitImagine({ prompt: "a boat" });
  assert.equal((await client.fetchTask(handle)).status, "running");
  assert.equal(made(), 3, "the client's, the one that broke down, and a fresh one");
  client.close();
});
