// What N waiting tasks hold, in a process of their own: `node --expose-gc memory-probe.mjs <client> <N>`. Prints bytes, as JSON.
// The client "a promise" asks nobody, and shows what the rest hold beyond that.
//
// Each wait has had one reading and sleeps. Nobody is woken: every timer is real, and set far away.
import { ours, handleOf } from "./ours.mjs";
import { fal } from "./peers.mjs";
import { noOp } from "./no-op.mjs";

const [name = "", count = "", kind = "video"] = process.argv.slice(2);
const peer = [ours, fal, noOp].find((peer) => peer.name === name) ?? ours;
const N = Number(count);
const gc = /** @type {() => void} */ (globalThis.gc);

/** @type {WebAssembly.Memory[]} */
const memories = [];
const { Instance } = WebAssembly;
WebAssembly.Instance = /** @type {any} */ (
  /** @param {WebAssembly.Module} module @param {WebAssembly.Imports} imports */
  function (module, imports) {
    const instance = new Instance(module, imports);
    memories.push(...Object.values(instance.exports).filter((value) => value instanceof WebAssembly.Memory));
    return instance;
  }
);

const sleep = setTimeout;
const FAR_MS = 2 ** 30;
globalThis.setTimeout = /** @type {any} */ (
  (/** @type {() => void} */ work, /** @type {number} */ ms, /** @type {any[]} */ ...args) =>
    sleep(work, FAR_MS + ms, ...args)
);
const settle = () => new Promise((resolve) => sleep(resolve, 50));

const answered = new Set();
const client = await peer.client(async (url, init) => {
  const ids = peer.asked(String(url), init ?? {}) ?? [];
  ids.forEach((id) => answered.add(id));
  const states = ids.map((id) => ({ id, done: false, progress: 35 }));
  return new Response(JSON.stringify(peer.body(states, String(url))), {
    headers: { "content-type": "application/json" },
  });
});

/** Old enough to be asked for at once. @param {number} at */
function task(at) {
  const id = `${kind === "veo" ? "video_" : ""}17733149${String(at).padStart(8, "0")}`;
  return { id, handle: handleOf(/** @type {any} */ (kind), id, Date.now() - 60_000) };
}

/** What no wait can do without: a promise, what settles it, and what this program hangs on it. @type {unknown[]} */
const settlers = [];
const promise = () => new Promise((...settle) => settlers.push(settle[0]));

/** @param {{ id: string }[]} tasks */
async function start(tasks) {
  let settled = 0;
  if (name === "a promise") return tasks.map(() => promise().finally(() => (settled += 1)));
  const waits = tasks.map((task) => client.wait(task).finally(() => (settled += 1)));
  while (!tasks.every(({ id }) => answered.has(id))) {
    const before = answered.size;
    for (let left = 40; left > 0 && answered.size === before; left -= 1) await settle();
    if (answered.size === before)
      throw new Error(`${peer.name}: ${answered.size} tasks were asked for, no more`);
  }
  await settle();
  if (settled > 0) throw new Error(`${peer.name}: ${settled} waits ended, and no task had`);
  return waits;
}

async function held() {
  for (let round = 0; round < 5; round += 1) {
    gc();
    await settle();
  }
  const { heapUsed, external } = process.memoryUsage();
  const wasm = memories.reduce((sum, memory) => sum + memory.buffer.byteLength, 0);
  return { heap: heapUsed, external, wasm };
}

// What the caller holds is there before: the tasks, and a place for each promise. The names asked for are the bench's own.
const tasks = Array.from({ length: N }, (_, at) => task(at));
const kept = [await start([task(N)])];
tasks.forEach(({ id }) => answered.add(id));
const before = await held();
tasks.forEach(({ id }) => answered.delete(id));
kept.push(await start(tasks));
const after = await held();
console.log(
  JSON.stringify({
    heap: (after.heap - before.heap) / N,
    external: (after.external - before.external) / N,
    wasm: (after.wasm - before.wasm) / N,
    kept: kept.length,
  }),
);
process.exit(0);
