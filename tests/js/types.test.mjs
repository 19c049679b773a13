// The types and the program say the same: no field, word or default is in one of them alone.
import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { test } from "node:test";
import { importInstalled } from "./installed.mjs";
import { defaults, fieldsOf, variantsOf, wordsOf } from "./support/declarations.mjs";
import { BASE_URL, accepted, json, reading, rejection, stubFetch, succeeded } from "./support/replies.mjs";

const { createClient } = await importInstalled("comet-tasks");
const root = new URL("../../", import.meta.url);
const PNG = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const ID = "1712345678901234";

/** @param {string} path in the repository */
const read = (path) => readFile(new URL(path, root), "utf8");

/** @param {string} folder in the repository @param {RegExp} pattern */
async function readAll(folder, pattern) {
  const names = (await readdir(new URL(folder, root))).filter((name) => pattern.test(name));
  return Promise.all(names.map((name) => read(folder + name)));
}

/** @param {import("./support/replies.mjs").Answer[]} answers */
function clientOf(...answers) {
  const fetch = stubFetch(...answers);
  return { client: createClient({ baseUrl: BASE_URL, fetch }), fetch };
}

/** An object that notes which of its fields are asked for. @param {Record<string, unknown>} [values] */
function watched(values = {}) {
  const asked = new Set();
  const proxy = new Proxy(values, {
    get: (target, name) => (asked.add(name), target[/** @type {string} */ (name)]),
    has: (target, name) => (asked.add(name), name in target),
  });
  return { proxy: /** @type {any} */ (proxy), asked };
}

test("the codes are those of the core and of the facade", async () => {
  const [, list] = /const CODES: &str = "([^"]+)"/.exec(await read("src/core/error.rs")) ?? [];
  /** @type {string[]} */
  const core = (list ?? "").match(/\w+/g) ?? [];
  assert.ok(core.length > 20);
  const texts = (/** @type {string} */ folder) => readAll(folder, /\.(?:js|rs)$/);
  const program = [...(await texts("src/core/")), ...(await texts("pkg/src/"))].join("\n");
  const words = new Set(wordsOf("ErrorCode"));
  const missing = core.filter((word) => !words.has(word));
  assert.deepEqual(missing, [], "codes of the core that are not declared");
  const unused = [...words].filter((word) => !core.includes(word) && !program.includes(`"${word}"`));
  assert.deepEqual(unused, [], "declared codes that nothing uses");
});

test("createClient reads the options that are declared, and no other", () => {
  const { proxy, asked } = watched();
  createClient(proxy).close();
  assert.deepEqual([...asked].sort(), fieldsOf("ClientOptions"));
});

/** @type {[string, string[], (client: import("comet-tasks").Client, options: any) => Promise<unknown>][]} */
const calls = [
  ["fetchTask", ["RequestOptions"], (client, options) => client.fetchTask(ID, options)],
  ["submitImagine", ["SubmitOptions"], (client, options) => client.submitImagine({ prompt: "a" }, options)],
  ["poll", ["PollOptions"], (client, options) => client.poll(ID, options)],
];
for (const [name, declared, call] of calls) {
  test(`${name} reads every option that is declared`, async () => {
    const { client } = clientOf(name === "submitImagine" ? accepted() : succeeded());
    const { proxy, asked } = watched();
    await call(client, proxy);
    const fields = declared.flatMap(fieldsOf);
    assert.deepEqual(
      fields.filter((field) => !asked.has(field)),
      [],
    );
  });
}

/** @type {[string, any, (client: import("comet-tasks").Client, params: any) => Promise<unknown>, Record<string, any>][]} */
const submits = [
  ["ImagineParams", { prompt: "a" }, (client, params) => client.submitImagine(params), {}],
  [
    "VideoParams",
    { image: PNG },
    (client, params) => client.submitVideo(params),
    {
      action: { action: "extend", index: 1, taskId: ID },
      index: null,
      taskId: null,
    },
  ],
  ["VeoParams", { prompt: "a" }, (client, params) => client.submitVeo(params), {}],
  ["ActionParams", { taskId: ID, customId: "MJ::U1" }, (client, params) => client.submitAction(params), {}],
  ["ModalParams", { taskId: ID }, (client, params) => client.submitModal(params), {}],
  ["BlendParams", { images: [PNG, PNG] }, (client, params) => client.submitBlend(params), {}],
  ["DescribeParams", { image: PNG }, (client, params) => client.submitDescribe(params), {}],
  ["EditsParams", { prompt: "a", image: PNG }, (client, params) => client.submitEdits(params), {}],
];
/** A value for each field, other than its default. @type {Record<string, any>} */
const SAMPLES = {
  prompt: "another",
  state: "mine",
  notifyHook: "https://a.test/hook",
  extra: { loop: true },
  botType: "NIJI_JOURNEY",
  images: [PNG, PNG, PNG],
  accountFilter: { a: 1 },
  motion: "high",
  videoType: "x",
  noStorage: true,
  image: Uint8Array.from([0xff, 0xd8, 0xff, 0xe0]),
  model: "other",
  size: "1x1",
  seconds: 4,
  inputReference: PNG,
  taskId: "42",
  customId: "MJ::V1",
  enableRemix: true,
  chooseSameChannel: true,
  mask: PNG,
  dimensions: "SQUARE",
};
for (const [type, least, submit, together] of submits) {
  test(`every field of ${type} reaches the request`, async () => {
    const sent = async (/** @type {object} */ params) => {
      const { client, fetch } = clientOf(
        type === "VeoParams" ? json({ id: "task_1", status: "queued" }) : accepted(),
      );
      await submit(client, params);
      return bodyText(fetch.calls[0].body);
    };
    const plain = await sent(least);
    for (const field of fieldsOf(type)) {
      if (together[field] === null) continue;
      const value = together[field] ?? { [field]: SAMPLES[field] };
      assert.notEqual(await sent({ ...least, ...value }), plain, field);
    }
  });
}

/** @param {any} body */
async function bodyText(body) {
  if (!(body instanceof FormData)) return String(body);
  const parts = [...body].map(([name, value]) => `${name}=${typeof value === "string" ? value : value.size}`);
  return parts.join("&");
}

test("a task has the fields that are declared for its status", async () => {
  const variants = variantsOf("Task", "status");
  const replies = {
    queued: reading("SUBMITTED"),
    running: reading("IN_PROGRESS"),
    action_required: reading("MODAL"),
    succeeded: succeeded(),
    failed: reading("FAILURE"),
    canceled: reading("CANCEL"),
  };
  assert.deepEqual(Object.keys(replies).sort(), Object.keys(variants).sort());
  for (const [status, reply] of Object.entries(replies)) {
    const task = await clientOf(reply).client.fetchTask(ID);
    assert.equal(task.status, status);
    assert.deepEqual(Object.getOwnPropertyNames(task).sort(), variants[status].all);
  }
});

test("a handle has the fields that are declared", async () => {
  const hooked = { code: 22, result: ID, properties: { numberOfQueues: 2 } };
  const several = { code: 1, result: `${ID},1712345678901235` };
  const seen = new Set();
  for (const reply of [hooked, several]) {
    const params = { taskId: ID, customId: "MJ::Job::PicReader::all", state: "mine" };
    Object.keys(await clientOf(json(reply)).client.submitAction(params)).forEach((key) => seen.add(key));
  }
  const video = clientOf(json({ id: "task_1", status: "queued" })).client;
  Object.keys(await video.submitVeo({ prompt: "a" })).forEach((key) => seen.add(key));
  assert.deepEqual([...seen].sort(), fieldsOf("TaskHandle"));
});

test("errors and events have no field that is not declared, and events all that must be there", async () => {
  /** @type {any[]} */
  const events = [];
  const answers = [json("busy", 429), accepted(), reading("IN_PROGRESS"), json("", 503), reading("FAILURE")];
  const fetch = stubFetch(...answers);
  const client = createClient({ baseUrl: BASE_URL, fetch, onEvent: (event) => events.push(event) });
  const call = client.run({ kind: "imagine", params: { prompt: "a" } }, { intervalMs: 1 });
  const error = await rejection(call);
  assert.equal(error.code, "task_failed");
  const stack = ["message", "name"];
  const declared = [...fieldsOf("CometError"), ...stack];
  assert.deepEqual(
    Object.keys(error.toJSON()).filter((key) => !declared.includes(key)),
    [],
  );
  const variants = variantsOf("ClientEvent", "type");
  for (const event of events) {
    const { required, all } = variants[event.type];
    const keys = Object.keys(event);
    assert.deepEqual(
      keys.filter((key) => !all.includes(key)),
      [],
      event.type,
    );
    assert.deepEqual(
      required.filter((/** @type {string} */ key) => !keys.includes(key)),
      [],
      event.type,
    );
  }
  assert.deepEqual([...new Set(events.map(({ type }) => type))].sort(), Object.keys(variants).sort());
});

test("every @default is what the code has", async () => {
  const sources = [
    "src/core/http.rs",
    "src/core/poller/options.rs",
    "pkg/src/options.js",
    "pkg/src/checks.js",
  ];
  const code = (await Promise.all(sources.map(read))).join("\n");
  const form = await read("src/core/form.rs");
  /** A constant's value, with what it is multiplied by. @param {string} name */
  const constant = (name) => {
    const [, text] = new RegExp(`const ${name}(?:: [^=]+)? = (.+);`).exec(code) ?? [];
    assert.ok(text, `no constant ${name}`);
    return text.startsWith('"') ? text : text.split("*").reduce((product, part) => product * number(part), 1);
  };
  /** An argument's, in the tables of what is sent. @param {string} name */
  const sent = (name) => `"${new RegExp(`[|-]${name}=([^ "]+)`).exec(form)?.[1]}"`;
  const expected = {
    "ClientOptions.apiKey": [],
    "ClientOptions.baseUrl": [constant("DEFAULT_BASE_URL")],
    "ClientOptions.auth": [/auth \?\? ("\w+")/.exec(code)?.[1]],
    "ClientOptions.dialect": [/dialect \?\? ("\w+")/.exec(code)?.[1]],
    "ClientOptions.fetch": [],
    "ClientOptions.requestTimeoutMs": [constant("READ_TIMEOUT_MS"), constant("SUBMIT_TIMEOUT_MS")],
    "ClientOptions.dangerouslyAllowBrowser": ["false"],
    "ClientOptions.maxConcurrency": [constant("DEFAULT_MAX_CONCURRENCY")],
    "ClientOptions.maxReplyBytes": [constant("DEFAULT_MAX_REPLY_BYTES")],
    "SubmitOptions.speed": [],
    "VideoParams.motion": [sent("motion")],
    "VeoParams.model": [sent("model")],
    "PollOptions.timeoutMs": [constant("PICTURE_TIMEOUT_MS"), constant("VIDEO_TIMEOUT_MS")],
    "PollOptions.stalenessBudget": [constant("DEFAULT_STALENESS_BUDGET")],
    "PollOptions.afterModal": ["true"],
    "PollOptions.throwOnFailure": ["true"],
    "PersistOptions.allowHost": [],
    "PersistOptions.maxBytes": [],
    "PersistOptions.sha256": ["false"],
  };
  const said = Object.entries(defaults()).map(([name, text]) => [name, valuesIn(text)]);
  assert.deepEqual(Object.fromEntries(said), expected);
});

/** @param {string} text */
const number = (text) => Number(text.replaceAll("_", ""));

/** The values that a `@default` names: quoted words, numbers, true and false. @param {string} text */
function valuesIn(text) {
  const found = text.match(/"[^"]+"|\b(?:true|false)\b|\b\d[\d_.]*\d\b|\b\d\b/g) ?? [];
  return found.map((value) => (/^\d/.test(value) ? number(value) : value));
}
