// What createClient and its calls refuse, before anything is sent.
import assert from "node:assert/strict";
import { test } from "node:test";
import { importInstalled } from "./installed.mjs";
import { skipSleeps, stopClock } from "./support/clock.mjs";
import { BASE_URL, accepted, json, reading, rejection, stubFetch, succeeded } from "./support/replies.mjs";

const { CometError, createClient, init, isCometError } = await importInstalled("comet-tasks");

const KEY = "sk-0123456789abcdef";

/* ── createClient ───────────────────────────────────────────────────── */

/** @type {[string, any][]} */
const wrong = [
  ["options", null],
  ["options", "sk-key"],
  ["baseUrl", { baseUrl: 7 }],
  ["baseUrl", { baseUrl: "/api/comet" }],
  ["baseUrl", { baseUrl: "gateway.example" }],
  ["baseUrl", { baseUrl: "ftp://gateway.example" }],
  ["baseUrl", { baseUrl: "file:///etc/passwd" }],
  ["baseUrl", { baseUrl: "javascript:alert(1)" }],
  ["baseUrl", { baseUrl: "https://me@gateway.example" }],
  ["baseUrl", { baseUrl: "https://:secret@gateway.example" }],
  ["baseUrl", { baseUrl: "https://gateway.example/?key=1" }],
  ["baseUrl", { baseUrl: "https://gateway.example/#top" }],
  ["apiKey", { apiKey: "" }],
  ["apiKey", { apiKey: null }],
  ["apiKey", { apiKey: 7 }],
  ["apiKey", { apiKey: "Bearer sk-1" }],
  ["apiKey", { apiKey: "sk-1\n" }],
  ["apiKey", { apiKey: "sk-1\r\nx-admin: 1" }],
  ["apiKey", { apiKey: "sk-\u0000" }],
  ["apiKey", { apiKey: "sk-ключ" }],
  ["auth", { auth: "basic" }],
  ["dialect", { dialect: "camel" }],
  ["fetch", { fetch: "fetch" }],
  ["onEvent", { onEvent: {} }],
  ["headers", { headers: { "bad name": "1" } }],
  ["headers", { headers: { "x-a": "1\n2" } }],
  ["requestTimeoutMs", { requestTimeoutMs: 0 }],
  ["requestTimeoutMs", { requestTimeoutMs: -1 }],
  ["requestTimeoutMs", { requestTimeoutMs: NaN }],
  ["requestTimeoutMs", { requestTimeoutMs: "30s" }],
  ["maxReplyBytes", { maxReplyBytes: 0 }],
  ["maxConcurrency", { maxConcurrency: 0 }],
];
for (const [field, options] of wrong) {
  test(`createClient(${JSON.stringify(options)}) throws at once, and names ${field}`, () => {
    const isExpected = (/** @type {any} */ error) => {
      assert.ok(error instanceof CometError && isCometError(error));
      assert.deepEqual([error.code, error.operation], ["validation", "createClient"]);
      assert.equal(/** @type {any} */ (error.details).field, field);
      return error.message.startsWith(field);
    };
    assert.throws(() => createClient(options), isExpected);
  });
}

test("a header's value is in no error: it may be a secret", () => {
  const headers = { "x-gateway-secret": "s3cr3t\n2" };
  assert.throws(
    () => createClient({ headers }),
    (/** @type {any} */ error) => {
      return !`${error.message} ${error.cause?.message}`.includes("s3cr3t");
    },
  );
});

for (const [given, sent] of [
  ["https://gateway.example", "https://gateway.example/mj/task/1/fetch"],
  ["https://gateway.example/", "https://gateway.example/mj/task/1/fetch"],
  ["https://gateway.example/v1", "https://gateway.example/mj/task/1/fetch"],
  ["https://gateway.example/v1/", "https://gateway.example/mj/task/1/fetch"],
  ["https://gateway.example/api/comet/", "https://gateway.example/api/comet/mj/task/1/fetch"],
  ["https://gateway.example/api/v1//", "https://gateway.example/api/mj/task/1/fetch"],
  ["https://gateway.example/?", "https://gateway.example/mj/task/1/fetch"],
  ["https://gateway.example/#", "https://gateway.example/mj/task/1/fetch"],
  ["HTTP://Gateway.Example:80/a", "http://gateway.example/a/mj/task/1/fetch"],
]) {
  test(`baseUrl ${given} asks ${sent}`, async () => {
    const fetch = stubFetch(succeeded());
    await createClient({ baseUrl: given, fetch }).fetchTask("1");
    assert.equal(fetch.calls[0]?.url, sent);
  });
}

test("in a page a raw key throws unless it is allowed, and a key function does not", async (t) => {
  const page = /** @type {any} */ (globalThis);
  Object.assign(page, { window: page, document: {} });
  t.after(() => (delete page.window, delete page.document));
  assert.throws(() => createClient({ apiKey: KEY }), {
    code: "validation",
    message: /dangerouslyAllowBrowser/,
  });
  for (const options of [{ apiKey: KEY, dangerouslyAllowBrowser: true }, { apiKey: () => KEY }, {}]) {
    const fetch = stubFetch(succeeded());
    await createClient({ baseUrl: BASE_URL, fetch, ...options }).fetchTask("1");
    const expected = options.apiKey ? `Bearer ${KEY}` : null;
    assert.equal(fetch.calls[0]?.headers.get("authorization"), expected);
  }
});

test("in a page a relative baseUrl starts from the page's own address", async (t) => {
  const page = /** @type {any} */ (globalThis);
  page.location = new URL("https://shop.example/cart?x=1#top");
  t.after(() => delete page.location);
  const fetch = stubFetch(succeeded());
  await createClient({ baseUrl: "/api/comet", fetch }).fetchTask("1");
  assert.equal(fetch.calls[0]?.url, "https://shop.example/api/comet/mj/task/1/fetch");
});

/* ── the key function ───────────────────────────────────────────────── */

test("a key function is asked before each request, each poll of a wait included", async (t) => {
  const clock = stopClock(t);
  let asked = 0;
  const fetch = stubFetch(json({ code: 30 }, 429), accepted(), reading("IN_PROGRESS"), succeeded());
  const apiKey = async () => `sk-number-${++asked}`;
  const client = createClient({ baseUrl: BASE_URL, apiKey, fetch, onEvent: skipSleeps(clock) });
  await client.run({ kind: "imagine", params: { prompt: "a" } });
  assert.deepEqual(
    fetch.calls.map(({ headers }) => headers.get("authorization")),
    [1, 2, 3, 4].map((number) => `Bearer sk-number-${number}`),
  );
});

/** @type {[string, () => any][]} */
const badSources = [
  ["gives nothing", () => undefined],
  ["gives an object", () => ({ key: KEY })],
  ["gives a key with a line break", () => `${KEY}\n`],
  ["gives an empty key", async () => ""],
  ["rejects", () => Promise.reject(new Error("vault is sealed"))],
  ["throws", () => assert.fail("vault is sealed")],
];
for (const [name, apiKey] of badSources) {
  test(`a key function that ${name} is a validation error of every call, and nothing is sent`, async () => {
    const fetch = stubFetch();
    const client = createClient({ baseUrl: BASE_URL, apiKey, fetch });
    const calls = [
      client.submitImagine({ prompt: "a" }),
      client.uploadImages([new Uint8Array([1])]),
      client.fetchTask("1712345678901234"),
      client.poll("1712345678901234", { intervalMs: 1 }),
      client.downloadContent("task_1"),
    ];
    const errors = await Promise.all(calls.map(rejection));
    for (const error of errors) {
      assert.deepEqual([error.code, error.details.field, error.ambiguous], ["validation", "apiKey", false]);
    }
    assert.deepEqual(
      errors.map(({ handle }) => handle?.id),
      [undefined, undefined, "1712345678901234", "1712345678901234", "task_1"],
    );
    assert.equal(fetch.calls.length, 0);
  });
}

test("what a key function throws is the error's cause, in a wait too", async () => {
  const sealed = new Error("vault is sealed");
  const client = createClient({
    baseUrl: BASE_URL,
    apiKey: () => Promise.reject(sealed),
    fetch: stubFetch(),
  });
  assert.equal((await rejection(client.fetchTask("1"))).cause, sealed);
  assert.equal((await rejection(client.poll("1", { intervalMs: 1 }))).cause, sealed);
});

/* ── calls ──────────────────────────────────────────────────────────── */

/** @type {[string, any][]} */
const wrongCalls = [
  ["options", 7],
  ["signal", { signal: {} }],
  ["headers", { headers: { "bad name": "1" } }],
  ["timeoutMs", { timeoutMs: -1 }],
  ["timeoutMs", { timeoutMs: NaN }],
  ["timeoutMs", { timeoutMs: false }],
  ["intervalMs", { intervalMs: 0 }],
  ["maxRequests", { maxRequests: 0 }],
  ["requestTimeoutMs", { requestTimeoutMs: -1 }],
  ["requestTimeoutMs", { requestTimeoutMs: 0 }],
  ["speed", { speed: "warp" }],
  ["onUpdate", { onUpdate: "log" }],
];
for (const [field, options] of wrongCalls) {
  test(`run with ${JSON.stringify(options)} is refused, names ${field}, and sends nothing`, async () => {
    const fetch = stubFetch();
    const client = createClient({ baseUrl: BASE_URL, fetch });
    const error = await rejection(client.run({ kind: "imagine", params: { prompt: "a" } }, options));
    assert.deepEqual([error.code, error.operation], ["validation", "midjourney.imagine"]);
    assert.ok(error.message.startsWith(field), error.message);
    assert.equal(fetch.calls.length, 0);
  });
}

test("arguments that are no plain JSON are refused, and nothing is sent", async () => {
  const fetch = stubFetch();
  const client = /** @type {any} */ (createClient({ baseUrl: BASE_URL, fetch }));
  /** @type {any} */
  const ring = { prompt: "a" };
  ring.extra = ring;
  for (const params of [undefined, null, "a cat", ring, { prompt: "a", extra: { x: NaN } }, { prompt: 1n }]) {
    assert.equal((await rejection(client.submitImagine(params))).code, "validation");
    assert.equal((await rejection(client.run({ kind: "imagine", params }))).code, "validation");
  }
  for (const call of [undefined, {}, { kind: "paint" }, { kind: "__proto__" }]) {
    assert.equal((await rejection(client.run(call))).code, "validation");
  }
  for (const handle of [undefined, null, 7, {}, [], "", "..", { v: 2, id: "1" }]) {
    assert.equal((await rejection(client.poll(handle))).code, "validation");
  }
  assert.equal(fetch.calls.length, 0);
});
