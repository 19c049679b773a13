// What the gateway costs: workerd's own CPU time for a request, beside a Worker that passes everything on without looking.
import { readFile, readdir } from "node:fs/promises";
import { createServer, request as httpRequest, Agent } from "node:http";
import { Miniflare } from "miniflare";
import { gatewayModules } from "../js/workerd/modules.mjs";
import { atMost, told } from "./table.mjs";

const ROUNDS = 6;
const REQUESTS = 2_000;
const AT_ONCE = 16;
const MOST = 2;
const HEADERS = { authorization: "Bearer page-alice", "content-type": "application/json" };

/** @typedef {{ method: string, path: string, body?: string }} Ask */
/** @typedef {{ worker: Miniflare, port: number, pid: number }} Running */

/** @returns {Promise<import("./table.mjs").Section>} */
export async function gateway() {
  const service = await startService();
  const bare = await start([{ type: "ESModule", path: "bare.mjs", contents: bareWorker(service.port) }], {});
  const ours = await start(await gatewayModules("gateway-worker.mjs"), {
    KEY: "sk-bench-0123456789",
    SECRET: "a secret for the bench, of more than 32 bytes",
    OPTIONS: JSON.stringify({ baseUrl: `http://127.0.0.1:${service.port}` }),
    QUIET: "1",
  });
  try {
    const lines = [];
    for (const [name, ask] of await asks(ours.port)) lines.push(await compare(name, ask, bare, ours));
    const memory = await residentMb(ours.pid);
    return {
      title: "The gateway in workerd, CPU of the whole process per request",
      lines: [...lines, told("resident memory of its workerd at the end", `${memory} MB`)],
    };
  } finally {
    await Promise.all([bare.worker.dispose(), ours.worker.dispose()]);
    service.close();
  }
}

/** @param {string} name @param {Ask} ask @param {Running} bare @param {Running} ours */
async function compare(name, ask, bare, ours) {
  const used = { bare: 0, ours: 0 };
  // The first round warms up; then they take turns, since the machine may be busy with others.
  for (let round = 0; round <= ROUNDS; round += 1) {
    const [one, two] = [await cpuOf(bare, ask), await cpuOf(ours, ask)];
    if (round > 0) ((used.bare += one), (used.ours += two));
  }
  const [theirs, own] = [used.bare, used.ours].map((ms) => ((ms / ROUNDS / REQUESTS) * 1000).toFixed(0));
  return atMost(`${name}: CPU ÷ a bare pass-through's`, used.ours / used.bare, MOST, {
    unit: "×",
    note: `${own} µs ÷ ${theirs} µs`,
  });
}

/** What a page asks most: a reading, many readings, a submit. @param {number} port @returns {Promise<[string, Ask][]>} */
async function asks(port) {
  const submit = { method: "POST", path: "/api/comet/mj/submit/imagine", body: '{"prompt":"a boat"}' };
  const { result } = JSON.parse(await send(port, submit));
  const list = {
    method: "POST",
    path: "/api/comet/mj/task/list-by-condition",
    body: JSON.stringify({ ids: [result] }),
  };
  return [
    ["a reading", { method: "GET", path: `/api/comet/mj/task/${result}/fetch` }],
    ["a list of one", list],
    ["a submit", submit],
  ];
}

/** @param {number} port */
function bareWorker(port) {
  return `export default { fetch(request) {
    const { pathname } = new URL(request.url);
    const { method, body } = request;
    const headers = { authorization: "Bearer sk-bench-0123456789", "content-type": "application/json" };
    return fetch("http://127.0.0.1:${port}" + pathname.slice("/api/comet".length), { method, headers, body, redirect: "manual" });
  } }`;
}

/** @param {any[]} modules @param {Record<string, string>} bindings @returns {Promise<Running>} */
async function start(modules, bindings) {
  const before = await workerds();
  const worker = new Miniflare({
    cf: false,
    host: "127.0.0.1",
    compatibilityDate: "2026-01-01",
    modules,
    bindings,
    handleRuntimeStdio: () => {},
  });
  const port = Number((await worker.ready).port);
  const pid = (await workerds()).find((one) => !before.includes(one)) ?? 0;
  return { worker, port, pid };
}

/** This process's own. */
async function workerds() {
  const found = [];
  for (const name of await readdir("/proc")) {
    const stat = /^\d+$/.test(name) && (await readFile(`/proc/${name}/stat`, "utf8").catch(() => ""));
    if (stat && stat.includes("(workerd)") && Number(fields(stat)[1]) === process.pid)
      found.push(Number(name));
  }
  return found;
}

/** From the state on. @param {string} stat */
const fields = (stat) => stat.slice(stat.lastIndexOf(")") + 2).split(" ");

/** In milliseconds; the kernel counts hundredths of a second. @param {number} pid */
async function cpuMs(pid) {
  const [user, system] = fields(await readFile(`/proc/${pid}/stat`, "utf8")).slice(11, 13);
  return (Number(user) + Number(system)) * 10;
}

/** @param {number} pid */
async function residentMb(pid) {
  const [, kb] = /VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, "utf8")) ?? [];
  return Math.round(Number(kb) / 1024);
}

/** @param {Running} running @param {Ask} ask */
async function cpuOf({ port, pid }, ask) {
  const before = await cpuMs(pid);
  let left = REQUESTS;
  const one = async () => {
    while (left-- > 0) await send(port, ask);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  return (await cpuMs(pid)) - before;
}

const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });

/** @param {number} port @param {Ask} ask @returns {Promise<string>} */
function send(port, { method, path, body }) {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { host: "127.0.0.1", port, method, path, headers: HEADERS, agent },
      (response) => {
        let text = "";
        response.on("data", (piece) => (text += piece));
        response.on("end", () => (response.statusCode === 200 ? resolve(text) : reject(new Error(text))));
      },
    );
    request.on("error", reject);
    request.end(body);
  });
}

/** The service: one picture, half done, with all that a reading has. */
async function startService() {
  const id = "1773314942177684";
  const task = {
    ...{
      id,
      action: "IMAGINE",
      status: "IN_PROGRESS",
      progress: "50%",
      prompt: "a boat",
      promptEn: "a boat",
    },
    ...{ submitTime: 1773314942177, startTime: 1773314943177, finishTime: 0, failReason: "", state: "" },
    imageUrl: `http://127.0.0.1/mj/image/${id}?rand=1773314942177684000`,
    properties: { finalPrompt: "a boat --v 7" },
    buttons: ["U1", "U2", "U3", "U4", "V1", "V2", "V3", "V4"].map((label) => ({
      ...{ customId: `MJ::JOB::upsample::1::${label}-5e6ca8e1f40e4de6`, emoji: "", label, type: 2, style: 2 },
    })),
  };
  const submitted = JSON.stringify({ code: 1, description: "Submit success", result: id, properties: {} });
  const [one, many] = [JSON.stringify(task), JSON.stringify([task])];
  const server = createServer((request, response) => {
    request.resume();
    const text = request.url?.includes("/submit/") ? submitted : request.url?.includes("/list-") ? many : one;
    response
      .writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(text) })
      .end(text);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return { port, close: () => server.close(() => {}).closeAllConnections() };
}
