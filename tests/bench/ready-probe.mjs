// From import to the end of the first call, in a fresh process: `node ready-probe.mjs <client>`. Prints milliseconds.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const name = process.argv[2] ?? "";

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

/** As a module beside it would import it: `require` finds another form of some. @returns {Promise<(name: string) => Promise<any>>} */
async function importer() {
  const folder = process.env.COMET_TASKS_INSTALLED;
  if (name !== "comet-tasks" || !folder) return (name) => import(name);
  const file = join(folder, "import.mjs");
  await writeFile(file, "export default (name) => import(name);\n");
  return (await import(pathToFileURL(file).href)).default;
}

const entry = name === "no-op" ? "data:text/javascript," : name;
const load = await importer();
const start = performance.now();
await firstCalls[name](await load(entry));
const ms = performance.now() - start;
if (requests !== 1) throw new Error(`${name}: ${requests} requests for its first call`);
console.log(ms);
process.exit(0);
