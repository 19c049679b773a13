// A Worker whose one client lives at module scope, where it is made before there is any request.
import { createClient, parseWebhook } from "comet-tasks";

const options = { baseUrl: "https://service.example", apiKey: "sk-0123456789" };
const client = createClient(options);

export default {
  /** @param {Request} request */
  async fetch(request) {
    const { pathname, searchParams } = new URL(request.url);
    const prompt = searchParams.get("prompt") ?? "";
    try {
      return Response.json(await answer(pathname, prompt, request));
    } catch (error) {
      return Response.json({ thrown: error instanceof Error ? error.name : error }, { status: 500 });
    }
  },
};

/** @param {string} pathname @param {string} prompt @param {Request} request */
async function answer(pathname, prompt, request) {
  const call = /** @type {const} */ ({ kind: "imagine", params: { prompt } });
  if (pathname === "/run") return client.run(call, { intervalMs: 5 });
  if (pathname === "/submit") return client.submitImagine({ prompt });
  if (pathname === "/poll") return client.poll(prompt, { intervalMs: 5 });
  if (pathname === "/clock") return whileFrozen((frozen) => readings(frozen, prompt));
  if (pathname === "/steps") return whileFrozen((frozen) => steps(frozen, prompt));
  if (pathname === "/panic") return panic(prompt);
  if (pathname === "/webhook") return parseWebhook(await request.text());
  const controller = new AbortController();
  // Ends its own call at the first reading, in the middle of the wait.
  const onUpdate = () => controller.abort("enough");
  return client.run(call, { intervalMs: 5, signal: controller.signal, onUpdate });
}

/**
 * The clock of production, which this workerd does not have: it moves when a reply comes or a timer fires, and stands still
 * while the Worker computes.
 * @template T
 * @param {(client: import("comet-tasks").Client) => Promise<T>} work
 */
async function whileFrozen(work) {
  const { now } = Date;
  const { setTimeout } = globalThis;
  let time = now();
  Date.now = () => time;
  /** @template V @param {V} value */
  const moved = (value) => ((time = now()), value);
  const timer = (/** @type {() => void} */ callback, /** @type {number} */ ms) =>
    setTimeout(() => moved(callback)(), ms);
  globalThis.setTimeout = /** @type {any} */ (timer);
  try {
    return await work(createClient({ ...options, fetch: (...request) => fetch(...request).then(moved) }));
  } finally {
    Object.assign(Date, { now });
    globalThis.setTimeout = setTimeout;
  }
}

/** What a wait reads, with much to compute after each reading. @param {any} frozen @param {string} id */
async function readings(frozen, id) {
  /** @type {number[]} */
  const progress = [];
  const onUpdate = (/** @type {any} */ reading) => progress.push(compute() && reading.progress);
  const { status } = await frozen.poll(id, { intervalMs: 20, onUpdate });
  return { status, progress };
}

/** A wait that the Worker drives itself, and each time asks once more before the time has come. @param {any} frozen @param {string} id */
async function steps(frozen, id) {
  /** @type {any} */
  let state = null;
  let early = 0;
  for (let step = 1; step < 100; step += 1) {
    const first = await frozen.pollOnce(id, state, { intervalMs: 20 });
    if (first.done) return { status: first.task.status, early };
    compute();
    const second = await frozen.pollOnce(id, JSON.parse(JSON.stringify(first.state)), { intervalMs: 20 });
    if (second.task) early += 1;
    state = JSON.parse(JSON.stringify(second.state));
    await new Promise((resolve) => setTimeout(resolve, second.waitMs));
  }
}

/** Longer than any of the intervals here, by the true clock. */
function compute() {
  let turns = 1;
  for (const end = performance.now() + 30; performance.now() < end && turns < 1e7;) turns += 1;
  return turns;
}

/** The wasm breaks down when a wait is left: what became of another wait, and of the call after it. @param {string} id */
async function panic(id) {
  const controller = new AbortController();
  const code = (/** @type {any} */ error) => error.code ?? error;
  const open = client.poll(`${id}-open`, { intervalMs: 60_000 }).catch(code);
  const left = client.poll(`${id}-left`, { intervalMs: 60_000, signal: controller.signal }).catch(code);
  await new Promise((resolve) => setTimeout(resolve, 20));
  controller.abort("enough");
  const ended = await Promise.all([open, left]);
  const { status } = await client.fetchTask(`${id}-next`);
  return { ended, status };
}
