// What the store's tests share: the installed package and a sandbox on one origin, whose clock the test moves, and tabs that
// have a store open. No bundler: a tab imports the package's own files.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join, normalize } from "node:path";
import { createSandbox } from "../../../pkg/src/sandbox.js";
import { folder } from "../installed.mjs";
import { asRequest } from "./stand-in.mjs";

const dist = join(folder, "node_modules/comet-tasks/dist");
const PAGE = `<!doctype html><title>tab</title>
  <script type="module">
    import * as api from "/dist/index.js";
    import { createStore } from "/dist/store.js";
    Object.assign(window, api, { createStore, loaded: true });
  </script>`;

/**
 * @typedef {{ method: string, path: string, tab: string | undefined }} Seen
 * @typedef {import("comet-tasks").Task} Task
 * @typedef {import("comet-tasks/store").Store} Store
 * @typedef {typeof globalThis & { client: import("comet-tasks").Client, createStore: any, createClient: any, loaded: boolean,
 *   store: Store, tasks: readonly Task[], errors: string[] }} Tab what a tab has in its global scope
 */

export async function startService() {
  let time = Date.now();
  /** @type {Seen[]} */
  const seen = [];
  const sandbox = createSandbox({ now: () => time, seed: 5 });
  const server = createServer(async (incoming, outgoing) => {
    const path = new URL(incoming.url ?? "/", "http://host").pathname;
    if (path === "/") return void outgoing.setHeader("content-type", "text/html").end(PAGE);
    if (path.startsWith("/dist/")) return void sendFile(path.slice("/dist".length), outgoing);
    seen.push({ method: incoming.method ?? "", path, tab: incoming.headers["x-tab"]?.toString() });
    const reply = await sandbox.fetch(asRequest(incoming, url));
    outgoing.writeHead(reply.status, Object.fromEntries(reply.headers));
    outgoing.end(Buffer.from(await reply.arrayBuffer()));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const address = server.address();
  if (typeof address !== "object" || !address) throw new Error("the service has no port");
  const url = `http://127.0.0.1:${address.port}`;
  return {
    url,
    sandbox,
    /** The tabs that asked how tasks are, from the nth request on. @param {number} [from] */
    readers: (from = 0) => [
      ...new Set(
        seen
          .slice(from)
          .filter(isRead)
          .map(({ tab }) => tab),
      ),
    ],
    /** Two open tasks or more go by the list route; one alone has its own. @param {number} from */
    isAskedAlone: (from) => seen.slice(from).every(({ path }) => !path.endsWith("/list-by-condition")),
    /** By its own route. @param {string} id @param {number} from */
    isAsked: (id, from) => seen.slice(from).some(({ path }) => path.includes(id)),
    /** How many requests came so far. */
    count: () => seen.length,
    /** The service's time goes on by so many seconds. @param {number} seconds */
    pass: (seconds) => (time += seconds * 1000),
    close: () => new Promise((resolve) => server.close(resolve).closeAllConnections()),
  };
}

/** @param {Seen} request */
function isRead({ method, path }) {
  return method === "GET" ? path.startsWith("/mj/task/") : path.endsWith("/list-by-condition");
}

/** @param {string} path @param {import("node:http").ServerResponse} outgoing */
async function sendFile(path, outgoing) {
  const body = await readFile(join(dist, normalize(path))).catch(() => undefined);
  outgoing.writeHead(body ? 200 : 404, { "content-type": "text/javascript" }).end(body);
}

/**
 * A tab with a store in it, which follows its tasks. `tab` is its name at the service.
 * @param {import("playwright-core").BrowserContext} context
 * @param {string} url
 * @param {string} tab
 * @param {{ name?: string, intervalMs?: number, follow?: boolean }} [options]
 */
export async function openTab(context, url, tab, options = {}) {
  const page = await context.newPage();
  await page.goto(url);
  await startStore(page, tab, options);
  return page;
}

/**
 * @param {import("playwright-core").Page} page
 * @param {string} tab
 * @param {{ name?: string, intervalMs?: number, follow?: boolean }} [options]
 */
export async function startStore(page, tab, { name = "test", intervalMs = 50, follow = true } = {}) {
  await page.waitForFunction(() => /** @type {Tab} */ (globalThis).loaded);
  await page.evaluate(
    ({ tab, name, intervalMs, follow }) => {
      const scope = /** @type {Tab} */ (globalThis);
      scope.errors = [];
      scope.client = scope.createClient({ baseUrl: "/", headers: { "x-tab": tab } });
      const onError = (/** @type {import("comet-tasks").CometError} */ { code }) => scope.errors.push(code);
      scope.store = scope.createStore(scope.client, { name, poll: { intervalMs }, onError });
      scope.store.subscribe((tasks) => (scope.tasks = tasks));
      if (follow) scope.store.resume();
    },
    { tab, name, intervalMs, follow },
  );
}

/**
 * Submits in that tab and stores the handle; resolves to the task's id.
 * @param {import("playwright-core").Page} page
 * @param {string} prompt
 */
export function make(page, prompt) {
  return page.evaluate(async (prompt) => {
    const { client, store } = /** @type {Tab} */ (globalThis);
    const handle = await client.submitImagine({ prompt });
    await store.add(handle);
    return handle.id;
  }, prompt);
}

/**
 * Waits until the tab's listener was told that all of so many tasks have this status.
 * @param {import("playwright-core").Page} page
 * @param {number} count
 * @param {string} [status]
 */
export async function waitForTasks(page, count, status = "succeeded") {
  await page.waitForFunction(([count, status]) => {
    const { tasks } = /** @type {Tab} */ (globalThis);
    return tasks?.length === count && tasks.every((task) => task.status === status);
  }, /** @type {const} */ ([count, status]));
}
