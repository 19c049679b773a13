// A service that says nothing, or not to the end: the gateway gives it as long as the client would, and no longer.
import assert from "node:assert/strict";
import { test } from "node:test";
import { stopClock, turn } from "./support/clock.mjs";
import { openGateway } from "./support/gateway.mjs";
import { accepted, json, reading } from "./support/replies.mjs";

const PNG = Uint8Array.from(atob("iVBORw0KGgo="), (letter) => letter.charCodeAt(0));

/**
 * Takes the tasks that it is given, and then goes silent: its next request is told, and gets this answer.
 * @param {(init: RequestInit) => Promise<Response>} answer
 */
function service(answer) {
  const state = { isSilent: false, arrive: (/** @type {RequestInit} */ _) => {} };
  const arrived = new Promise((resolve) => (state.arrive = resolve));
  const fetch = async (/** @type {string} */ url, /** @type {RequestInit} */ init) => {
    if (state.isSilent) {
      state.arrive(init);
      return answer(init);
    }
    return url.endsWith("/v1/videos") ? json({ id: "task_a", status: "queued" }) : accepted();
  };
  return { state, arrived: /** @type {Promise<RequestInit>} */ (arrived), fetch };
}

/** @typedef {{ client: any, picture: any, video: any }} Scene */

/** A call, how long it may take, and whether it may have made something. @type {[string, number, boolean, (scene: Scene) => Promise<any>][]} */
const calls = [
  ["a submit", 120_000, true, ({ client }) => client.submitImagine({ prompt: "a boat" })],
  ["a submit of a form", 120_000, true, ({ client }) => client.submitVeo({ prompt: "a kite" })],
  ["an upload", 120_000, true, ({ client }) => client.uploadImages([PNG])],
  ["a seed", 120_000, false, ({ client, picture }) => client.imageSeed(picture)],
  ["a reading", 30_000, false, ({ client, picture }) => client.fetchTask(picture)],
  ["a list", 30_000, false, ({ client, picture }) => client.fetchTasks([picture, picture])],
  ["a result", 30_000, false, ({ client, video }) => client.downloadContent(video)],
];

/** A reply that begins like this and does not go on. @param {string} text */
function halfOf(text) {
  const body = new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from(text)) });
  return new Response(body, { headers: { "content-type": "application/json" } });
}

/** The service heeds the signal, or does not, or its body stops in the middle. @type {[string, (init: RequestInit) => Promise<Response>][]} */
const silences = [
  [
    "says nothing",
    ({ signal }) => new Promise((_, no) => signal?.addEventListener("abort", () => no(signal.reason))),
  ],
  ["never settles", () => new Promise(() => {})],
  ["stops in the middle", async () => halfOf("{")],
];

for (const [call, limitMs, mayHaveMade, start] of calls) {
  for (const [silence, answer] of silences) {
    test(`${call} that the service answers with silence (${silence}) ends as 504, in doubt if it made something`, async (t) => {
      const { state, arrived, fetch } = service(answer);
      const { client } = await openGateway(fetch);
      const picture = await client.submitImagine({ prompt: "a boat" });
      const video = await client.submitVeo({ prompt: "a kite" });
      const clock = stopClock(t);
      state.isSilent = true;
      const outcome = start({ client, picture, video }).then(
        (value) => ({ value }),
        (reason) => ({ reason }),
      );
      const { signal } = await arrived;
      clock.tick(limitMs - 1);
      await turn();
      assert.equal(signal?.aborted, false);
      clock.tick(1);
      const told = /** @type {any} */ (await outcome);
      const { reason } = Array.isArray(told.value) ? { reason: told.value[0] } : told;
      assert.deepEqual(
        [reason.code, reason.status, reason.serviceCode],
        ["gateway", 504, "upstream_timeout"],
      );
      assert.deepEqual([reason.ambiguous, reason.retryable], [mayHaveMade, !mayHaveMade]);
      assert.equal(signal?.aborted, true);
      client.close();
    });
  }
}

const WHOLE = JSON.stringify({ code: 1, description: "ok", result: "1712345678909999" });

for (const [end, close] of /** @type {[string, (body: ReadableStreamDefaultController) => void][]} */ ([
  ["never ends", () => {}],
  ["breaks off", (body) => setTimeout(() => body.error(new Error("reset")), 1_000)],
])) {
  test(`a task's name that came goes on to the caller when the body ${end} after it`, async (t) => {
    const { state, arrived, fetch } = service(async () => {
      const start = (/** @type {ReadableStreamDefaultController} */ body) => {
        body.enqueue(Buffer.from(WHOLE));
        close(body);
      };
      return new Response(new ReadableStream({ start }));
    });
    const { client } = await openGateway(fetch);
    const clock = stopClock(t);
    state.isSilent = true;
    const submit = client.submitImagine({ prompt: "a boat" });
    await arrived;
    for (let turns = 0; turns < 5; turns += 1) await turn();
    clock.tick(120_000);
    assert.ok((await submit).id.startsWith("1712345678909999."));
    assert.equal(clock.countTimers(), 0);
    client.close();
  });
}

test("a result streams for longer than its head may take", async (t) => {
  /** @type {ReadableStreamDefaultController<Uint8Array>} */
  let film = /** @type {any} */ (undefined);
  const body = new ReadableStream({ start: (controller) => void (film = controller) });
  const headers = { "content-type": "video/mp4" };
  const { state, arrived, fetch } = service(async () => new Response(body, { headers }));
  const { client } = await openGateway(fetch);
  const video = await client.submitVeo({ prompt: "a kite" });
  const clock = stopClock(t);
  state.isSilent = true;
  const content = await client.downloadContent(video);
  clock.tick(3_600_000);
  film.enqueue(PNG);
  film.close();
  assert.deepEqual(new Uint8Array(await content.arrayBuffer()), PNG);
  assert.equal((await arrived).signal?.aborted, false);
  client.close();
});

test("an answer leaves no timer behind, be it a reading or a refusal", async (t) => {
  const answers = [reading("IN_PROGRESS"), json({ error: { message: "no" } }, 400)];
  const { state, fetch } = service(async () => /** @type {Response} */ (answers.shift()));
  const { client } = await openGateway(fetch);
  const picture = await client.submitImagine({ prompt: "a boat" });
  const clock = stopClock(t);
  state.isSilent = true;
  assert.equal((await client.fetchTask(picture)).status, "running");
  await assert.rejects(client.fetchTask(picture), { code: "validation" });
  assert.equal(clock.countTimers(), 0);
  client.close();
});

for (const [path, type] of [
  ["/mj/submit/imagine", "application/json"],
  ["/v1/videos", "multipart/form-data; boundary=b"],
]) {
  test(`a caller who leaves in the middle of a body of ${type} has sent a broken one, and the host's log says nothing`, async (t) => {
    const log = t.mock.method(console, "error", () => {});
    const { ask, client } = await openGateway(async () => accepted());
    const body = new ReadableStream({ pull: (controller) => controller.error(new Error("gone")) });
    const init = { method: "POST", headers: { "content-type": type }, body, duplex: "half" };
    const reply = await ask(`/api/comet${path}`, init);
    assert.deepEqual([reply.status, log.mock.callCount()], [400, 0]);
    client.close();
  });
}

for (const maxBodyBytes of [Infinity, 100.5, 1e21]) {
  test(`a body that is shorter than maxBodyBytes ${maxBodyBytes} passes, and says how long it is`, async () => {
    const { ask, client } = await openGateway(async () => accepted(), undefined, { maxBodyBytes });
    const headers = { "content-type": "application/json", "content-length": "14" };
    const init = { method: "POST", headers, body: '{"prompt":"a"}' };
    assert.equal((await ask("/api/comet/mj/submit/imagine", init)).status, 200);
    client.close();
  });
}

test("open says validation of whatever is no handle, be it such that JSON cannot tell it", async () => {
  const { gateway, client } = await openGateway(async () => accepted());
  const round = {};
  Object.assign(round, { round });
  for (const odd of [undefined, null, 7, () => {}, { v: 1, id: 17n }, round]) {
    const opening = gateway.open(new Request("https://page.example/"), odd);
    await assert.rejects(opening, { name: "CometError", code: "validation" });
  }
  client.close();
});
