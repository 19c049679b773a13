// A gateway in this process, with a fetch of the test's in the service's place.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { wasmFolder } from "../../../tools/build.mjs";
import { folder, importInstalled } from "../installed.mjs";

const dist = join(folder, "node_modules/comet-tasks/dist");
const ORIGIN = "https://page.example";

export const edgeWasm = new Uint8Array(await readFile(join(dist, "comet_tasks_edge.wasm")));
export const edgeGlue = await readFile(join(wasmFolder, "edge/glue.js"), "utf8");

/**
 * @param {(url: string, init: RequestInit) => Promise<Response>} service
 * @param {Uint8Array<ArrayBuffer>} [wasm] the edge module
 * @param {object} [options] of the gateway
 */
export async function openGateway(service, wasm = edgeWasm, options = {}) {
  const { bindGateway } = await import(pathToFileURL(join(dist, "gateway/create.js")).href);
  const { createClient } = await importInstalled("comet-tasks");
  const gateway = bindGateway(() => new WebAssembly.Module(wasm))({
    apiKey: "sk-operator-51ac09e7d2",
    secret: "a secret of the gateway's, of more than 32 bytes",
    authorize: () => ({ subject: "alice" }),
    fetch: service,
    ...options,
  });
  /** @param {string} path @param {RequestInit} [init] @returns {Promise<Response>} */
  const ask = (path, init) => gateway.fetch(new Request(`${ORIGIN}${path}`, init));
  const fetch = (/** @type {any} */ url, /** @type {any} */ init) => gateway.fetch(new Request(url, init));
  // The gateway alone counts the time.
  const client = createClient({ baseUrl: `${ORIGIN}/api/comet`, fetch, requestTimeoutMs: null });
  return { gateway, ask, client };
}
