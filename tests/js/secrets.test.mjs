// Promise 4: the key goes to the base URL's origin alone, and into nothing that a caller may log or store.
import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { Secrets } from "../../pkg/src/secrets.js";
import { importInstalled } from "./installed.mjs";
import { skipSleeps, stopClock } from "./support/clock.mjs";
import { BASE_URL, accepted, json, reading, rejection, stubFetch, succeeded } from "./support/replies.mjs";
import { serve, serveSockets } from "./support/servers.mjs";

const { createClient } = await importInstalled("comet-tasks");

/** As real ones look; then one with letters that JSON escapes. */
const KEY = "sk-5up3rS3cretKeyThatNobodyMaySee0123456789";
const ODD_KEY = 'sk-"quoted\\and/slashed"-0123456789';

/** All that can be read off a value: its JSON, its text, and what a console shows of it. @param {any} value */
function everything(value) {
  const shown = inspect(value, { depth: Infinity, showHidden: true, getters: true });
  return [JSON.stringify(value), String(value), shown, value?.message, value?.stack].join("\n");
}

/** @param {any} value @param {string} [key] */
function assertNoKey(value, key = KEY) {
  const told = everything(value);
  const at = told.indexOf(key);
  assert.equal(at, -1, `the key is in …${told.slice(Math.max(0, at - 60), at + 60)}…`);
  assert.ok(!told.includes(JSON.stringify(key).slice(1, -1)), "the key is there, escaped");
}

/* ── what a hostile service repeats ─────────────────────────────────── */

const LONG = "x".repeat(180);
/** @type {[string, (key: string) => Response][]} */
const echoes = [
  ["a message", (key) => json({ error: { message: `bad key ${key}`, code: key, type: key } }, 401)],
  ["a code", (key) => json({ code: key, message: "no" }, 400)],
  ["a request id", (key) => json({ message: "no" }, 500, { "x-request-id": key.replace(/[^ -~]/g, "") })],
  [
    "a message within a message",
    (key) => json({ message: JSON.stringify({ message: key, code: key }) }, 400),
  ],
  ["a description", (key) => json({ code: 4, description: `no ${key}`, result: key, properties: { key } })],
  ["a web page", (key) => json(`<html><body>${key}</body></html>`, 403)],
  ["a web page, split by tags", (key) => json(`<p>${key.slice(0, 9)}<b>${key.slice(9)}</b></p>`, 502)],
  ["a text", (key) => json(`no ${key} here`, 500)],
  ["a text that is cut in the key", (key) => json(`${LONG}${key}`, 200)],
  ["a page that is cut in the key", (key) => json(`<p>${LONG}</p>${key}`, 404)],
  ["broken JSON", (key) => json(`{"message":"${key}`, 200)],
  ["JSON with escapes", (key) => json(`{"message":"${escaped(key)}"}`, 422)],
  ["Retry-After", (key) => json({ message: key }, 408, { "retry-after": key.replace(/[^ -~]/g, "") })],
];
for (const [place, echo] of echoes) {
  for (const key of [KEY, ODD_KEY]) {
    const shape = key === KEY ? "" : ", quoted";
    test(`a key repeated in ${place}${shape} is in no error and no event`, async () => {
      /** @type {any[]} */
      const events = [];
      const fetch = stubFetch(...Array(6).fill(() => echo(key)));
      const client = createClient({
        baseUrl: BASE_URL,
        apiKey: key,
        fetch,
        onEvent: (event) => events.push(event),
      });
      const outcomes = await Promise.allSettled([
        client.submitImagine({ prompt: "a" }),
        client.fetchTask("1"),
        client.submitVeo({ prompt: "a" }),
        client.downloadContent("task_1").then(() => {}),
        client.poll("1", { intervalMs: 1, maxRequests: 1 }),
      ]);
      const told = outcomes.map((outcome) =>
        outcome.status === "fulfilled" ? outcome.value : outcome.reason,
      );
      assert.ok(told.filter((value) => value instanceof Error).length >= 3);
      for (const value of [...told, ...events]) assertNoKey(value, key);
      for (const value of told) assertNoPiece(`${value?.message}\n${value?.excerpt}`, key);
    });
  }
}

/** The longest beginning of a key that may be told: "sk-". @param {string} text @param {string} key */
function assertNoPiece(text, key) {
  assert.ok(!text.includes(key.slice(0, 4)), `a piece of the key is in ${text}`);
}

/** @param {string} text */
function escaped(text) {
  return [...text].map((letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`).join("");
}

test("a key repeated in every field of a task is in no handle, no task and no raw", async (t) => {
  const clock = stopClock(t);
  const bad = `http://cdn.example/${KEY}.png`;
  const row = () => ({
    ...{ id: "1", action: KEY, prompt: KEY, state: KEY, progress: KEY, description: KEY, imageUrl: bad },
    ...{
      failReason: KEY,
      buttons: [{ customId: `MJ::${KEY}`, label: KEY, emoji: KEY }],
      properties: { KEY },
    },
  });
  const skip = skipSleeps(clock);
  /** @type {any[]} */
  const told = [];
  const onEvent = (/** @type {any} */ event) => skip(event) ?? told.push(event);
  const fetch = stubFetch(
    json({ code: 1, description: KEY, result: "1", state: KEY, properties: { KEY } }),
    () => json({ ...row(), status: `IN_PROGRESS` }),
    () => json({ ...row(), status: "FAILURE" }),
  );
  const client = createClient({ baseUrl: BASE_URL, apiKey: KEY, fetch, onEvent });
  const run = client.run(
    { kind: "imagine", params: { prompt: "a" } },
    {
      onSubmitted: (/** @type {any} */ handle) => void told.push(handle),
      onUpdate: (/** @type {any} */ task) => void told.push(task, task.raw),
    },
  );
  told.push(await rejection(run));
  assert.equal(told.at(-1).code, "task_failed");
  told.forEach((value) => assertNoKey(value));
});

test("the beginning of a key at a text's end goes from every field that is cut, and from no other", () => {
  const secrets = new Secrets();
  secrets.remember("sk-abcdefghijkl");
  const told = (/** @type {string} */ name) =>
    secrets.parse(JSON.stringify({ [name]: "it had sk-abcd" }))[name];
  for (const name of ["message", "excerpt"]) assert.equal(told(name), "it had [key]", name);
  assert.equal(told("prompt"), "it had sk-abcd");
});

test("every key that a changing one has had is kept out", async () => {
  const keys = ["sk-first-0123456789", "sk-second-0123456789"];
  const fetch = stubFetch(accepted(), () => json({ message: `${keys[0]} ${keys[1]}` }, 400));
  const client = createClient({
    baseUrl: BASE_URL,
    apiKey: async () => keys[fetch.calls.length] ?? "",
    fetch,
  });
  await client.submitImagine({ prompt: "a" });
  const error = await rejection(client.fetchTask("1"));
  keys.forEach((key) => assertNoKey(error, key));
});

test("a short key garbles no error: it would be found in ordinary words", async () => {
  for (const apiKey of ["k", "task", '"', "1"]) {
    const fetch = stubFetch(reading("FAILURE", { failReason: "the task broke" }));
    const client = createClient({ baseUrl: BASE_URL, apiKey, fetch });
    const error = await rejection(client.poll("1712345678901234", { intervalMs: 1 }));
    assert.deepEqual([error.code, error.message], ["task_failed", "the task broke"]);
    assert.equal(error.handle.id, "1712345678901234");
  }
});

test("a key that looks like a number or a field's name breaks nothing", async () => {
  for (const apiKey of ["17500000", "retryable", '":false,"', "operation"]) {
    const fetch = stubFetch(json({ message: "no" }, 400));
    const error = await rejection(createClient({ baseUrl: BASE_URL, apiKey, fetch }).fetchTask("1"));
    assert.deepEqual([error.code, error.retryable, error.handle.v], ["validation", false, 1]);
  }
});

// Node's parser errors hold the bytes from the place on that they could not parse.
const malformed = [
  "KEY\r\n\r\n",
  "HTTP/1.1 200 OK\r\ncontent-length: 1KEY\r\n\r\n",
  "HTTP/1.1 200 OK\r\nKEY\u0001: x\r\n\r\n",
];
for (const reply of malformed) {
  test(`what the host threw over ${JSON.stringify(reply)} keeps no piece of the key`, async (t) => {
    const { origin } = await serveSockets(t, (socket) => {
      socket.once("data", () => socket.end(reply.replace("KEY", KEY)));
    });
    const error = await rejection(createClient({ baseUrl: origin, apiKey: KEY }).fetchTask("1"));
    assert.equal(error.code, "network");
    assert.ok(error.cause instanceof Error);
    assertNoKey(error);
    assertNoKey(error, KEY.slice(1));
  });
}

test("what the host threw is handed on as it is when it holds no key", async () => {
  const cause = new TypeError("fetch failed", { cause: new Error("ECONNRESET") });
  const client = createClient({ baseUrl: BASE_URL, apiKey: KEY, fetch: stubFetch(cause, cause) });
  assert.equal((await rejection(client.fetchTask("1"))).cause, cause);
  assert.equal((await rejection(client.submitImagine({ prompt: "a" }))).cause, cause);
});

/* ── redirects ──────────────────────────────────────────────────────── */

for (const status of [301, 302, 303, 307, 308]) {
  test(`a ${status} to another origin is not followed, and the key is not sent there`, async (t) => {
    const thief = await serve(t, (_, response) => response.end('{"code":1,"result":"1"}'));
    const { origin, log } = await serve(t, (_, response) => {
      response.writeHead(status, { location: `${thief.origin}/steal` }).end();
    });
    const client = createClient({ baseUrl: origin, apiKey: KEY });
    const errors = [
      await rejection(client.submitImagine({ prompt: "a" })),
      await rejection(client.fetchTask("1")),
      await rejection(client.downloadContent("task_1")),
    ];
    assert.deepEqual(
      errors.map(({ code, hint, ambiguous }) => [code, hint, ambiguous]),
      Array(3).fill(["redirect", "base_url", false]),
    );
    assert.equal(thief.log.length, 0);
    assert.deepEqual(
      log.map(({ headers }) => headers.authorization),
      Array(3).fill(`Bearer ${KEY}`),
    );
  });
}

test("a redirect that the host hides is an error", async () => {
  const hidden = () => Object.defineProperties(Response.error(), { type: { value: "opaqueredirect" } });
  const client = createClient({ baseUrl: BASE_URL, fetch: stubFetch(hidden, hidden) });
  assert.equal((await rejection(client.fetchTask("1"))).code, "redirect");
  assert.equal((await rejection(client.submitImagine({ prompt: "a" }))).code, "redirect");
});

test("a redirect that a fetch followed all the same is an error, and a submit is in doubt", async () => {
  const followed = () => Object.defineProperty(accepted(), "redirected", { value: true });
  const client = createClient({ baseUrl: BASE_URL, fetch: stubFetch(followed, followed, followed) });
  const errors = [
    await rejection(client.submitImagine({ prompt: "a" })),
    await rejection(client.fetchTask("1")),
    await rejection(client.downloadContent("task_1")),
  ];
  assert.deepEqual(
    errors.map(({ code, ambiguous }) => [code, ambiguous]),
    [
      ["redirect", true],
      ["redirect", false],
      ["redirect", false],
    ],
  );
});

test("requests say that redirects are not to be followed", async () => {
  const fetch = stubFetch(accepted(), succeeded());
  const client = createClient({ baseUrl: BASE_URL, fetch });
  await client.submitImagine({ prompt: "a" });
  await client.fetchTask("1");
  assert.deepEqual(
    fetch.calls.map(({ init }) => init.redirect),
    ["manual", "manual"],
  );
});

/* ── where the key goes ─────────────────────────────────────────────── */

/** @type {["bearer" | "raw" | "mj-api-secret", string, string][]} */
const styles = [
  ["bearer", "authorization", `Bearer ${KEY}`],
  ["raw", "authorization", KEY],
  ["mj-api-secret", "mj-api-secret", KEY],
];
for (const [auth, header, value] of styles) {
  test(`auth "${auth}" sends the key in ${header} and nowhere else`, async () => {
    const fetch = stubFetch(accepted(), succeeded());
    const client = createClient({ baseUrl: BASE_URL, apiKey: KEY, auth, fetch });
    await client.submitImagine({ prompt: "a" });
    await client.fetchTask("1");
    for (const { headers, url, body } of fetch.calls) {
      assert.deepEqual(
        [...headers].filter(([, text]) => text.includes(KEY)),
        [[header, value]],
      );
      assert.ok(!`${url} ${body}`.includes(KEY));
    }
  });
}

test("the client's headers go with each request, a call's own over them, and neither over the key", async () => {
  const fetch = stubFetch(succeeded(), succeeded());
  const headers = { "x-team": "red", authorization: "Bearer other" };
  const client = createClient({ baseUrl: BASE_URL, apiKey: KEY, headers, fetch });
  await client.fetchTask("1");
  await client.fetchTask("1", { headers: { "X-Team": "blue" } });
  assert.deepEqual(
    fetch.calls.map(({ headers: sent }) => [sent.get("x-team"), sent.get("authorization")]),
    [
      ["red", `Bearer ${KEY}`],
      ["blue", `Bearer ${KEY}`],
    ],
  );
});

test("a URL in a reply is never asked for", async (t) => {
  const clock = stopClock(t);
  const elsewhere = "https://thief.example/x";
  const fetch = stubFetch(
    json({ id: "task_1", status: "queued", url: elsewhere, status_url: elsewhere }),
    json({ id: "task_1", status: "completed", video_url: elsewhere, metadata: { url: elsewhere } }),
  );
  const client = createClient({ baseUrl: BASE_URL, apiKey: KEY, fetch, onEvent: skipSleeps(clock) });
  await client.run({ kind: "veo", params: { prompt: "a" } });
  for (const { url } of fetch.calls) assert.equal(new URL(url).origin, BASE_URL);
});
