// The cases of fixtures/wire.json through the installed package, with a fetch of ours and a clock that stands still.
// tests/wire.rs runs the same against the core. What is more here: the number of requests, and what is no reply at all.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import FakeTimers from "@sinonjs/fake-timers";
import { importInstalled } from "./installed.mjs";
import { turn } from "./support/clock.mjs";
import { NOW, cases, check, failureOf, repliesOf, requestsOf, toResponse } from "./wire-cases.mjs";

/** @type {any} */
const { createClient, init, parseWebhook, supersedes } = await importInstalled("comet-tasks");
await init();

const KEY = "sk-of-the-tests";
const ORDINARY_ID = "1773314942177684";
const ORDINARY_VIDEO = "task_pa9CKKtYlTdxO7IIHOKKhXfjxEu4EQoR";
const picture = (name = "a.png") => new File([new Uint8Array(8)], name, { type: "image/png" });

/** @type {Record<string, [method: string, params: any]>} */
const submits = {
  imagine: ["submitImagine", { prompt: "x" }],
  any: ["submitImagine", { prompt: "x" }],
  video: ["submitVideo", { image: "https://a.test/i.png" }],
  action: ["submitAction", { taskId: "1773314942177000", customId: "MJ::JOB::upsample::1::x" }],
  modal: ["submitModal", { taskId: "1773314942177000" }],
  blend: ["submitBlend", { images: [picture(), picture()] }],
  describe: ["submitDescribe", { image: picture() }],
  shorten: ["submitShorten", { prompt: "x" }],
  edits: ["submitEdits", { prompt: "x", image: picture() }],
  create: ["submitVeo", { prompt: "x" }],
  videos: ["submitVeo", { prompt: "x" }],
  remix: ["submitRemix", { handle: "task_1", prompt: "x" }],
};

/** @type {Map<string, number>} */
const counts = new Map();
after(() => {
  for (const [group, count] of counts) console.log(`${group}: ${count} run`);
  console.log(`all: ${[...counts.values()].reduce((a, b) => a + b)} run of ${cases.length}`);
});

for (const group of new Set(cases.map((wire) => wire.group))) {
  describe(`wire cases ${group}`, () => {
    for (const wire of cases.filter((one) => one.group === group)) {
      test(`${wire.id} ${wire.title}`, async () => {
        counts.set(group, (counts.get(group) ?? 0) + 1);
        await run(wire);
      });
    }
  });
}

/** @param {any} wire */
async function run(wire) {
  const clock = FakeTimers.install({ now: NOW, toFake: ["setTimeout", "clearTimeout", "Date"] });
  const globals = /** @type {any} */ (globalThis);
  // Only a page is told that the other origin may be the reason.
  if (wire.expect.hint === "cors") globals.document = {};
  try {
    await new Run(wire, clock).go();
  } finally {
    delete globals.document;
    clock.uninstall();
  }
}

/** One case on its way. */
class Run {
  /** @type {{ url: string, init: any, at: number }[]} */
  requests = [];
  controller = new AbortController();
  reason = new Error("enough");
  /** @type {any} */
  last = undefined;
  /** @type {any} the error that the list route was left for */
  listError = undefined;

  /** @param {any} wire @param {ReturnType<typeof FakeTimers.install>} clock */
  constructor(wire, clock) {
    this.wire = wire;
    this.clock = clock;
    this.failure = failureOf(wire);
    this.client = createClient({
      apiKey: KEY,
      dangerouslyAllowBrowser: true,
      baseUrl: wire.request?.baseUrl,
      dialect: wire.request?.dialect,
      fetch: (/** @type {any} */ url, /** @type {any} */ init) => this.fetch(String(url), init),
      onEvent: (/** @type {any} */ event) => this.listen(event),
    });
    if (this.failure === "abort before") this.controller.abort(this.reason);
  }

  async go() {
    const { call } = this.wire;
    if (call in submits) await this.submit();
    else if (call === "fetch" || call === "retrieve") await this.read();
    else if (call === "webhook") await this.webhook();
    else if (call === "list") await this.list();
    else if (call === "asset") await this.asset();
    else await this.other();
    for (const request of this.requests) this.checkRequest(request);
    this.client.close();
    assert.equal(this.clock.countTimers(), 0, "a timer is left behind");
  }

  async submit() {
    const { call, expect, request = {} } = this.wire;
    const [method, ordinary] = submits[call];
    const { speed, baseUrl, dialect, ...given } = request;
    const params = withPictures(Object.keys(given).length > 0 ? given : ordinary);
    const options = { speed, signal: this.controller.signal, throwOnFailure: false };
    const runs = expect.status !== undefined;
    const seen = await this.outcome(() =>
      runs ? this.client.run({ kind: "veo", params }, options) : this.client[method](params, options),
    );
    this.judge(seen);
    assert.equal(this.requests.length, requestsOf(expect, this.wire), "requests");
    const retryAfter = repliesOf(this.wire)[0].headers?.["Retry-After"];
    if (expect.attempts && retryAfter) {
      assert.ok(this.requests[1].at - this.requests[0].at >= retryAfter * 1000, "Retry-After shortened");
    }
  }

  /** A read is made by itself and again inside a wait: both must say the same. */
  async read() {
    const { expect, sequence } = this.wire;
    const isOfAWait = ["task_failed", "task_canceled", "no_asset", "aborted"].includes(expect.kind);
    if (!sequence && !isOfAWait) {
      this.judge(await this.outcome(() => this.client.fetchTask(this.handle(), this.options())));
      if (expect.requestPath || expect.fetchCalls === 0) return;
      assert.equal(this.requests.length, 1, "requests of one reading");
      this.requests.length = 0;
    }
    const seen = await this.outcome(() => this.client.poll(this.handle(), this.options()));
    const goesOn = seen === this.reason && expect.kind !== "aborted";
    this.judge(goesOn ? this.last : seen);
  }

  async list() {
    const handle = { ...this.handle(), kind: "modal" };
    const seen = await this.outcome(() => this.client.poll(handle, this.options()));
    const listed = this.requests.findIndex(({ url }) => url.endsWith("/list-by-condition"));
    assert.deepEqual(JSON.parse(this.requests[listed].init.body), { ids: [ORDINARY_ID] });
    if (this.wire.expect.absent) return assert.equal(this.last.rawStatus, "MODAL");
    if (this.wire.expect.ok) return check(this.wire.expect, plain(seen === this.reason ? this.last : seen));
    assert.equal(this.listError?.code, this.wire.expect.kind);
  }

  async webhook() {
    const { expect } = this.wire;
    let events = 0;
    for (const { body } of repliesOf(this.wire)) {
      const seen = await this.outcome(() => parseWebhook(body));
      this.judge(seen);
      if (this.last && !supersedes(this.last, seen)) continue;
      events += 1;
      this.last = seen;
    }
    if (expect.events) assert.equal(events, expect.events);
    assert.equal(this.requests.length, 0);
  }

  /** A URL's expiry is told with the task that has it. */
  async asset() {
    if (this.failure) {
      return this.judge(await this.outcome(() => this.client.downloadContent(ORDINARY_VIDEO)));
    }
    const task = { id: ORDINARY_ID, status: "SUCCESS", imageUrls: [this.wire.request.url] };
    this.wire = { ...this.wire, status: 200, body: JSON.stringify(task) };
    this.judge(await this.outcome(() => this.client.fetchTask(ORDINARY_ID)));
  }

  async other() {
    const { call, expect } = this.wire;
    const calls = /** @type {Record<string, () => Promise<any>>} */ ({
      upload: async () => ({ urls: await this.client.uploadImages([picture()], this.options()) }),
      seed: async () => ({ seed: await this.client.imageSeed(ORDINARY_ID, this.options()) }),
      content: () => this.client.downloadContent(ORDINARY_VIDEO, this.options()),
    });
    const seen = await this.outcome(calls[call]);
    if (expect.mime) {
      const bytes = new Uint8Array(await seen.arrayBuffer());
      assert.deepEqual([...bytes.subarray(4, 8)], [...Buffer.from("ftyp")]);
    } else {
      this.judge(seen);
    }
    assert.equal(this.requests.length, 1, "requests");
  }

  /** @param {any} seen */
  judge(seen) {
    const { expect } = this.wire;
    if (expect.kind === "aborted") {
      assert.equal(seen, this.reason);
      if (expect.fetchCalls !== undefined) assert.equal(this.requests.length, expect.fetchCalls);
      return;
    }
    check(expect, { ...plain(seen), ...this.sent(expect) });
    if (seen instanceof Error) assert.ok(!JSON.stringify(seen).includes(KEY), "an error holds the key");
  }

  /** What a case may expect of the request. @param {any} expect */
  sent(expect) {
    if (!expect.requestPath && !expect.requestBodyJsonEquals && !expect.parts) return {};
    const [{ url, init }] = this.requests;
    const requestPath = new URL(url).pathname;
    if (init.body instanceof FormData) return { requestPath, parts: [...init.body.keys()] };
    // Text, or bytes where pictures are in it.
    const text = typeof init.body === "string" ? init.body : new TextDecoder().decode(init.body);
    return { requestPath, requestBodyJsonEquals: text && JSON.parse(text) };
  }

  handle() {
    const { call, expect, request = {} } = this.wire;
    const isVideo = call === "retrieve";
    // A bare id is a handle too.
    if (expect.fetchCalls === 0) return request.id;
    return {
      v: 1,
      family: isVideo ? "videos" : "midjourney",
      kind: request.kind ?? (isVideo ? "veo" : "imagine"),
      id: request.id ?? (isVideo ? ORDINARY_VIDEO : ORDINARY_ID),
      submittedAt: NOW - (request.age ?? 60_000),
    };
  }

  options() {
    return {
      signal: this.controller.signal,
      onUpdate: (/** @type {any} */ task) => {
        this.last = task;
        if (this.wire.call !== "list") this.stopWhenRead();
      },
    };
  }

  /** A task that goes on is judged by its last reading. */
  stopWhenRead() {
    const goesOn = ["queued", "running"].includes(this.last.status);
    if (goesOn && this.requests.length >= repliesOf(this.wire).length) this.controller.abort(this.reason);
  }

  /** @param {any} event */
  listen(event) {
    if (event.type === "retry" && event.operation === "midjourney.list") this.listError ??= event;
    if (event.type === "sleep" && this.failure === "abort asleep" && this.requests.length > 0) {
      setImmediate(() => this.controller.abort(this.reason));
    }
  }

  /** @param {string} url @param {any} init */
  async fetch(url, init) {
    this.requests.push({ url, init, at: Date.now() });
    if (this.wire.call === "list") return this.listOr(url);
    const replies = repliesOf(this.wire);
    const reply = replies[Math.min(this.requests.length, replies.length) - 1];
    switch (this.failure) {
      case "drop":
        throw new TypeError("fetch failed");
      case "abort pending":
        this.controller.abort(this.reason);
        return new Promise(() => {});
      case "silence":
        return new Promise(() => {});
      case "abort asleep":
        return Response.json({ id: ORDINARY_ID, status: "IN_PROGRESS" });
      case "cut":
        return new Response(new ReadableStream({ pull: (stream) => stream.error(new Error("reset")) }));
      default:
        return toResponse(reply);
    }
  }

  /** The list is asked when a modal's task has been MODAL for long; one reply of it is enough. @param {string} url */
  listOr(url) {
    const listed = this.requests.filter((request) => request.url.endsWith("/list-by-condition")).length;
    if (!url.endsWith("/list-by-condition") && listed === 0) {
      return Response.json({ id: ORDINARY_ID, status: "MODAL" });
    }
    if (listed === 1 && url.endsWith("/list-by-condition")) return toResponse(this.wire);
    this.controller.abort(this.reason);
    return new Promise(() => {});
  }

  /** @param {{ url: string, init: any }} request */
  checkRequest({ url, init }) {
    const base = (this.wire.request?.baseUrl ?? "https://api.cometapi.com").replace(/\/+$/, "");
    assert.ok(url.startsWith(`${base}/`) && !url.slice(8).includes("//"), url);
    assert.equal(init.redirect, "manual");
    assert.equal(init.headers.get("authorization"), `Bearer ${KEY}`);
    const type = init.headers.get("content-type");
    const isJson = init.body !== undefined && !(init.body instanceof FormData);
    assert.equal(type, isJson ? "application/json" : null);
  }

  /**
   * What a call comes to, its value or what it rejects with; every timer fires as soon as nothing else can happen.
   * @param {() => Promise<any>} call
   */
  async outcome(call) {
    let isDone = false;
    const settled = call().then(
      (value) => ((isDone = true), value),
      (error) => ((isDone = true), error),
    );
    for (let idle = 0; !isDone; idle += 1) {
      assert.ok(idle < 5_000, "the call hangs");
      for (let turns = 0; turns < 4 && !isDone; turns += 1) await turn();
      if (!isDone) this.clock.next();
    }
    return settled;
  }
}

/** A task, a handle or an error as plain JSON. @param {any} value */
function plain(value) {
  return JSON.parse(JSON.stringify(value));
}

/** `"<png NAME>"` stands for a picture. @param {any} params */
function withPictures(params) {
  const isPicture = (/** @type {any} */ value) =>
    typeof value === "string" && (value.startsWith("<png ") || /^[^/]*\.png$/.test(value));
  const read = (/** @type {any} */ value) =>
    isPicture(value) ? picture(value.replace(/^<png |>$/g, "")) : value;
  /** @type {Record<string, any>} */
  const taken = {};
  for (const [name, value] of Object.entries(params)) {
    const key = name === "input_reference" ? "inputReference" : name;
    taken[key] = Array.isArray(value) ? value.map(read) : read(value);
  }
  return taken;
}
