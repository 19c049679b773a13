// One call with a picture of 20 MiB, in a process of its own: `node --expose-gc large.mjs <package> <call> <base URL>`.
// Prints by how much the process's memory rose at its peak, until the call to fetch and in all, in bytes, as JSON.
import { readFileSync, writeFileSync } from "node:fs";
import { platform } from "node:process";

const [, , entry = "", call = "", baseUrl = ""] = process.argv;
const SIZE = 20 * 1024 * 1024;
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

const { createClient } = await import(entry);

function bytes() {
  const made = new Uint8Array(SIZE);
  for (let at = 0; at < SIZE; at += 1) made[at] = (at * 31 + (at >> 11)) & 255;
  return made;
}
const blob = () => new Blob([bytes()], { type: "image/png" });
const uri = () => `data:image/png;base64,${Buffer.from(bytes()).toString("base64")}`;

/** What is handed over, and the call that takes it. @type {Record<string, [() => any, (client: any, picture: any) => any]>} */
const calls = {
  imagine: [bytes, (client, picture) => client.submitImagine({ prompt: "a", images: [picture] })],
  "imagine-wide": [bytes, (client, picture) => client.submitImagine({ prompt: "画", images: [picture] })],
  "imagine-blob": [blob, (client, picture) => client.submitImagine({ prompt: "a", images: [picture] })],
  "imagine-uri": [uri, (client, picture) => client.submitImagine({ prompt: "a", images: [picture] })],
  video: [bytes, (client, picture) => client.submitVideo({ image: picture })],
  veo: [blob, (client, picture) => client.submitVeo({ prompt: "a", inputReference: picture })],
  "veo-bytes": [bytes, (client, picture) => client.submitVeo({ prompt: "a", inputReference: picture })],
  // What the host alone adds for a body of that length.
  fetch: [
    () => new Uint8Array(4 * Math.ceil(SIZE / 3)),
    (_, body) => measuredFetch(`${baseUrl}/floor`, { method: "POST", body }),
  ],
};

/** The highest that this process's memory was since `resetPeak`, or ever where the host cannot forget it, in bytes. */
function peak() {
  const sinceReset =
    platform === "linux" && /VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  return Number(sinceReset || process.resourceUsage().maxRSS) * 1024;
}

function resetPeak() {
  if (platform === "linux") writeFileSync("/proc/self/clear_refs", "5");
}

let peakAtFetch = 0;
/** @param {any} input @param {RequestInit} [init] */
const measuredFetch = (input, init) => {
  peakAtFetch = peak();
  return fetch(input, init);
};

// The instance is made, and its code warm, before anything is measured.
const client = createClient({ baseUrl, fetch: measuredFetch });
await client.fetchTask("warm");
await client.submitImagine({ prompt: "a", images: [new Uint8Array(100_000)] });
const [make, send] = calls[call] ?? [bytes, () => {}];
const picture = make();
gc();
resetPeak();
const before = { rss: process.memoryUsage.rss(), wasm: wasmBytes() };
await send(client, picture);
console.log(
  JSON.stringify({
    prepared: peakAtFetch - before.rss,
    added: peak() - before.rss,
    wasm: wasmBytes() - before.wasm,
    wasmBefore: before.wasm,
  }),
);

function wasmBytes() {
  return memories.reduce((sum, memory) => sum + memory.buffer.byteLength, 0);
}
