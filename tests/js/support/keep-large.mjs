// Keeps one large video in a process of its own, and prints what that added to its memory.
import { readFileSync, writeFileSync } from "node:fs";
import { argv, platform } from "node:process";

const [entry, sinkName, origin, storage] = argv.slice(2);
const { createClient } = await import(entry);
const handle = { v: 1, family: "videos", kind: "veo", id: "task_1", submittedAt: 0 };
const task = (/** @type {string} */ size) => ({
  ...{ handle, status: "succeeded", images: [], videos: [`${origin}/${size}`], content: false },
});

/** Takes its time with every piece. */
const slow = {
  async write(/** @type {any} */ _, /** @type {Response} */ response) {
    for await (const _piece of /** @type {any} */ (response.body))
      await new Promise((resolve) => setImmediate(resolve));
  },
};
const sink = sinkName === "put" ? `${storage}/put` : slow;
const client = createClient({ baseUrl: origin });
const options = { allowHost: () => true, sha256: sinkName === "sha256" };
await client.persist(task("small"), sink, options); // the code is warm
globalThis.gc?.();
if (platform === "linux") writeFileSync("/proc/self/clear_refs", "5");
const before = process.memoryUsage.rss();
const [kept] = await client.persist(task("large"), sink, options);
console.log(JSON.stringify({ added: peak() - before, ...kept }));

/** The highest that this process's memory was since the last reset, or ever where the host cannot forget it, in bytes. */
function peak() {
  const sinceReset =
    platform === "linux" && /VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  return Number(sinceReset || process.resourceUsage().maxRSS) * 1024;
}
