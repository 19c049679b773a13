// Every form of a picture reaches every route in the form that the route takes, right to the byte.
import assert from "node:assert/strict";
import { test } from "node:test";
import { runInNewContext } from "node:vm";
import { importInstalled } from "./installed.mjs";
import { BASE_URL, accepted, json, rejection, stubFetch } from "./support/replies.mjs";

const { createClient } = await importInstalled("comet-tasks");

const PNG = Buffer.from("89504e470d0a1a0a0000000d49484452000000ff00fe", "hex");
const JPEG = Buffer.from("ffd8ffe000104a46494600010100", "hex");
const URL_OF_PICTURE = "https://img.example/tulip.jpg?ex=68617307&is=68602187";

/** @param {Buffer} bytes @param {string} type */
function dataUri(bytes, type) {
  return `data:${type};base64,${bytes.toString("base64")}`;
}

/** The bytes in the middle of a larger buffer, whose other bytes are nobody's business. @param {Buffer} bytes */
function inTheMiddle(bytes) {
  const room = new Uint8Array(bytes.length + 32).fill(0xee);
  room.set(bytes, 16);
  return room.subarray(16, 16 + bytes.length);
}

/** Its bytes belong to somebody else by now. */
function transferred() {
  const bytes = new Uint8Array(8);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  return bytes;
}

/** @type {[string, any, Buffer, string][]} */
const forms = [
  ["a data URI", dataUri(PNG, "image/png"), PNG, "image/png"],
  ["a data URI with blanks around it", `  ${dataUri(PNG, "image/png")}\n`, PNG, "image/png"],
  ["a Blob with a type", new Blob([JPEG], { type: "image/jpeg" }), JPEG, "image/jpeg"],
  ["a Blob without a type", new Blob([JPEG]), JPEG, "image/jpeg"],
  [
    "a Blob of the type of any bytes",
    new Blob([JPEG], { type: "application/octet-stream" }),
    JPEG,
    "image/jpeg",
  ],
  ["a Blob with parameters in its type", new Blob([PNG], { type: "image/png;x=1" }), PNG, "image/png"],
  ["a File", new File([PNG], "tulip.png", { type: "image/png" }), PNG, "image/png"],
  ["a File that is called image/jpg", new File([JPEG], "a.jpg", { type: "image/jpg" }), JPEG, "image/jpeg"],
  ["an ArrayBuffer", new Uint8Array(JPEG).buffer, JPEG, "image/jpeg"],
  ["a Uint8Array", new Uint8Array(PNG), PNG, "image/png"],
  ["a Buffer", PNG, PNG, "image/png"],
  ["a part of an array", inTheMiddle(JPEG), JPEG, "image/jpeg"],
  ["a DataView", new DataView(inTheMiddle(PNG).buffer, 16, PNG.length), PNG, "image/png"],
  ["bytes that nothing is known of", Buffer.from("hello"), Buffer.from("hello"), "image/png"],
  [
    "an array of another realm",
    runInNewContext("new Uint8Array([0x42, 0x4d, 1])"),
    Buffer.from("BM\x01"),
    "image/bmp",
  ],
  [
    "a buffer of another realm",
    runInNewContext("new Uint8Array([0x42, 0x4d, 1]).buffer"),
    Buffer.from("BM\x01"),
    "image/bmp",
  ],
];

/**
 * The routes that take JSON: the call, and where the picture stands in its body.
 * @type {[string, (client: any, picture: any) => Promise<unknown>, (body: any) => unknown, string?][]}
 */
const routes = [
  ["imagine", (c, x) => c.submitImagine({ prompt: "a", images: [x] }), (body) => body.base64Array[0]],
  ["shorten", (c, x) => c.submitShorten({ prompt: "a", images: [x] }), (body) => body.base64Array[0]],
  ["video", (c, x) => c.submitVideo({ image: x }), (body) => body.image, "image"],
  ["blend", (c, x) => c.submitBlend({ images: [x, PNG] }), (body) => body.base64Array[0]],
  ["describe", (c, x) => c.submitDescribe({ image: x }), (body) => body.base64, "link"],
  ["edits", (c, x) => c.submitEdits({ prompt: "a", image: x }), (body) => body.image, "image"],
  ["edits' mask", (c, x) => c.submitEdits({ prompt: "a", image: PNG, mask: x }), (body) => body.maskBase64],
  ["modal's mask", (c, x) => c.submitModal({ taskId: "1", mask: x }), (body) => body.maskBase64],
  ["upload", (c, x) => c.uploadImages([x]), (body) => body.base64Array[0]],
];
for (const [route, submit, find, urlField] of routes) {
  for (const [form, picture, bytes, type] of forms) {
    test(`${route} takes ${form} as a data URI`, async () => {
      const body = await sent((client) => submit(client, picture));
      assert.equal(find(body), dataUri(bytes, type));
    });
  }

  test(`${route} ${urlField ? "hands a URL on as it is" : "takes no URL, and says what to do"}`, async () => {
    if (urlField) {
      const body = await sent((client) => submit(client, URL_OF_PICTURE));
      assert.equal(body[urlField], URL_OF_PICTURE);
      return;
    }
    const error = await refused((client) => submit(client, URL_OF_PICTURE));
    assert.match(error.message, /\.blob\(\)/);
  });
}

test("a JSON body goes out as text, as wrappers of fetch expect, and as bytes from a MiB on", async () => {
  /** @type {unknown[]} */
  const bodies = [];
  const client = createClient({
    fetch: async (_input, init) => {
      bodies.push(init?.body);
      return new Response('{"code":1,"result":"1"}');
    },
  });
  await client.submitImagine({ prompt: "a", images: [new Uint8Array(700_000)] });
  await client.submitImagine({ prompt: "a", images: [new Uint8Array(800_000)] });
  assert.deepEqual(
    bodies.map((body) => typeof body),
    ["string", "object"],
  );
});

/* ── /v1/videos: a form ─────────────────────────────────────────────── */

for (const [form, picture, bytes, type] of forms) {
  test(`veo takes ${form} as a file`, async () => {
    const [file] = (await sentForm({ inputReference: picture })).getAll("input_reference");
    assert.ok(file instanceof File);
    assert.equal(file.type, type);
    assert.deepEqual(Buffer.from(await file.arrayBuffer()), bytes);
  });
}

test("veo's parts stand in the documented order, texts first, pictures in theirs", async () => {
  const form = await sentForm({
    prompt: "a cat 🐈",
    model: "veo3.1",
    size: "16x9",
    seconds: 8,
    extra: { resolution: "4k", audio: true, seed: 7 },
    inputReference: [new File([PNG], "first.png", { type: "image/png" }), JPEG],
  });
  const shown = [...form].map(([name, value]) =>
    typeof value === "string" ? [name, value] : [name, value.name, value.type, value.size],
  );
  assert.deepEqual(shown, [
    ["prompt", "a cat 🐈"],
    ["model", "veo3.1"],
    ["size", "16x9"],
    ["seconds", "8"],
    ["resolution", "4k"],
    ["audio", "true"],
    ["seed", "7"],
    ["input_reference", "first.png", "image/png", PNG.length],
    ["input_reference", "image-2.jpeg", "image/jpeg", JPEG.length],
  ]);
});

test("without a picture veo sends texts alone, and the default model", async () => {
  assert.deepEqual(
    [...(await sentForm({}))],
    [
      ["prompt", "a"],
      ["model", "veo3-fast"],
    ],
  );
});

test("the host writes the form's content type, whatever the headers say", async () => {
  const fetch = stubFetch(json({ id: "task_1" }));
  const headers = { "content-type": "application/json" };
  await createClient({ baseUrl: BASE_URL, fetch, headers }).submitVeo({ prompt: "a" });
  assert.equal(fetch.calls[0]?.headers.get("content-type"), null);
});

for (const [name, filename] of [
  ['a"; filename="b.png', "a___filename__b.png"],
  ["a\r\nContent-Type: text/html\r\n\r\n<b>.png", "_Content-Type__text_html_____b_.png"],
  ["../../etc/passwd", ".._.._etc_passwd"],
  ["画像.png", "__.png"],
  ["🐈", "image-1.png"],
  ["", "image-1.png"],
  [`${"x".repeat(300)}.png`, `${"x".repeat(60)}.png`],
]) {
  test(`a file called ${JSON.stringify(name?.slice(0, 40))} goes out under a harmless name`, async () => {
    const file = new File([PNG], /** @type {string} */ (name), { type: "image/png" });
    const [sentFile] = (await sentForm({ inputReference: file })).getAll("input_reference");
    assert.ok(sentFile instanceof File);
    assert.match(sentFile.name, /^[\w.-]{1,64}$/);
    if (filename && !name?.includes("\r")) assert.equal(sentFile.name, filename);
  });
}

/* ── what is no picture ─────────────────────────────────────────────── */

const unreadable = Object.assign(new Blob(["x"]), {
  slice: () => ({ arrayBuffer: () => Promise.reject(new DOMException("gone", "NotReadableError")) }),
});
/** @type {[string, any][]} */
const wrong = [
  ["a number", 7],
  ["null in a list", [null]],
  ["a plain object", { image: 0, type: "image/png" }],
  ["an empty Blob", new Blob([], { type: "image/png" })],
  ["an empty array", new Uint8Array()],
  ["a buffer that was transferred away", transferred().buffer],
  ["an array whose buffer was transferred away", transferred()],
  ["a Blob of text", new Blob(["x"], { type: "text/html" })],
  ["an unreadable Blob", unreadable],
  ["a relative URL", "/tulip.png"],
  ["a path", "C:\\tulip.png"],
  ["a javascript: URL", "javascript:alert(1)"],
  ["a file: URL", "file:///tulip.png"],
  ["a data URI of text", "data:text/html;base64,AAAA"],
  ["a data URI without base64", "data:image/png,AAAA"],
  ["a data URI without data", "data:image/png;base64,"],
  ["a data URI with other letters", "data:image/png;base64,AA-_"],
  ["a data URI without a comma", "data:image/png;base64"],
  ["a data URI with a quote behind", 'data:image/png;base64,AAAA","prompt":"b'],
  ["a data URI with a quote in front", 'data:image/png"}{"a":"b;base64,AAAA'],
  ["a data URI with a quoted parameter", 'data:image/png;x="}";base64,AAAA'],
  ["a data URI with a backslash", "data:image/png\\;base64,AAAA"],
  ["a data URI with a line break in its head", "data:image/png\n;base64,AAAA"],
];
for (const [name, value] of wrong) {
  test(`${name} is no picture on any route, and nothing is sent`, async () => {
    const [picture] = Array.isArray(value) ? value : [value];
    for (const [route, submit] of routes) {
      if (picture === null && !/imagine|shorten|blend|upload/.test(route)) continue;
      const error = await refused((client) => submit(client, picture));
      assert.equal(error.name, "CometError", route);
    }
    await refused((client) => client.submitVeo({ prompt: "a", inputReference: value }));
  });
}

for (const size of [0, 100]) {
  test(`a Blob of 4 bytes that turns out to have ${size} is refused, and nothing is sent`, async () => {
    const blob = new Blob(["1234"], { type: "image/png" });
    const lying = Object.assign(blob, { slice: () => ({ arrayBuffer: async () => new ArrayBuffer(size) }) });
    await refused((client) => client.submitVideo({ image: lying }));
  });
}

test("blend takes two to five pictures, and veo at most two", async () => {
  for (const count of [0, 1, 6]) {
    await refused((client) => client.submitBlend({ images: Array(count).fill(PNG) }));
  }
  for (const count of [2, 5]) {
    const body = await sent((client) => client.submitBlend({ images: Array(count).fill(PNG) }));
    assert.equal(body.base64Array.length, count);
  }
  await refused((client) => client.submitVeo({ prompt: "a", inputReference: [PNG, PNG, PNG] }));
});

test("the letters of a picture are right where its pieces meet", async () => {
  for (const size of [1, 2, 3, 24_575, 24_576, 24_577, 49_153]) {
    const bytes = Buffer.from(Uint8Array.from({ length: size }, (_, at) => (at * 7 + (at >> 8)) & 255));
    const body = await sent((client) => client.submitVideo({ image: bytes }));
    assert.equal(body.image, dataUri(bytes, "image/png"));
  }
});

test("the letters of a Blob are right where its pieces meet", async () => {
  for (const size of [786_431, 786_432, 786_433, 1_572_865]) {
    const bytes = Buffer.from(Uint8Array.from({ length: size }, (_, at) => (at * 7 + (at >> 8)) & 255));
    const body = await sent((client) =>
      client.submitVideo({ image: new Blob([bytes], { type: "image/png" }) }),
    );
    assert.equal(body.image, dataUri(bytes, "image/png"));
  }
});

test("several pictures keep their places, whatever each one is", async () => {
  const pictures = [new Blob([JPEG]), PNG, dataUri(JPEG, "image/jpeg"), new File([PNG], "a.png")];
  const body = await sent((client) => client.submitBlend({ images: pictures, state: 'ü"\\\u2028' }));
  const [png, jpeg] = [dataUri(PNG, "image/png"), dataUri(JPEG, "image/jpeg")];
  assert.deepEqual(body.base64Array, [jpeg, png, jpeg, png]);
  assert.equal(body.state, 'ü"\\\u2028');
});

/** The JSON body of the one request of a call. @param {(client: any) => Promise<unknown>} call */
async function sent(call) {
  const reply = json({ code: 1, description: "fine", result: "https://cdn.example/1" });
  const fetch = stubFetch(reply);
  await call(createClient({ baseUrl: BASE_URL, fetch }));
  assert.equal(fetch.calls[0]?.headers.get("content-type"), "application/json");
  return JSON.parse(await new Response(fetch.calls[0]?.body).text());
}

/** The form of a submitVeo. @param {object} params @returns {Promise<FormData>} */
async function sentForm(params) {
  const fetch = stubFetch(json({ id: "task_1", status: "queued" }));
  await createClient({ baseUrl: BASE_URL, fetch }).submitVeo({ prompt: "a", ...params });
  // Through its own bytes, as a service sees it.
  return new Response(fetch.calls[0]?.body).formData();
}

/** The validation error of a call that sends nothing. @param {(client: any) => Promise<unknown>} call */
async function refused(call) {
  const fetch = stubFetch(accepted());
  const error = await rejection(call(createClient({ baseUrl: BASE_URL, fetch })));
  assert.equal(error.code, "validation");
  assert.equal(fetch.calls.length, 0);
  return error;
}
