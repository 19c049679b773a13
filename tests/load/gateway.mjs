// Pages that come over a minute, each with a client and a task of its own, two thousand of them waiting at once, before one
// gateway isolate and a sandbox in a process of its own: no task is lost, none is made twice, nothing fails, and the isolate
// stays far below what a Worker may use.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { build } from "../../tools/build.mjs";
import { install, remove } from "../../tools/install.mjs";
import { Stop, main } from "../../tools/shell.mjs";

const PAGES = 2_500;
const ARRIVAL_MS = 60_000;
/** So slow that most of the first pages still wait when the last one comes. */
const SPEED = 0.7;
const MOST_MB = 128;
const KEY = "sk-load-0123456789";
const LIMITED = "rate_limited";

await main(import.meta, load);

export async function load() {
  if (!process.env.COMET_TASKS_INSTALLED) await build();
  const own = process.env.COMET_TASKS_INSTALLED ? undefined : await install();
  const installed = (process.env.COMET_TASKS_INSTALLED ??= own);
  const { importInstalled } = await import("../js/installed.mjs");
  const { createClient } = await importInstalled("comet-tasks");
  const sandbox = await startSandbox(join(installed ?? "", "node_modules/comet-tasks/dist/sandbox-bin.js"));
  const { worker, heap } = await startGateway(sandbox.url);
  const fetch = await patientFetch();
  try {
    const start = performance.now();
    const origin = (await worker.ready).origin;
    const waiting = { now: 0, most: 0 };
    const pages = [];
    // One after another, with the network's events between them: were the timers of many pages due at once on a busy machine,
    // the first ones' connections would stand open, with nothing sent on them, for longer than workerd's fifteen seconds.
    for (let at = 0; at < PAGES; at += 1) {
      await new Promise((resolve) =>
        setTimeout(resolve, start + at * (ARRIVAL_MS / PAGES) - performance.now()),
      );
      pages.push(page(createClient, origin, at, fetch, waiting));
    }
    const outcomes = await Promise.all(pages);
    const seconds = (performance.now() - start) / 1000;
    judge(outcomes, { seconds, log: await sandbox.log(), peakMb: heap(), most: waiting.most });
  } finally {
    await worker.dispose();
    sandbox.stop();
    if (own) remove(own);
  }
}

/**
 * A page: makes a picture, waits for it. Resolves to its id, or to the code of its error.
 * @param {typeof import("comet-tasks").createClient} createClient
 * @param {string} origin
 * @param {number} at
 * @param {any} fetch
 * @param {{ now: number, most: number }} waiting
 */
async function page(createClient, origin, at, fetch, waiting) {
  waiting.now += 1;
  waiting.most = Math.max(waiting.most, waiting.now);
  const headers = { authorization: `Bearer page-visitor${at}` };
  const client = createClient({ baseUrl: `${origin}/api/comet`, headers, fetch });
  try {
    const task = await client.run({ kind: "imagine", params: { prompt: `visitor ${at}` } });
    if (task.prompt !== `visitor ${at}`) return { error: "another's task" };
    return { id: task.handle.id };
  } catch (error) {
    const { code, message, cause } = /** @type {any} */ (error);
    return { error: code === LIMITED ? code : [code, message, cause?.cause?.message].join(" ").trim() };
  } finally {
    waiting.now -= 1;
    client.close();
  }
}

/**
 * Pages share no connections, so each request has one of its own. Kept ones would be the harness's fault, too: workerd closes
 * what was idle for five seconds, and on a busy machine this process learns of it only after it has sent the next request there.
 * Not more at once than can be served in time.
 */
async function patientFetch() {
  const { Agent, fetch } = await import(/** @type {string} */ ("undici"));
  const dispatcher = new Agent({ connections: 256, pipelining: 0, connect: { timeout: 60_000 } });
  return (/** @type {string} */ input, /** @type {object} */ init) => fetch(input, { ...init, dispatcher });
}

/**
 * @param {{ id?: string, error?: string }[]} outcomes
 * @param {{ seconds: number, log: { submits: number, requests: unknown[] }, peakMb: number, most: number }} seen
 */
function judge(outcomes, { seconds, log, peakMb, most }) {
  const ids = new Set(outcomes.flatMap(({ id }) => id ?? []));
  const errors = outcomes.flatMap(({ error }) => error ?? []);
  const other = errors.filter((code) => code !== LIMITED);
  console.log(
    `${PAGES} pages in ${seconds.toFixed(0)} s, at most ${most} at once: ${ids.size} tasks done, ${errors.length} errors (${other.length} but rate limits), ` +
      `${log.submits} submits and ${log.requests.length} requests at the service, the isolate's memory at most ${peakMb.toFixed(0)} MB`,
  );
  const wrong = [];
  if (other.length > 0) wrong.push(`errors: ${[...new Set(other)].join(", ")}`);
  if (ids.size + errors.length !== PAGES) wrong.push("two pages have one task");
  if (log.submits !== ids.size) wrong.push(`${log.submits} submits for ${ids.size} tasks`);
  if (peakMb >= MOST_MB) wrong.push(`memory of ${peakMb} MB`);
  if (wrong.length > 0) throw new Stop(`The gateway under load: ${wrong.join("; ")}.`);
}

/** @param {string} program */
async function startSandbox(program) {
  const child = spawn(process.execPath, [program, "--port", "0", "--speed", `${SPEED}`, "--key", KEY], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  /** @type {string | undefined} */
  let url;
  for await (const line of createInterface({ input: child.stdout })) {
    url = /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0];
    if (url) break;
  }
  child.stdout.resume();
  if (!url) throw new Stop("The sandbox printed no address.");
  const log = async () => (await fetch(`${url}/sandbox/log`)).json();
  return { url, log, stop: () => child.kill() };
}

/** @param {string} baseUrl */
async function startGateway(baseUrl) {
  const { gatewayModules } = await import("../js/workerd/modules.mjs");
  const { Miniflare } = await import("miniflare"); // not before set-up has installed it
  const inspectorPort = await freePort();
  const bindings = { KEY, SECRET: "a secret for the load, of more than 32 bytes", QUIET: "1" };
  const worker = new Miniflare({
    cf: false,
    host: "127.0.0.1",
    inspectorPort,
    compatibilityDate: "2026-01-01",
    modules: await gatewayModules("gateway-worker.mjs"),
    bindings: { ...bindings, OPTIONS: JSON.stringify({ baseUrl }) },
    handleRuntimeStdio: () => {},
  });
  await worker.ready;
  return { worker, heap: await watchHeap(inspectorPort) };
}

/** Asks the isolate itself, four times a second; returns the most that it has said, in MB. @param {number} port */
async function watchHeap(port) {
  const [target] = await (await fetch(`http://127.0.0.1:${port}/json`)).json();
  // Node 20 has none of its own; miniflare brings this one.
  const { WebSocket } = await import(/** @type {string} */ ("ws"));
  const socket = new WebSocket(target.webSocketDebuggerUrl.replace("localhost", "127.0.0.1"));
  await once(socket, "open");
  let peak = 0;
  socket.on("message", (/** @type {Buffer} */ data) => {
    const { result } = JSON.parse(String(data));
    if (result?.usedSize) peak = Math.max(peak, result.usedSize + (result.backingStorageSize ?? 0));
  });
  let id = 0;
  const ask = () => socket.send(JSON.stringify({ id: (id += 1), method: "Runtime.getHeapUsage" }));
  const timer = setInterval(ask, 250);
  timer.unref();
  return () => {
    clearInterval(timer);
    socket.close();
    return peak / 1024 / 1024;
  };
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
      server.close(() => resolve(port));
    });
  });
}
