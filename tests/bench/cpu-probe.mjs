// CPU time of one reading, of each client in turn, in one process. Prints microseconds per reading by client, as JSON.
//
// Nothing is collected by force in between: that throws away what the compilers have made, and triples the time of all.
import { BASE_URL, ours, handleOf } from "./ours.mjs";
import { fal, openai } from "./peers.mjs";
import { noOp } from "./no-op.mjs";
import { median } from "./probe.mjs";

const ROUNDS = 60;
const READINGS = 200;
const BATCH = 100;
/** The first rounds are for the compilers. */
const WARM_UP = 15;

let requests = 0;
/** @param {import("./peers.mjs").Peer} peer */
function stub(peer) {
  const headers = { "content-type": "application/json" };
  /** @type {Map<string, string>} */
  const bodies = new Map();
  return async (/** @type {any} */ input, /** @type {any} */ init = {}) => {
    requests += 1;
    const url = String(input);
    const key = init.body ?? url;
    let body = bodies.get(key);
    if (body === undefined) {
      const ids = peer.asked(url, init) ?? [];
      body = JSON.stringify(
        peer.body(
          ids.map((id) => ({ id, done: false, progress: 35 })),
          url,
        ),
      );
      bodies.set(key, body);
    }
    return new Response(body, { headers });
  };
}

const task = { id: "video_1773314900010000", handle: handleOf("veo", "video_1773314900010000", Date.now()) };
const picture = { handle: handleOf("imagine", "1773314900010000", Date.now()) };
const pictures = Array.from({ length: BATCH }, (_, at) => ({
  handle: handleOf("imagine", `17733149000${10_000 + at}`, Date.now()),
}));

/** What every client must at least do. */
async function byHand() {
  const fetch = stub(ours);
  const headers = { authorization: "Bearer a-key-of-the-bench" };
  return {
    read: async (/** @type {{ id: string }} */ { id }) => {
      const response = await fetch(`${BASE_URL}/v1/videos/${id}`, { headers });
      if (!response.ok) throw new Error(`HTTP ${response.status}`);
      return JSON.parse(await response.text());
    },
  };
}

/** @param {import("./peers.mjs").Peer} peer */
async function reader(peer) {
  const { read } = await peer.client(stub(peer));
  return () => /** @type {NonNullable<typeof read>} */ (read)(task);
}

/** @type {Record<string, () => Promise<any>>} */
let candidates = {};
if (process.argv[2] === noOp.name) {
  candidates = { [noOp.name]: await reader(noOp) };
} else {
  const { read, readMany } = /** @type {any} */ (await ours.client(stub(ours)));
  const hand = await byHand();
  candidates = {
    "comet-tasks": () => read(task),
    "@fal-ai/client": await reader(fal),
    openai: await reader(openai),
    "fetch + JSON.parse": () => hand.read(task),
    single: () => read(picture),
    batch: () => readMany(pictures),
  };
}

/** @type {Record<string, number[]>} */
const taken = Object.fromEntries(Object.keys(candidates).map((name) => [name, []]));
for (let round = 0; round < WARM_UP + ROUNDS; round += 1) {
  for (const [name, read] of Object.entries(candidates)) {
    const perReading = await measure(name, read, name === "batch" ? READINGS / 20 : READINGS);
    if (round >= WARM_UP) taken[name].push(name === "batch" ? perReading / BATCH : perReading);
  }
}
console.log(
  JSON.stringify(Object.fromEntries(Object.entries(taken).map(([name, all]) => [name, median(all)]))),
);
process.exit(0);

/** @param {string} name @param {() => Promise<any>} read @param {number} count */
async function measure(name, read, count) {
  const before = { requests, cpu: process.cpuUsage() };
  for (let at = 0; at < count; at += 1) await read();
  const { user, system } = process.cpuUsage(before.cpu);
  if (requests - before.requests !== count)
    throw new Error(`${name}: ${count} readings without as many requests`);
  return (user + system) / count;
}
