// A video of 200 MiB on its way through a gateway in workerd into a page's sink: no process on the way holds it.
import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFile, readdir } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { platform } from "node:process";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Miniflare } from "miniflare";
import { createSandbox } from "../../../pkg/src/sandbox.js";
import { asRequest } from "../browser/stand-in.mjs";
import { folder } from "../installed.mjs";
import { peakOf, residentOf, resetPeak } from "../support/peak.mjs";
import { KEY, SECRET } from "./gateway-kit.mjs";
import { gatewayModules } from "./modules.mjs";

const MIB = 1024 * 1024;
const LARGE = 200 * MIB;
const HEAD = Buffer.from("00000018667479706d703432000000006d703432", "hex");
const program = fileURLToPath(new URL("../support/keep-through-gateway.mjs", import.meta.url));
const entry = pathToFileURL(createRequire(join(folder, "tests.js")).resolve("comet-tasks")).href;

/**
 * The sandbox, whose first video is small and whose second one is large.
 * @param {import("node:test").TestContext} t
 */
async function startService(t) {
  const sandbox = createSandbox({ apiKey: KEY, speed: 600 });
  let videos = 0;
  const server = createServer(async (incoming, outgoing) => {
    const reply = await sandbox.fetch(asRequest(incoming, "http://service.example"));
    if (!incoming.url?.endsWith("/content") || reply.status !== 200) {
      outgoing.writeHead(reply.status, Object.fromEntries(reply.headers));
      return outgoing.end(Buffer.from(await reply.arrayBuffer()));
    }
    const length = (videos += 1) === 1 ? MIB : LARGE;
    outgoing.writeHead(200, { "content-type": "video/mp4", "content-length": length });
    for await (const piece of pieces(length)) if (!outgoing.write(piece)) await once(outgoing, "drain");
    outgoing.end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close(() => {}).closeAllConnections());
  return `http://127.0.0.1:${/** @type {import("node:net").AddressInfo} */ (server.address()).port}`;
}

/** Each MiB differs from the one before. @param {number} length */
function* pieces(length) {
  yield HEAD;
  for (let at = HEAD.length; at < length; at += MIB) yield Buffer.alloc(Math.min(MIB, length - at), at / MIB);
}

/** @param {import("node:test").TestContext} t @param {string} baseUrl */
async function startGateway(t, baseUrl) {
  const before = await workerds();
  const worker = new Miniflare({
    ...{ cf: false, host: "127.0.0.1", compatibilityDate: "2026-01-01" },
    modules: await gatewayModules("gateway-worker.mjs"),
    bindings: { KEY, SECRET, QUIET: true, OPTIONS: JSON.stringify({ baseUrl }) },
  });
  t.after(() => worker.dispose());
  const { origin } = await worker.ready;
  const [pid] = (await workerds()).filter((one) => !before.includes(one));
  return { origin, pid };
}

/** The workerd processes of this one; other systems do not tell. */
async function workerds() {
  if (platform !== "linux") return [];
  const found = [];
  for (const name of await readdir("/proc")) {
    const stat = /^\d+$/.test(name) && (await readFile(`/proc/${name}/stat`, "utf8").catch(() => ""));
    const [, parent] = (stat && /\(workerd\) \S (\d+)/.exec(stat)) || [];
    if (Number(parent) === process.pid) found.push(Number(name));
  }
  return found;
}

test("a video of 200 MiB through the gateway and persist adds less than half of its size to either's memory", async (t) => {
  const gateway = await startGateway(t, await startService(t));
  const client = fork(program, [entry, gateway.origin], { execArgv: ["--expose-gc"] });
  t.after(() => client.kill());
  assert.deepEqual(await once(client, "message"), ["warm", undefined]);
  const before = gateway.pid && residentOf(gateway.pid);
  if (gateway.pid) resetPeak(gateway.pid);
  client.send("go");
  const [told] = await once(client, "message");
  const { content, contentType, bytes, sha256, added } = told;
  assert.deepEqual(
    { content, contentType, bytes },
    { content: true, contentType: "video/mp4", bytes: LARGE },
  );
  const whole = createHash("sha256");
  for (const piece of pieces(LARGE)) whole.update(piece);
  assert.equal(sha256, whole.digest("hex"));
  const held = gateway.pid ? peakOf(gateway.pid) - before : 0;
  t.diagnostic(`client: + ${(added / MIB).toFixed(1)} MiB; workerd: + ${(held / MIB).toFixed(1)} MiB`);
  assert.ok(added < LARGE / 2, `${added} bytes in the client`);
  assert.ok(held < LARGE / 2, `${held} bytes in the gateway`);
});
