// The README's mounts of the gateway, as they stand there, each with the package's client before it and a service behind it.
// Deno and Bun are lines of the matrix.
import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Miniflare } from "miniflare";
import { startStandIn } from "./browser/stand-in.mjs";
import { folder as installed, importInstalled } from "./installed.mjs";
import { snippets } from "./support/mounts.mjs";
import { gatewayModules } from "./workerd/modules.mjs";

const LIMIT = { timeout: 60_000 };
const KEY = "sk-mounts-0123456789";
const env = { COMETAPI_KEY: KEY, GATEWAY_SECRET: "a secret for the README's mounts, long enough" };

/** @type {string} */
let folder;
/** @type {Awaited<ReturnType<typeof startStandIn>>} */
let service;

before(async () => {
  Object.assign(process.env, env);
  service = await startStandIn(KEY);
  folder = await mkdtemp(join(tmpdir(), "comet-tasks-mounts-"));
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
  await cp(join(installed, "node_modules"), join(folder, "node_modules"), { recursive: true });
  const own = fileURLToPath(new URL("../../node_modules/", import.meta.url));
  for (const name of ["hono", "@hono/node-server"]) {
    await cp(join(own, name), join(folder, "node_modules", name), { recursive: true });
  }
  for (const [name, code] of Object.entries(await snippets(service.url))) {
    await writeFile(join(folder, name), code);
  }
});
after(async () => {
  for (const name of Object.keys(env)) delete process.env[name];
  await service.close();
  await rm(folder, { recursive: true, force: true });
});

/** @param {string} name @returns {Promise<any>} */
const mounted = (name) => import(pathToFileURL(join(folder, name)).href);

/**
 * A picture from submit to its bytes, and nobody without a sign-in.
 * @param {string} origin
 * @param {(request: Request) => Promise<Response> | Response} handle
 */
async function assertWorks(origin, handle) {
  const { createClient } = await importInstalled("comet-tasks");
  const fetch = async (/** @type {any} */ input, /** @type {any} */ init) => handle(new Request(input, init));
  const baseUrl = `${origin}/api/comet`;
  const headers = { "x-user": "alice" };
  const client = createClient({ baseUrl, headers, fetch });
  const task = await client.run({ kind: "imagine", params: { prompt: "a boat" } }, { intervalMs: 50 });
  assert.match(task.handle.id, /^\d{16}\.[\w-]{43}$/);
  const image = await fetch(task.images[0], { headers });
  assert.deepEqual([image.status, image.headers.get("content-type")], [200, "image/png"]);
  assert.ok((await image.arrayBuffer()).byteLength > 1000);
  const form = { prompt: "a kite", inputReference: new Blob(["\x89PNG"], { type: "image/png" }) };
  assert.match((await client.submitVeo(form)).id, /^task_/);
  const nobody = createClient({ baseUrl, fetch });
  await assert.rejects(nobody.submitImagine({ prompt: "a boat" }), { code: "unauthorized" });
  assert.ok(service.headers.every((sent) => sent["x-user"] === undefined));
}

test("Workers: the README's Worker is a gateway", LIMIT, async () => {
  const worker = new Miniflare({
    cf: false,
    compatibilityDate: "2026-01-01",
    modules: await gatewayModules(pathToFileURL(join(folder, "workers.js")).href),
    bindings: env,
  });
  try {
    await assertWorks((await worker.ready).origin, (request) => fetch(request));
  } finally {
    await worker.dispose();
  }
});

test("Hono: the README's app is a gateway", LIMIT, async () => {
  const { default: app } = await mounted("hono.js");
  await assertWorks("http://hono.test", (request) => app.fetch(request, env));
});

test("Next: the README's route handlers are a gateway", LIMIT, async () => {
  const route = await mounted("next.js");
  assert.deepEqual(Object.keys(route).sort(), ["GET", "OPTIONS", "POST"]);
  await assertWorks("http://next.test", (request) => route[request.method](request));
});

test("Node: the README's server is a gateway", LIMIT, async () => {
  process.env.PORT = "0";
  const { server } = await mounted("node.js");
  try {
    if (!server.listening) await new Promise((resolve) => server.once("listening", resolve));
    await assertWorks(`http://127.0.0.1:${server.address().port}`, (request) => fetch(request));
  } finally {
    delete process.env.PORT;
    server.close();
    server.closeAllConnections?.();
  }
});

test("every mount that the README shows is tried", async () => {
  const readme = await readFile(new URL("../../README.md", import.meta.url), "utf8");
  const names = [...readme.matchAll(/<!-- mount: (.*?) -->/g)].map(([, name]) => name);
  const tried = ["gateway.js", "workers.js", "hono.js", "next.js", "node.js", "deno.js", "bun.js"];
  assert.deepEqual(names, tried);
});
