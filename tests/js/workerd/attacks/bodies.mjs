// Bodies: too long, endless, ambiguous, or with more in them than they may have.
import assert from "node:assert/strict";
import { BASE, PICTURE, VIDEO, also, body, eachPart, imagine, post, read, video, withPart } from "./asks.mjs";

const LARGE = 100 * 1024;
/** What the gateway itself puts in a picture's place; its letters are no base64, so it is not taken for a picture. */
const FORGED = { image: 0, uri: "data:image/png;base64,i!" };

/** @param {string} text @param {number} pieces of 64 KiB of white space behind it, as they are asked for */
async function* endless(text, pieces) {
  const piece = new Uint8Array(64 * 1024).fill(0x20);
  yield new TextEncoder().encode(text);
  for (let at = 0; at < pieces; at += 1) yield piece;
}

/** @param {string} name @param {object} members @param {string} [guard] @returns {import("./asks.mjs").Attack} */
const field = (name, members, guard = "known fields") => ({
  ...{ name, guard, control: imagine, attack: also(members), status: 400 },
});

/** @type {import("./asks.mjs").Attack[]} */
const sizes = [
  {
    name: "sends more bytes than it may, and says so",
    guard: "cap",
    gateway: "strict",
    control: imagine,
    attack: (ask) => ({
      ...ask,
      headers: { ...ask.headers, "content-length": `${LARGE}` },
      body: String(ask.body).padEnd(LARGE, " "),
    }),
    status: 413,
  },
  {
    name: "sends more bytes than it may, in pieces",
    guard: "cap",
    gateway: "strict",
    control: imagine,
    attack: (ask) => ({ ...ask, body: endless(String(ask.body), 2) }),
    status: [413, 0],
  },
  {
    name: "never ends",
    guard: "cap",
    gateway: "strict",
    control: imagine,
    attack: (ask) => ({ ...ask, body: endless(String(ask.body), 64) }),
    status: [413, 0],
  },
  field("writes a prompt without end", { prompt: "x".repeat(10_001) }, "sizes"),
  {
    name: "uploads more pictures than one request may have",
    guard: "sizes",
    control: () => post("/mj/submit/upload-discord-images", { base64Array: [PICTURE] }),
    attack: also({ base64Array: Array.from({ length: 11 }, () => PICTURE) }),
    status: 400,
  },
  {
    name: "lists more ids than one request may have",
    guard: "hundred ids",
    control: ({ alice }) => post("/mj/task/list-by-condition", { ids: [alice.grid] }),
    attack: (ask, { alice }) => also({ ids: Array.from({ length: 101 }, () => alice.grid) })(ask),
    status: 400,
  },
];

/** @type {import("./asks.mjs").Attack[]} */
const fields = [
  field("adds a field that nobody knows", { mode: "FAST" }),
  {
    name: "adds a member __proto__",
    guard: "known fields",
    control: imagine,
    attack: body((text) => text.replace("{", '{"__proto__":{"isAdmin":true},')),
    status: 400,
  },
  field("adds a member constructor", { constructor: { prototype: { isAdmin: true } } }),
  field("asks for its own account", { accountFilter: { instanceId: { $ne: 1 } } }, "account filter"),
  {
    name: "hides __proto__ in a field that is known",
    guard: "account filter",
    control: () => post("/mj/submit/imagine", { prompt: "a boat", accountFilter: { modes: ["FAST"] } }),
    attack: body((text) => text.replace('{"modes"', '{"__proto__":{"a":1},"modes"')),
    status: 400,
  },
  field("names a hook of its own", { notifyHook: "https://evil.example/hook" }, "no hooks"),
  field("names a hook by another word", { hookUrl: "https://evil.example/hook" }),
  {
    name: "says a field twice",
    guard: "no field twice",
    control: imagine,
    attack: body((text) => text.replace("{", '{"prompt":"another boat",')),
    status: 400,
  },
  {
    name: "names a parent in both spellings",
    guard: "no field twice",
    control: ({ alice }) => post("/mj/submit/action", { taskId: alice.grid, customId: alice.customId }),
    attack: (ask, { alice }) => also({ task_id: alice.grid })(ask),
    status: 400,
  },
  {
    name: "writes a second body behind the first",
    guard: "one body",
    control: imagine,
    attack: body((text) => `${text}{"prompt":"another boat"}`),
    status: 400,
  },
  {
    name: "writes letters that are no UTF-8",
    guard: "UTF-8",
    control: imagine,
    attack: body((text) => Buffer.from(text.replace("boat", "bo\xfft"), "latin1")),
    status: 400,
  },
  {
    name: "refers to a picture that is not there",
    guard: "pictures",
    control: () => post("/mj/submit/describe", { base64: PICTURE }),
    attack: also({ base64: FORGED }),
    status: 400,
  },
  {
    name: "refers to one picture twice",
    guard: "pictures",
    control: () => post("/mj/submit/blend", { base64Array: [PICTURE, PICTURE] }),
    attack: also({ base64Array: [PICTURE, FORGED] }),
    status: 400,
  },
  {
    name: "calls a page a picture",
    guard: "picture type",
    control: () => post("/mj/submit/describe", { base64: PICTURE }),
    attack: also({ base64: "data:text/html;base64,PGI+" }),
    status: 400,
  },
];

/** @type {import("./asks.mjs").Attack[]} */
const forms = [
  {
    name: "adds a part that nobody knows",
    guard: "known parts",
    control: video,
    attack: withPart({ name: "notifyHook", value: "https://evil.example/hook" }),
    status: 400,
  },
  {
    name: "adds a part __proto__",
    guard: "known parts",
    control: video,
    attack: withPart({ name: "__proto__", value: "1" }),
    status: 400,
  },
  {
    name: "says a part twice",
    guard: "no field twice",
    control: video,
    attack: withPart({ name: "model", value: "veo3-pro" }),
    status: 400,
  },
  {
    name: "asks for a model that the operator did not name",
    guard: "models",
    gateway: "strict",
    control: video,
    attack: eachPart((part) => (part.name === "model" ? { ...part, value: "veo3-pro" } : part)),
    status: 400,
  },
  {
    name: "asks for no model, and so for the service's own",
    guard: "models",
    gateway: "strict",
    control: video,
    attack: eachPart((part) => (part.name === "model" ? { ...part, name: "size", value: "16x9" } : part)),
    status: 400,
  },
  {
    name: "sends a file under another name",
    guard: "file names",
    control: video,
    attack: withPart({ name: "mask", value: "\x89PNG", filename: "b.png", type: "image/png" }),
    status: 400,
  },
  {
    name: "sends a third frame",
    guard: "two frames",
    control: () => video(),
    attack: (ask) => {
      const boundary = "------boundary7--\r\n";
      const frame =
        /------boundary7\r\nContent-Disposition: form-data; name="input_reference"[^]*?\r\n(?=------boundary7)/;
      const [part = ""] = frame.exec(String(ask.body)) ?? [];
      return { ...ask, body: String(ask.body).replace(boundary, part + part + boundary) };
    },
    status: 400,
  },
  {
    name: "calls a page a frame",
    guard: "frame type",
    control: video,
    attack: eachPart((part) => (part.filename ? { ...part, type: "text/html" } : part)),
    status: 400,
  },
  {
    name: "hides a header in a file's name",
    guard: "safe names",
    control: video,
    attack: eachPart((part) => (part.filename ? { ...part, filename: "a; x=evil name.png" } : part)),
    holds: (_, arrived) => assert.ok(!arrived.at(-1)?.body.includes("evil name")),
  },
  {
    name: "hides a header in a part's name",
    guard: "own forms",
    control: video,
    attack: withPart({ name: 'size"; x="1', value: "16x9" }),
    holds: (_, arrived) => assert.ok(!arrived.at(-1)?.body.includes('x="1')),
  },
];

/** @type {import("./asks.mjs").Attack[]} */
const reads = [
  {
    name: "sends a part of a file that no player asks for",
    guard: "one range",
    control: ({ alice }) => ({
      ...read({ alice, bob: alice, origin: "" }),
      path: `${BASE}/v1/videos/${alice.veo}/content`,
    }),
    attack: (ask) => ({ ...ask, headers: { ...ask.headers, range: "bytes=0-1,2-3,4-5,6-7" } }),
    holds: (_, arrived) => assert.equal(arrived.at(-1)?.headers.range, undefined),
  },
];

export const bodies = [...sizes, ...fields, ...forms, ...reads];
export const frames = VIDEO;
