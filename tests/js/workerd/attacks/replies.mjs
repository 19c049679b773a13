// A service that is hostile, broken or careless: what of it must never reach the caller.
import assert from "node:assert/strict";
import { KEY, SECRET } from "../gateway-kit.mjs";
import { get, header, post, read } from "./asks.mjs";

/** @param {unknown} value @param {ResponseInit} [init] */
const json = (value, init) => new Response(JSON.stringify(value), init);

/** Nothing of it in what the caller got. @param {...string} needles @returns {NonNullable<import("./asks.mjs").Attack["holds"]>} */
function neverShown(...needles) {
  return (told) => {
    const shown = told.text + JSON.stringify(told.headers);
    for (const needle of needles) assert.ok(!shown.includes(needle), `${needle} is shown`);
  };
}

/** @param {string} name @param {string} guard @param {() => Response} service @param {import("./asks.mjs").Attack["holds"]} holds @returns {import("./asks.mjs").Attack} */
const reading = (name, guard, service, holds) => ({ name, guard, control: read, service, holds });

/** @param {import("./asks.mjs").Facts} facts */
const content = ({ alice }) => get(`/v1/videos/${alice.veo}/content`);
const refused = { error: { message: `Invalid token ${KEY}`, type: "comet_api_error" } };
const escaped = [...KEY].map((letter) => `\\u00${letter.charCodeAt(0).toString(16)}`).join("");
const task = { id: "1", status: "IN_PROGRESS" };

/** @type {import("./asks.mjs").Attack[]} */
const secrets = [
  reading("repeats the key in an error", "hide", () => json(refused, { status: 400 }), neverShown(KEY)),
  reading(
    "repeats the key in a reading",
    "hide",
    () => json({ ...task, prompt: `a ${KEY}` }),
    neverShown(KEY),
  ),
  reading(
    "repeats the key in escapes",
    "hide",
    () => new Response(`{"error":{"message":"Invalid token ${escaped}"}}`, { status: 400 }),
    neverShown(KEY),
  ),
  reading(
    "repeats the key in plain text",
    "hide",
    () => new Response(`invalid token ${KEY}`, { status: 400 }),
    neverShown(KEY),
  ),
  reading(
    "repeats the key with a tag in its middle",
    "hide",
    () => json({ description: `token ${KEY.slice(0, 9)}<b>${KEY.slice(9)}`, code: 4 }, { status: 400 }),
    neverShown(KEY),
  ),
  reading(
    "repeats the key where a long sentence is cut",
    "whole words",
    () => json({ description: `${"x ".repeat(490)}${KEY}${"y".repeat(2000)}`, code: 4 }, { status: 400 }),
    neverShown(KEY.slice(0, 14)),
  ),
  reading(
    "repeats the key in a header",
    "hide in headers",
    () => json(task, { headers: { "x-request-id": KEY } }),
    neverShown(KEY),
  ),
  reading(
    "repeats the secret that signs ids",
    "hide",
    () => json({ ...task, prompt: SECRET }),
    neverShown(SECRET),
  ),
];

/** @type {import("./asks.mjs").Attack[]} */
const headers = [
  reading(
    "sets a cookie in the gateway's name",
    "known reply headers",
    () => json(task, { headers: { "set-cookie": "session=stolen" } }),
    neverShown("stolen"),
  ),
  reading(
    "opens the gateway to every origin",
    "known reply headers",
    () => json(task, { headers: { "access-control-allow-origin": "*" } }),
    neverShown("access-control-allow-origin"),
  ),
  reading(
    "says what it runs on",
    "known reply headers",
    () => json(task, { headers: { "x-powered-by": "new-api/0.9", via: "1.1 backend-7" } }),
    neverShown("new-api", "backend-7"),
  ),
  reading(
    "sends the page elsewhere by a header",
    "known reply headers",
    () => json(task, { headers: { refresh: "0; url=https://evil.example/" } }),
    neverShown("evil.example"),
  ),
];

/** @type {import("./asks.mjs").Attack["holds"]} */
const stayedHere = (told, arrived) => {
  assert.equal(told.status, 502);
  assert.equal(told.headers.location, undefined);
  assert.ok(arrived.every(({ url }) => url.startsWith("https://service.example/")));
};
const away = () => new Response(null, { status: 302, headers: { location: "https://evil.example/" } });

/** @type {import("./asks.mjs").Attack[]} */
const places = [
  reading("redirects a reading to another host", "no redirects", away, stayedHere),
  {
    name: "redirects a submit to another host",
    guard: "no redirects",
    control: () => post("/mj/submit/imagine", { prompt: "a boat" }),
    service: () => new Response(null, { status: 307, headers: { location: "https://evil.example/" } }),
    holds: stayedHere,
  },
  {
    name: "redirects a video to another host",
    guard: "no redirects",
    control: content,
    service: away,
    holds: stayedHere,
  },
  reading(
    "answers with a page",
    "no pages",
    () =>
      new Response("<!doctype html><script>alert(1)</script>", { headers: { "content-type": "text/html" } }),
    (told) => {
      assert.match(told.headers["content-type"] ?? "", /^application\/json/);
      assert.ok(!told.text.includes("<"));
    },
  ),
  reading(
    "writes a script into an error",
    "no tags",
    () => json({ error: { message: "<img src=x onerror=alert(1)>no credit" } }, { status: 403 }),
    neverShown("<img", "onerror"),
  ),
  reading(
    "writes a script into a task's failure",
    "no tags",
    () => json({ ...task, status: "FAILURE", failReason: "<script>alert(1)</script>" }),
    neverShown("<script"),
  ),
  {
    name: "calls a page a video",
    guard: "media types",
    control: content,
    service: () => new Response("<script>alert(1)</script>", { headers: { "content-type": "text/html" } }),
    holds: neverShown("<script", "text/html"),
  },
  {
    name: "calls a picture with scripts in it a video",
    guard: "no scripts in pictures",
    control: content,
    service: () => new Response("<svg onload='alert(1)'/>", { headers: { "content-type": "image/svg+xml" } }),
    holds: neverShown("onload", "svg"),
  },
  reading(
    "answers without end",
    "reply cap",
    () => new Response(`{"status":"${"x".repeat(5 * 1024 * 1024)}"}`),
    (told) => assert.equal(told.status, 502),
  ),
];

/** @type {import("./asks.mjs").Attack[]} */
const grants = [
  {
    name: "names another's task in a reading",
    guard: "asked ids",
    control: read,
    service: (_, { bob }) => json({ id: bob.grid.split(".")[0], status: "SUCCESS" }),
    holds: (told, _, { alice }) => assert.equal(JSON.parse(told.text).id, alice.grid),
  },
  {
    name: "lists everybody's tasks",
    guard: "asked rows",
    control: ({ alice }) => post("/mj/task/list-by-condition", { ids: [alice.grid] }),
    service: (_, { alice, bob }) =>
      json([alice, bob].map(({ grid }) => ({ id: grid.split(".")[0], status: "SUCCESS" }))),
    holds: (told, _, { alice }) =>
      assert.deepEqual(
        JSON.parse(told.text).map((/** @type {{ id: string }} */ { id }) => id),
        [alice.grid],
      ),
  },
  reading(
    "repeats the operator's hook in a task",
    "known reply fields",
    () =>
      json({
        ...task,
        notifyHook: "https://operator.example/hook/of-secret-7",
        properties: { notifyHook: "of-secret-7" },
      }),
    neverShown("of-secret-7"),
  ),
  {
    name: "asks by a preflight from another site",
    guard: "preflight",
    gateway: "strict",
    control: () => header("origin", "https://app.example")(post("/mj/submit/imagine", { prompt: "a boat" })),
    attack: (ask) => ({
      method: "OPTIONS",
      path: ask.path,
      headers: { origin: "https://evil.example", "access-control-request-method": "POST" },
    }),
    holds: (told) => {
      assert.equal(told.status, 403);
      assert.ok(!Object.keys(told.headers).some((name) => name.startsWith("access-control")));
    },
  },
];

export const replies = [...secrets, ...headers, ...places, ...grants];
