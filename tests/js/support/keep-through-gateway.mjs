// A page's client in a process of its own: makes two videos through the gateway, keeps both in a slow sink, and prints what the
// second, large one added to this process's memory. `node --expose-gc keep-through-gateway.mjs <package> <gateway>`
import { argv } from "node:process";
import { peakOf, resetPeak } from "./peak.mjs";

const [, , entry = "", origin = ""] = argv;
const { createClient } = await import(entry);
const headers = { authorization: "Bearer page-alice", origin };
const client = createClient({ baseUrl: `${origin}/api/comet`, headers });
// The sandbox gives videos of this model no URL: the bytes come through the gateway's content route.
const call = { kind: "veo", params: { prompt: "a kite", model: "sora-2" } };

/** Takes its time with every piece, and keeps none. */
const slow = {
  async write(/** @type {any} */ _, /** @type {Response} */ response) {
    for await (const _piece of /** @type {any} */ (response.body))
      await new Promise((resolve) => setImmediate(resolve));
  },
};

/** @param {object} [options] */
async function keep(options) {
  const task = await client.run(call, { intervalMs: 20 });
  return { content: task.content, kept: (await client.persist(task, slow, options))[0] };
}

await keep(); // the code is warm
globalThis.gc?.();
process.send?.("warm");
await new Promise((resolve) => process.once("message", resolve));
resetPeak();
const before = process.memoryUsage.rss();
const { content, kept } = await keep({ sha256: true });
process.send?.({ content, added: peakOf() - before, ...kept });
process.disconnect?.();
