// A finished task of the sandbox, and places to keep its files.
import { createSandbox } from "../../../pkg/src/sandbox.js";
import { turn } from "./clock.mjs";

export const KEY = "sk-keep-0123456789";
export const BASE_URL = "https://service.example";

/**
 * A client over a sandbox whose clock the test moves. `log` holds what was fetched from anywhere, with its headers.
 * @param {(options: object) => import("comet-tasks").Client} createClient
 * @param {object} [options] of the sandbox
 * @param {(request: Request) => Promise<Response | undefined> | Response | undefined} [elsewhere] answers before the sandbox does
 */
export function createScene(createClient, options = {}, elsewhere = () => undefined) {
  const clock = { now: 1_773_314_942_177 };
  const sandbox = createSandbox({ now: () => clock.now, apiKey: KEY, ...options });
  /** @type {Request[]} */
  const log = [];
  const fetch = async (/** @type {any} */ input, /** @type {RequestInit} */ init) => {
    const request = new Request(input, init);
    log.push(request);
    return (await elsewhere(request)) ?? sandbox.fetch(request);
  };
  const client = createClient({ baseUrl: BASE_URL, apiKey: KEY, fetch });

  /** @param {string} kind @param {object} params */
  const finish = async (kind, params) => {
    const name = `submit${kind[0].toUpperCase()}${kind.slice(1)}`;
    const handle = await /** @type {any} */ (client)[name](params);
    clock.now += 3_600_000;
    const task = await client.fetchTask(handle);
    log.length = 0;
    return task;
  };
  return {
    client,
    sandbox,
    log,
    picture: (prompt = "a boat") => finish("imagine", { prompt }),
    clips: () => finish("video", { image: new Uint8Array([137, 80, 78, 71]) }),
    veo: () => finish("veo", { prompt: "a kite" }),
    sora: () => finish("veo", { prompt: "a kite", model: "sora-2" }),
  };
}

/** A bucket that takes streams; `held` is what it keeps, by key. */
export function createBucket() {
  /** @type {Map<string, { bytes: Uint8Array, options: any }>} */
  const held = new Map();
  const put = async (/** @type {string} */ key, /** @type {any} */ body, /** @type {any} */ options) => {
    const bytes = new Uint8Array(await new Response(body).arrayBuffer());
    held.set(key, { bytes, options });
  };
  return { held, put };
}

/**
 * What the promise comes to, while the stopped clock runs for it.
 * @template T
 * @param {{ tick(ms: number): void }} clock
 * @param {Promise<T>} promise
 * @returns {Promise<T>}
 */
export async function passing(clock, promise) {
  let isSettled = false;
  const settled = () => (isSettled = true);
  promise.then(settled, settled);
  while (!isSettled) {
    for (let turns = 0; turns < 5; turns += 1) await turn();
    clock.tick(50);
  }
  return promise;
}
