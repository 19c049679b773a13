// What the wasm takes for waits that each need requests of their own: `node linear-memory.mjs <package> <waits>`. Prints as JSON
// the bytes of its linear memory when each task was read once and when all have ended, and the requests until then.
import FakeTimers from "@sinonjs/fake-timers";
import { turn } from "./clock.mjs";
import { seeMemories } from "./memories.mjs";
import { BASE_URL, json } from "./replies.mjs";

const [, , entry = "", count = ""] = process.argv;
const waits = Number(count);
const memories = seeMemories();
const { createClient, init } = await import(entry);
await init();
const clock = FakeTimers.install({
  now: 1_750_000_000_000,
  toFake: ["setTimeout", "clearTimeout", "Date", "performance"],
});
const start = Date.now();
const ends = (/** @type {number} */ task) => 300_000 + ((task * 7_919) % 200) * 1_000;

let requests = 0;
/** One reading, of a size that differs from the last. @param {string} url */
const fetch = async (url) => {
  requests += 1;
  const id = url.slice(url.lastIndexOf("/") + 1);
  const age = Date.now() - start;
  const isDone = age > ends(Number(id.slice(5)));
  const padding = "x".repeat((requests * 7_919) % 3_000);
  const progress = isDone ? 100 : Math.floor(age / 10_000);
  return json({
    id,
    object: "video",
    status: isDone ? "completed" : "in_progress",
    progress,
    model: "veo3",
    padding,
  });
};

const client = createClient({ baseUrl: BASE_URL, fetch });
let ended = 0;
for (let task = 0; task < waits; task += 1) {
  const handle = { v: 1, family: "videos", kind: "video", id: `task_${task}`, submittedAt: start };
  client.poll(handle).then((/** @type {any} */ { status }) => (ended += Number(status === "succeeded")));
}
const bytes = () => memories[0]?.deref()?.buffer.byteLength ?? 0;
let read = 0;
while (ended < waits) {
  await turn();
  await turn();
  read ||= requests >= waits ? bytes() : 0;
  if (clock.countTimers() === 0 && ended < waits)
    throw new Error(`nobody waits for anything, and ${ended} of ${waits} have ended`);
  if (ended < waits) clock.next();
}
console.log(JSON.stringify({ read, ended: bytes(), requests }));
client.close();
