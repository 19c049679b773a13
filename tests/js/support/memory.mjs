// What waits hold on to, in a process of its own: `node --expose-gc memory.mjs <package> <waits>`. Prints as JSON, in bytes
// for each wait, what is held before the first request and after each task was read once, and the timers that run then.
import FakeTimers from "@sinonjs/fake-timers";
import { turn } from "./clock.mjs";
import { BASE_URL, json } from "./replies.mjs";

const [, , entry = "", count = ""] = process.argv;
const waits = Number(count);
const gc = /** @type {() => void} */ (globalThis.gc);
const { createClient, init } = await import(entry);
await init();
const clock = FakeTimers.install({
  now: 1_750_000_000_000,
  toFake: ["setTimeout", "clearTimeout", "Date", "performance"],
});

let read = 0;
/** @param {unknown} _ @param {RequestInit} request */
const fetch = async (_, request) => {
  const { ids } = JSON.parse(String(request.body));
  read += ids.length;
  const row = (/** @type {string} */ id) => ({ id, action: "VIDEO", status: "IN_PROGRESS", progress: "35%" });
  return json(ids.map(row));
};

/** @param {number} turns */
async function settle(turns) {
  for (let turned = 0; turned < turns; turned += 1) await turn();
}

/** The heap, and the wasm's linear memory. */
function held() {
  for (let collected = 0; collected < 4; collected += 1) gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const submittedAt = Date.now();
const handles = Array.from({ length: waits + 1 }, (_, at) => ({
  ...{ v: 1, family: "midjourney", kind: "video", id: String(1_712_345_678_900_000 + at), submittedAt },
}));
const promises = new Array(waits);
const client = createClient({ baseUrl: BASE_URL, fetch });
client.poll(handles[waits]).catch(() => {});
await settle(20);
const before = held();
for (let at = 0; at < waits; at += 1) promises[at] = client.poll(handles[at]);
await settle(5);
const entered = held();
while (read < waits) {
  clock.tick(2_000);
  await settle(20);
}
await settle(20);
const afterReading = held();
const each = (/** @type {number} */ now) => Math.round((now - before) / waits);
const timers = clock.countTimers();
console.log(JSON.stringify({ entered: each(entered), read: each(afterReading), timers }));
client.close();
await Promise.allSettled(promises);
