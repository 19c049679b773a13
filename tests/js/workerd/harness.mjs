// Workers of the tests in workerd itself, with everything that they send going through this process.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { Miniflare } from "miniflare";
import { createSandbox } from "../../../pkg/src/sandbox.js";
import { folder } from "../installed.mjs";

export const KEY = "sk-durable-0123456789";
export const SERVICE = "https://service.example";
const START = 1_773_314_942_177;
/** An instance that takes longer hangs. */
const PATIENCE_MS = Number(process.env.PATIENCE ?? 60_000);

/** The Worker as a user's bundler makes it: the wasm stays a module of its own. @param {string} name of a file here */
export async function modulesOf(name) {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(name, import.meta.url))],
    nodePaths: [join(folder, "node_modules")],
    conditions: ["workerd"],
    tsconfigRaw: {},
    bundle: true,
    format: "esm",
    write: false,
    external: ["*.wasm", "cloudflare:*"],
    logLevel: "error",
  });
  const wasm = await readFile(join(folder, "node_modules/comet-tasks/dist/comet_tasks.wasm"));
  return [
    { type: /** @type {const} */ ("ESModule"), path: "worker.mjs", contents: outputFiles[0]?.text ?? "" },
    { type: /** @type {const} */ ("CompiledWasm"), path: "comet_tasks.wasm", contents: wasm },
  ];
}

/** A place on disk that outlives a process, until the test ends. @param {{ after(work: () => unknown): void }} t */
export async function storage(t) {
  const path = await mkdtemp(join(tmpdir(), "comet-tasks-durable-"));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

/**
 * One instance's world: a service of its own, whose time passes with each of its requests, and what was seen.
 */
export class World {
  /** @type {string[]} */
  trace = [];
  /** What happens at the nth point, counted from 0; once. @type {Map<number, "throw" | "hold">} */
  plan = new Map();
  hold = () => {};
  /** Settles when a point is held. */
  held = new Promise((resolve) => (this.hold = () => resolve(undefined)));
  clock = START;

  /** @param {string} id @param {object} [options] of the sandbox */
  constructor(id, options = {}) {
    this.id = id;
    this.sandbox = createSandbox({ now: () => this.clock, apiKey: KEY, ...options });
  }

  /** What is to happen at this point. @param {string} point */
  async reach(point) {
    const action = this.plan.get(this.trace.push(point) - 1);
    if (action === "hold") {
      this.hold();
      await new Promise(() => {});
    }
    return action;
  }

  /** @param {Request} request @returns {Promise<Response>} rejects where the connection breaks */
  async call(request) {
    const name = `${request.method} ${new URL(request.url).pathname.replaceAll(/\d{16}|task_\w+/g, "{id}")}`;
    if ((await this.reach(`> ${name}`)) === "throw") throw new Error("dropped before");
    const isPost = request.method === "POST";
    const reply = await this.sandbox.fetch(request);
    // A task is queued at its first reading, and done at its second.
    this.clock += isPost ? 2_000 : 600_000;
    if ((await this.reach(`< ${name}`)) === "throw") throw new Error("dropped after");
    return reply;
  }
}

/** A workerd that can be killed and started again, and the service of its instances, which goes on meanwhile. */
export class Host {
  /** @type {Map<string, World>} */
  worlds = new Map();
  noise = "";
  origin = "";
  #server = createServer((incoming, outgoing) => this.#serve(incoming, outgoing));
  #worker = /** @type {Miniflare | undefined} */ (undefined);
  #options;

  /** @param {any} options of miniflare */
  constructor(options) {
    this.#options = options;
  }

  get worker() {
    if (!this.#worker) throw new Error("not started");
    return this.#worker;
  }

  async start() {
    if (!this.origin) {
      await new Promise((resolve) => this.#server.listen(0, "127.0.0.1", () => resolve(undefined)));
      const { port } = /** @type {import("node:net").AddressInfo} */ (this.#server.address());
      this.origin = `http://127.0.0.1:${port}`;
    }
    const { bindings, ...options } = this.#options;
    this.#worker = new Miniflare({
      cf: false,
      compatibilityDate: "2026-03-01",
      outboundService: { network: { allow: ["local", "private", "public"] } },
      bindings: { COMETAPI_KEY: KEY, SERVICE: this.origin, ...bindings },
      handleRuntimeStdio: (/** @type {import("node:stream").Readable[]} */ ...streams) => {
        for (const stream of streams) stream.on("data", (chunk) => (this.noise += chunk));
      },
      ...options,
    });
    await this.#worker.ready;
    return this;
  }

  async stop() {
    await this.kill();
    this.#server.close().closeAllConnections();
  }

  /** The process ends here, in the middle of whatever it does. */
  async kill() {
    await this.#worker?.dispose();
    this.#worker = undefined;
  }

  /** @param {import("node:http").IncomingMessage} incoming @param {import("node:http").ServerResponse} outgoing */
  async #serve(incoming, outgoing) {
    const chunks = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const sent = Buffer.concat(chunks);
    const [, id = "", path = ""] = /^\/([^/]*)(.*)$/.exec(incoming.url ?? "") ?? [];
    const world = this.worlds.get(id);
    if (!world) return outgoing.writeHead(404).end();
    if (path === "/probe") {
      const action = await world.reach(String(sent));
      return outgoing.writeHead(action === "throw" ? 500 : 204).end();
    }
    try {
      const { method, headers } = incoming;
      const init = {
        method,
        headers: /** @type {any} */ (headers),
        body: method === "POST" ? sent : undefined,
      };
      const reply = await world.call(new Request(`${SERVICE}${path}`, init));
      const bytes = Buffer.from(await reply.arrayBuffer());
      const isJson = bytes[0] === 0x7b;
      // The service is at a path of this origin.
      const body = isJson ? Buffer.from(String(bytes).replaceAll(SERVICE, `${this.origin}/${id}`)) : bytes;
      outgoing.writeHead(reply.status, Object.fromEntries(reply.headers)).end(body);
    } catch {
      outgoing.destroy();
    }
  }

  /** @param {string} path @param {any} [body] @returns {Promise<any>} */
  async ask(path, body) {
    const init = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
    return (await this.worker.dispatchFetch(`https://worker.example${path}`, init)).json();
  }

  /** The bucket itself. Its types are those of workerd, which are not here. @returns {Promise<any>} */
  async bucket() {
    return this.worker.getR2Bucket("BUCKET");
  }

  /** Waits until the instance has ended. @param {string} id @returns {Promise<any>} */
  async ended(id) {
    const giveUp = performance.now() + PATIENCE_MS;
    for (;;) {
      const seen = await this.ask(`/status?id=${id}`);
      if (performance.now() > giveUp) {
        const { trace } = this.worlds.get(id) ?? {};
        throw new Error(
          `${id} hangs: ${JSON.stringify(seen)} after ${trace?.slice(-6).join(", ")}\n${this.noise.slice(-500)}`,
        );
      }
      if (["complete", "errored", "terminated"].includes(seen.status)) return seen;
      if (seen.thrown && !/not_found|reset|abort|broken/i.test(seen.thrown)) throw new Error(seen.thrown);
      await new Promise((resolve) => setTimeout(resolve, 400));
    }
  }
}
