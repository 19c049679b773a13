// What each entry of the exports map gives, and where it has the wasm from.
import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { folder } from "./installed.mjs";
import { serve } from "./support/servers.mjs";

const dist = join(folder, "node_modules/comet-tasks/dist");
const require = createRequire(join(folder, "tests.js"));
const WEBHOOK =
  '{"id":"1712345678901234","status":"SUCCESS","progress":"100%","imageUrl":"https://a.test/1.png"}';
const wasm = new Uint8Array(await readFile(require.resolve("comet-tasks/comet_tasks.wasm")));

/**
 * An entry's file as a module of its own, that has loaded nothing yet.
 * @param {string} file
 * @returns {Promise<typeof import("comet-tasks")>}
 */
function fresh(file) {
  fresh.count += 1;
  return import(`${pathToFileURL(join(dist, file)).href}?${fresh.count}`);
}
fresh.count = 0;

test("the default entry needs no init, by import and by require", async () => {
  for (const entry of [await fresh("index.js"), await fresh("node.js"), require("comet-tasks")]) {
    assert.equal((await entry.parseWebhook(WEBHOOK)).handle.id, "1712345678901234");
  }
});

test("where the module's file was left behind, Node takes its letters", async (t) => {
  const copy = await mkdtemp(join(tmpdir(), "comet-tasks-"));
  t.after(() => rm(copy, { recursive: true }));
  await cp(join(dist, ".."), join(copy, "node_modules/comet-tasks"), { recursive: true });
  await rm(join(copy, "node_modules/comet-tasks/dist/comet_tasks.wasm"));
  const importer = join(copy, "importer.mjs");
  await writeFile(importer, 'export * from "comet-tasks";\n');
  for (const entry of [await import(pathToFileURL(importer).href), createRequire(importer)("comet-tasks")]) {
    assert.equal((await entry.parseWebhook(WEBHOOK)).status, "succeeded");
  }
});

test("by require it exports what it exports by import", async () => {
  assert.deepEqual(Object.keys(require("comet-tasks")).sort(), Object.keys(await fresh("index.js")).sort());
});

test("an error of one form is a CometError of the other, and of no class made from it", async () => {
  const { createClient, CometError } = await fresh("index.js");
  const other = require("comet-tasks").CometError;
  const error = await createClient({ baseUrl: "https://gateway.example" })
    .fetchTask("")
    .catch((error) => error);
  assert.ok(error instanceof CometError && error instanceof other);
  const Own = /** @type {any} */ (class extends other {});
  assert.ok(!(error instanceof Own));
  assert.ok(new Own({ code: "network", message: "mine" }) instanceof Own);
  for (const value of [undefined, null, {}, new Error("x")]) assert.ok(!(value instanceof CometError));
});

test("slim says what is missing until it is given the wasm, and works from then on", async () => {
  const { parseWebhook, init } = await fresh("slim.js");
  for (const call of [() => parseWebhook(WEBHOOK), () => init()]) {
    await assert.rejects(call, { name: "CometError", code: "unsupported", message: /call init/ });
  }
  await init(wasm);
  assert.equal((await parseWebhook(WEBHOOK)).status, "succeeded");
});

test("init takes a module, bytes, a Response, a URL, its text, and a promise of each", async (t) => {
  const typed = { headers: { "content-type": "application/wasm" } };
  const { origin: url } = await serve(t, (_, reply) => reply.writeHead(200, typed.headers).end(wasm));
  const sources = [
    () => new WebAssembly.Module(wasm),
    () => wasm,
    () => wasm.buffer,
    () => new Response(wasm, typed),
    () => new Response(wasm),
    () => new URL(url),
    () => url,
    () => fetch(url),
  ];
  for (const source of sources) {
    for (const given of [source(), Promise.resolve(source())]) {
      const { init, parseWebhook } = await fresh("slim.js");
      await init(given);
      assert.equal((await parseWebhook(WEBHOOK)).status, "succeeded");
    }
  }
});

test("a reply that is typed as wasm is compiled while it arrives", async (t) => {
  const streaming = t.mock.method(WebAssembly, "compileStreaming");
  const { init } = await fresh("slim.js");
  await init(new Response(wasm, { headers: { "content-type": "application/wasm" } }));
  assert.equal(streaming.mock.callCount(), 1);
});

test("init loads once, and a load that failed can be tried again", async (t) => {
  let served = 0;
  const { origin: url } = await serve(t, (_, reply) => {
    served += 1;
    reply.writeHead(served === 1 ? 503 : 200).end(served === 1 ? "" : wasm);
  });
  const { init, parseWebhook } = await fresh("slim.js");
  await assert.rejects(init(url), { code: "unsupported", operation: "init" });
  await assert.rejects(init(new Uint8Array([1, 2, 3])), { code: "unsupported", operation: "init" });
  await Promise.all([init(url), init(url), parseWebhook(WEBHOOK)]);
  await init(url);
  assert.equal(served, 2);
});

test("the module is compiled once, from when the first client is made, and not by the import", async (t) => {
  const compiled = t.mock.method(WebAssembly, "compile");
  const { createClient, parseWebhook } = await fresh("index.js");
  const counts = [compiled.mock.callCount()];
  for (let client = 0; client < 2; client += 1) {
    createClient();
    counts.push(compiled.mock.callCount());
  }
  await parseWebhook(WEBHOOK);
  assert.deepEqual([...counts, compiled.mock.callCount()], [0, 1, 1, 1]);
});

test("what init is given counts, also when a client was made before", async () => {
  const { createClient, init, parseWebhook } = await fresh("index.js");
  createClient();
  await assert.rejects(init(new Uint8Array([1, 2, 3])), { code: "unsupported", operation: "init" });
  assert.equal((await parseWebhook(WEBHOOK)).status, "succeeded");
});

test("a compiler that refuses when a client is made is asked again by its first call", async (t) => {
  const compile = t.mock.method(WebAssembly, "compile", async () => assert.fail("not now"), { times: 1 });
  const { createClient, parseWebhook } = await fresh("index.js");
  createClient();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(compile.mock.callCount(), 1);
  assert.equal((await parseWebhook(WEBHOOK)).status, "succeeded");
});
