// From import to the end of the first call, in a fresh process: `node ready-probe.mjs <client>`. Prints milliseconds.
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const name = process.argv[2] ?? "";
const here = fileURLToPath(new URL(".", import.meta.url));
const folder = name === "comet-tasks" ? (process.env.COMET_TASKS_INSTALLED ?? "") : here;

let requests = 0;
const fetch = async () => {
  requests += 1;
  const body = { id: "video_1", object: "video", status: "in_progress", request_id: "video_1" };
  return new Response(JSON.stringify(body), { headers: { "content-type": "application/json" } });
};
// Node loads its own fetch classes with their first use, whoever makes it.
await (await fetch()).text();
requests = 0;

const handle = { v: 1, family: "videos", kind: "veo", id: "video_1", submittedAt: Date.now() };
/** @type {Record<string, (module: any) => Promise<any>>} */
const firstCalls = {
  "comet-tasks": ({ createClient }) => createClient({ apiKey: "key", fetch }).fetchTask(handle),
  "@fal-ai/client": ({ createFalClient }) =>
    createFalClient({ credentials: "key", fetch }).queue.status("fal-ai/any", { requestId: "video_1" }),
  openai: ({ default: OpenAI }) => new OpenAI({ apiKey: "key", fetch }).videos.retrieve("video_1"),
  "no-op": async () => ({}),
};

const entry =
  name === "no-op"
    ? "data:text/javascript,"
    : pathToFileURL(createRequire(join(folder, "probe.js")).resolve(name)).href;
const start = performance.now();
await firstCalls[name](await import(entry));
const ms = performance.now() - start;
if (requests !== 1) throw new Error(`${name}: ${requests} requests for its first call`);
console.log(ms);
process.exit(0);
