// A page keeps a task's files in its own folder, the Origin Private File System.
import { strict as assert } from "node:assert";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { build } from "esbuild";
import { createSandbox } from "../../../pkg/src/sandbox.js";
import { folder } from "../installed.mjs";
import { launch } from "./page.mjs";

/** @type {import("playwright-core").Browser} */
let browser;
/** @type {import("node:http").Server} */
let server;
let origin = "";
let now = 1_773_314_942_177;
const sandbox = createSandbox({ now: () => now, faults: [{ on: "asset", at: 1, do: { truncateAt: 500 } }] });

before(async () => {
  const { outputFiles } = await build({
    stdin: { contents: 'export * from "comet-tasks";', resolveDir: folder },
    nodePaths: [join(folder, "node_modules")],
    tsconfigRaw: {},
    bundle: true,
    format: "esm",
    write: false,
    logLevel: "error",
  });
  const script = outputFiles[0]?.text ?? "";
  server = createServer(async ({ method, url = "/", headers }, response) => {
    if (url === "/")
      return response.setHeader("content-type", "text/html").end("<!doctype html><title>t</title>");
    if (url === "/client.js") return response.setHeader("content-type", "text/javascript").end(script);
    if (url === "/favicon.ico") return response.writeHead(404).end();
    const init = { method, headers: /** @type {any} */ (headers) };
    const reply = await sandbox.fetch(new Request(origin + url, init));
    const bytes = Buffer.from(await reply.arrayBuffer());
    response.writeHead(reply.status, Object.fromEntries(reply.headers)).end(bytes);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  origin = `http://127.0.0.1:${/** @type {import("node:net").AddressInfo} */ (server.address()).port}`;
  browser = await launch();
});
after(async () => {
  await browser?.close();
  server?.closeAllConnections();
  server?.close();
});

test("a_page_keeps_a_picture_in_its_own_folder_whole_although_the_first_copy_broke_off", async () => {
  const headers = { "content-type": "application/json" };
  const submit = { method: "POST", headers, body: JSON.stringify({ prompt: "a boat" }) };
  const { result } = await (await sandbox.fetch(`${origin}/mj/submit/imagine`, submit)).json();
  now += 3_600_000;
  const page = await browser.newPage();
  await page.goto(origin);
  const kept = await page.evaluate(async (id) => {
    const { createClient } = await import(String("/client.js"));
    const client = createClient({ baseUrl: "/" });
    const task = await client.fetchTask(id);
    const top = await navigator.storage.getDirectory();
    const [asset] = await client.persist(task, top, { sha256: true });
    const file = await (await (await top.getDirectoryHandle(id)).getFileHandle("0.png")).getFile();
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
    const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return { asset, size: file.size, hex };
  }, result);
  assert.deepEqual([kept.size, kept.hex], [kept.asset.bytes, kept.asset.sha256]);
  assert.ok(kept.size > 1000);
});
