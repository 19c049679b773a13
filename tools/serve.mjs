// Serves the demo in workerd, on this machine only.
import { rmSync } from "node:fs";
import { mkdtemp, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Log, LogLevel, Miniflare } from "miniflare";
import { Stop } from "./shell.mjs";
import { buildSite } from "./site.mjs";

const host = "127.0.0.1";

/**
 * Makes the demo and serves it until `close`. Each call has files of its own: several may run at once.
 * @param {{ port?: number, env?: NodeJS.ProcessEnv, files?: Record<string, string>, kept?: string }} [options]
 *   `port` is the first to try (default: any); `env` may hold what www/worker.js lists, with the sandbox unless SANDBOX is "";
 *   `files` lie beside the page; `kept` is the folder of the bucket, which goes with the rest unless it is named.
 */
export async function serve({ port = 0, env = process.env, files = {}, kept } = {}) {
  const folder = await mkdtemp(join(tmpdir(), "comet-tasks-demo-"));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once("exit", remove); // Ctrl-C gives no time for more
  try {
    await buildSite(folder);
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, "public", name), text);
    const free = await freePort(port);
    const worker = startWorker(folder, free, env, kept ?? join(folder, "kept"));
    await worker.ready;
    return { url: address(free), close: () => worker.dispose().finally(remove) };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** @param {string} folder @param {number} port @param {NodeJS.ProcessEnv} env @param {string} r2Persist */
function startWorker(folder, port, env, r2Persist) {
  const { COMETAPI_KEY = "", COMETAPI_BASE_URL = "", KEPT_MAX_BYTES = "", SANDBOX = "yes" } = env;
  return new Miniflare({
    host,
    port,
    cf: false,
    log: new Log(LogLevel.WARN),
    compatibilityDate: "2026-03-01",
    modules: true,
    modulesRules: [{ type: "CompiledWasm", include: ["**/*.wasm"] }],
    modulesRoot: join(folder, "worker"),
    scriptPath: join(folder, "worker/worker.js"),
    bindings: { COMETAPI_KEY, COMETAPI_BASE_URL, KEPT_MAX_BYTES, SANDBOX, ORIGIN: address(port) },
    r2Buckets: { KEPT: "comet-tasks-demo" },
    r2Persist,
    assets: {
      directory: join(folder, "public"),
      binding: "ASSETS",
      routerConfig: { invoke_user_worker_ahead_of_assets: true, has_user_worker: true },
    },
  });
}

/** @param {number} port */
function address(port) {
  return `http://${host}:${port}`;
}

/** The first free port from `first` on. @param {number} first @returns {Promise<number>} */
async function freePort(first) {
  for (let port = first; port < first + 50; port++) {
    const found = await probe(port);
    if (found) return found;
  }
  throw new Stop(`The ports ${first} to ${first + 49} are all taken; set PORT to a free one.`);
}

/** The port when it is free (for 0: a free one), or 0. @param {number} port @returns {Promise<number>} */
function probe(port) {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (/** @type {NodeJS.ErrnoException} */ error) => {
      if (error.code === "EADDRINUSE" || error.code === "EACCES") resolve(0);
      else reject(error);
    });
    server.listen(port, host, () => {
      const address = server.address();
      const found = typeof address === "object" && address ? address.port : 0;
      server.close(() => resolve(found));
    });
  });
}
