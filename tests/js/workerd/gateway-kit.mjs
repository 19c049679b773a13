// A gateway in workerd, the sandbox behind it, and a log of all that arrived there.
import { request as httpRequest } from "node:http";
import { Miniflare, Response as WorkerResponse } from "miniflare";
import { importInstalled } from "../installed.mjs";
import { gatewayModules } from "./modules.mjs";

export const KEY = "sk-operator-51ac09e7d2";
export const SECRET = "a secret of the gateway's, of more than 32 bytes";

/**
 * @typedef {{ method: string, url: string, headers: Record<string, string>, body: string }} Arrived
 * @typedef {{ method?: string, path: string, headers?: Record<string, string>, body?: string | Uint8Array | AsyncIterable<Uint8Array> }} Ask
 * @typedef {{ status: number, headers: import("node:http").IncomingHttpHeaders, text: string }} Told
 */

/**
 * @param {{ options?: object, sandbox?: import("comet-tasks/sandbox").SandboxOptions, haste?: number,
 *   answer?: (request: Request) => Promise<Response> | Response | undefined }} [setup] `answer` may answer in the sandbox's
 *   place; with `haste` the Worker's timers run so many times as fast
 */
export async function startGateway({ options = {}, sandbox: script = {}, haste = 0, answer } = {}) {
  const { createSandbox } = await importInstalled("comet-tasks/sandbox");
  const sandbox = createSandbox({ speed: 600, apiKey: KEY, origin: "https://service.example", ...script });
  /** @type {Arrived[]} */
  const arrived = [];
  let noise = "";
  /** @param {any} incoming */
  async function serve(incoming) {
    const { method, url } = incoming;
    const body = method === "POST" ? await incoming.arrayBuffer() : undefined;
    const headers = Object.fromEntries(incoming.headers);
    arrived.push({ method, url, headers, body: Buffer.from(body ?? []).toString("latin1") });
    const request = new Request(url, { method, headers, body });
    const response = (await answer?.(request)) ?? (await sandbox.fetch(request));
    const empty = [101, 204, 205, 304].includes(response.status);
    return new WorkerResponse(empty ? null : await response.arrayBuffer(), {
      status: response.status,
      headers: Object.fromEntries(response.headers),
    });
  }
  const worker = new Miniflare({
    cf: false,
    host: "127.0.0.1",
    compatibilityDate: "2026-01-01",
    modules: await gatewayModules("gateway-worker.mjs"),
    bindings: { KEY, SECRET, HASTE: haste, OPTIONS: JSON.stringify(options) },
    outboundService: serve,
    handleRuntimeStdio: (/** @type {import("node:stream").Readable[]} */ ...streams) => {
      for (const stream of streams) stream.on("data", (chunk) => (noise += chunk));
    },
  });
  const origin = (await worker.ready).origin;
  return {
    origin,
    sandbox,
    arrived,
    /** What workerd and the Worker wrote. */
    log: () => noise,
    close: () => worker.dispose(),
    /** @param {Ask} ask */
    ask: (ask) => send(origin, ask),
  };
}

/**
 * By hand, since fetch would tidy up what an attacker sends.
 * @param {string} origin
 * @param {Ask} ask
 * @returns {Promise<Told>}
 */
export function send(origin, { method = "GET", path, headers = {}, body }) {
  const { hostname, port } = new URL(origin);
  return new Promise((resolve, reject) => {
    const request = httpRequest({ hostname, port, method, path, headers, agent: false }, (response) => {
      /** @type {Buffer[]} */
      const pieces = [];
      response.on("data", (piece) => pieces.push(piece));
      response.on("error", reject);
      response.on("end", () => {
        const text = Buffer.concat(pieces).toString("latin1");
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
      });
    });
    request.on("error", (error) => {
      // Who sends on and on may find the connection closed before the answer was read.
      if (typeof body === "object" && Symbol.asyncIterator in body)
        resolve({ status: 0, headers: {}, text: "" });
      else reject(error);
    });
    write(request, body).catch(reject);
  });
}

/** @param {import("node:http").ClientRequest} request @param {Ask["body"]} body */
async function write(request, body) {
  if (body === undefined || typeof body === "string" || body instanceof Uint8Array) return request.end(body);
  for await (const piece of body) {
    if (request.destroyed) return;
    await new Promise((resolve) => request.write(piece, resolve));
  }
  request.end();
}

/**
 * A client as a page has it, with its own sign-in.
 * @param {string} origin
 * @param {string} name
 */
export async function pageClient(origin, name) {
  const { createClient } = await importInstalled("comet-tasks");
  return createClient({
    baseUrl: `${origin}/api/comet`,
    headers: { authorization: `Bearer page-${name}`, origin },
  });
}
