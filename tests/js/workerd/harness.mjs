// Workers of the tests in workerd itself, with everything that they send going through this process.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Miniflare } from "miniflare";
import { createSandbox } from "../../../pkg/src/sandbox.js";

export const KEY = "sk-durable-0123456789";
export const SERVICE = "https://service.example";
const START = 1_773_314_942_177;
/** An instance that takes longer hangs. */
const PATIENCE_MS = 100_000;
const LOST_MS = 10_000;

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
  isHooked = false;
  /** @type {Map<string, () => unknown>} */
  #waiting = new Map();

  /** @param {string} id @param {object} [options] of the sandbox */
  constructor(id, options = {}) {
    this.id = id;
    this.sandbox = createSandbox({ now: () => this.clock, apiKey: KEY, ...options });
  }

  /** Settles when a point is passed for the first time. @param {string} point */
  reached(point) {
    return new Promise((resolve) => this.whenReached(point, () => resolve(undefined)));
  }

  /** What is done before a run goes on from there. @param {string} point @param {() => unknown} work */
  whenReached(point, work) {
    this.#waiting.set(point, work);
  }

  /** What is to happen at this point. @param {string} point */
  async reach(point) {
    const action = this.plan.get(this.trace.push(point) - 1);
    await this.#waiting.get(point)?.();
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
      await new Promise((listening) => this.#server.listen(0, "127.0.0.1", () => listening(undefined)));
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

  /** The process ends here, in the middle of whatever it does; where it cannot be found it is asked to. */
  async kill() {
    for (const pid of await childrenNamed("workerd")) process.kill(pid, "SIGKILL");
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
      // A body that is shorter than it says ends with its connection.
      outgoing
        .writeHead(reply.status, { ...Object.fromEntries(reply.headers), connection: "close" })
        .end(body);
    } catch {
      outgoing.destroy();
    }
  }

  /**
   * A process that was started anew now and then loses a request; asking again does no harm.
   * @param {string} path @param {any} [body] @returns {Promise<any>}
   */
  async ask(path, body) {
    const init = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
    const giveUp = performance.now() + 3 * LOST_MS;
    for (;;) {
      try {
        const signal = AbortSignal.timeout(LOST_MS);
        return await (
          await this.worker.dispatchFetch(`https://worker.example${path}`, { ...init, signal })
        ).json();
      } catch (/** @type {any} */ error) {
        if (error?.name !== "TimeoutError" || body !== undefined || performance.now() > giveUp) throw error;
      }
    }
  }

  /** The bucket itself. Its types are those of workerd, which are not here. @returns {Promise<any>} */
  async bucket() {
    return this.worker.getR2Bucket("BUCKET");
  }

  /**
   * Waits until the instance has ended.
   * @param {string} id @param {boolean} [isOrphan] its process is gone: the stand-in for the engine waits for an event to
   *   go on with it
   * @returns {Promise<any>}
   */
  async ended(id, isOrphan = false) {
    const start = performance.now();
    const trace = this.worlds.get(id)?.trace ?? [];
    for (let turn = 0, seen; ; turn += 1) {
      if (isOrphan && turn % 20 === 0) await this.ask(`/poke?id=${id}`);
      seen = await this.ask(`/status?id=${id}`);
      if (["complete", "errored", "terminated"].includes(seen.status)) return seen;
      if (performance.now() - start > PATIENCE_MS) {
        throw new Error(`${id} hangs: ${JSON.stringify(seen)} after ${trace.slice(-6).join(", ")}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 400));
    }
  }
}

/** Processes that this one started, where the host lists them. @param {string} name */
async function childrenNamed(name) {
  const listed = await readFile(`/proc/self/task/${process.pid}/children`, "utf8").catch(() => "");
  const pids = listed.split(" ").filter(Boolean);
  const names = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/comm`, "utf8").catch(() => "")));
  return pids.filter((_, at) => names[at].trim() === name).map(Number);
}

/**
 * A few at a time: the machine has other things to do.
 * @template T
 * @param {T[]} items
 * @param {(item: T, at: number) => Promise<void>} work
 */
export async function eachOf(items, work) {
  const left = items.map((item, at) => () => work(item, at));
  const worker = async () => {
    for (let next = left.shift(); next; next = left.shift()) await next();
  };
  await Promise.all(Array.from({ length: 6 }, worker));
}
