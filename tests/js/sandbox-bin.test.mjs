// The comet-tasks-sandbox executable over real HTTP.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import test from "node:test";
import { fileURLToPath } from "node:url";

const BIN = fileURLToPath(new URL("../../pkg/src/sandbox-bin.js", import.meta.url));
/** A server that hangs is a red test, not a hung run. */
const LIMIT = { timeout: 30_000 };
const JSON_TYPE = { "Content-Type": "application/json" };
const IMAGINE = { method: "POST", headers: JSON_TYPE, body: JSON.stringify({ prompt: "a boat" }) };

/**
 * Starts the executable on a free port; it ends with the test.
 * @param {import("node:test").TestContext} t @param {...string} options
 */
async function start(t, ...options) {
  const child = spawn(process.execPath, [BIN, "--port", "0", ...options], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => child.kill());
  const [line] = await once(createInterface(child.stdout), "line");
  return /** @type {string} */ (line.match(/^comet-tasks sandbox: (http:\/\/127\.0\.0\.1:\d+)$/)?.[1]);
}

/** @param {import("node:test").TestContext} t @param {unknown} faults */
function faultsFile(t, faults) {
  const folder = mkdtempSync(join(tmpdir(), "faults-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "faults.json");
  writeFileSync(file, JSON.stringify(faults));
  return file;
}

/** @param {string} origin @returns {Promise<{ submits: number, requests: { path: string }[] }>} */
async function log(origin) {
  return (await fetch(`${origin}/sandbox/log`)).json();
}

test("it serves pictures from submit to bytes, at the speed it is given", LIMIT, async (t) => {
  const origin = await start(t, "--speed", "6000");
  const { result } = await (await fetch(`${origin}/mj/submit/imagine`, IMAGINE)).json();
  let task = { status: "", imageUrl: "" };
  while (task.status !== "SUCCESS") task = await (await fetch(`${origin}/mj/task/${result}/fetch`)).json();
  const picture = await fetch(task.imageUrl);
  assert.equal(picture.headers.get("content-type"), "image/png");
  assert.equal(Buffer.from(await picture.arrayBuffer()).toString("latin1", 1, 4), "PNG");
});

test("drop_after breaks the connection after one task was created, drop_before before", LIMIT, async (t) => {
  const faults = [
    { on: "submit", at: 1, do: "drop_after" },
    { on: "submit", at: 2, do: "drop_before" },
  ];
  const origin = await start(t, "--faults", faultsFile(t, faults));
  await assert.rejects(fetch(`${origin}/mj/submit/imagine`, IMAGINE), TypeError);
  assert.equal((await log(origin)).submits, 1);
  await assert.rejects(fetch(`${origin}/mj/submit/imagine`, IMAGINE), TypeError);
  const { submits, requests } = await log(origin);
  assert.deepEqual([submits, requests.length], [1, 2]);
});

test("an asset that is cut breaks off instead of ending", LIMIT, async (t) => {
  const faults = [{ on: "asset", at: 1, do: { truncateAt: 100 } }];
  const origin = await start(t, "--speed", "6000", "--faults", faultsFile(t, faults));
  const body = JSON.stringify({ prompt: "a kite", model: "sora-2" });
  const { id } = await (await fetch(`${origin}/v1/videos`, { ...IMAGINE, body })).json();
  let video = { status: "" };
  while (video.status !== "completed") video = await (await fetch(`${origin}/v1/videos/${id}`)).json();
  const cut = await fetch(`${origin}/v1/videos/${id}/content`);
  assert.equal(cut.status, 200);
  await assert.rejects(cut.arrayBuffer());
  assert.equal((await fetch(`${origin}/v1/videos/${id}/content`)).status, 200);
});

test("a stalled request ends with its caller, and the server lives on", LIMIT, async (t) => {
  const origin = await start(t, "--faults", faultsFile(t, [{ on: "submit", at: 1, do: "stall" }]));
  const signal = AbortSignal.timeout(200);
  await assert.rejects(fetch(`${origin}/mj/submit/imagine`, { ...IMAGINE, signal }), {
    name: "TimeoutError",
  });
  assert.equal((await log(origin)).submits, 1);
});

test(
  "a connection is the caller's to close: it stays open for longer than callers keep one",
  LIMIT,
  async (t) => {
    const origin = await start(t);
    const { headers } = await fetch(`${origin}/sandbox/log`);
    assert.equal(headers.get("keep-alive"), "timeout=75");
  },
);

test("hooks arrive without any further request", LIMIT, async (t) => {
  const calls = createServer((_, response) => response.end()).listen(0, "127.0.0.1");
  t.after(() => calls.close());
  await once(calls, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (calls.address());
  const origin = await start(t, "--speed", "6000");
  const body = JSON.stringify({ prompt: "a boat", notifyHook: `http://127.0.0.1:${port}/in` });
  const arrived = once(calls, "request");
  await fetch(`${origin}/mj/submit/imagine`, { ...IMAGINE, body });
  const [request] = await arrived;
  assert.deepEqual([request.method, request.url], ["POST", "/in"]);
});

test("--key is asked for", LIMIT, async (t) => {
  const origin = await start(t, "--key", "k");
  assert.equal((await fetch(`${origin}/mj/submit/imagine`, IMAGINE)).status, 401);
  const headers = { ...JSON_TYPE, Authorization: "Bearer k" };
  assert.equal((await fetch(`${origin}/mj/submit/imagine`, { ...IMAGINE, headers })).status, 200);
});

test("--help explains, and a wrong option is one sentence and a status that is not 0", () => {
  const run = (/** @type {string[]} */ ...options) =>
    spawnSync(process.execPath, [BIN, ...options], { encoding: "utf8" });
  const help = run("--help");
  assert.equal(help.status, 0);
  for (const option of ["--port", "--speed", "--seed", "--key", "--faults"])
    assert.ok(help.stdout.includes(option));
  for (const options of [["--port", "x"], ["--speed", "0"], ["--faults", "/nowhere.json"], ["--what"]]) {
    const { status, stderr } = run(...options);
    assert.equal(status, 1, options.join(" "));
    assert.match(stderr, /^comet-tasks-sandbox: .+\n$/);
  }
});
