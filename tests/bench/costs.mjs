// CPU, start and memory: what a client costs, whatever its schedule. Each in processes of their own.
import { ours } from "./ours.mjs";
import { fal, openai } from "./peers.mjs";
import { median, probe } from "./probe.mjs";
import { atMost, figure, told } from "./table.mjs";

/** @import { Section } from "./table.mjs" */

const WAITING = 10_000;
const STARTS = 15;

/** @returns {Promise<Section>} */
export async function cpu() {
  const us = await probe("cpu-probe.mjs");
  const own = us[ours.name];
  const against = (/** @type {string} */ name, /** @type {number} */ most) =>
    atMost(`a reading, against ${name}`, own / us[name], most, {
      unit: "×",
      note: `${figure(own)} µs, ${figure(us[name])} µs`,
    });
  return {
    title: "CPU per reading (stub transport, interleaved medians)",
    lines: [
      against(fal.name, 0.6),
      against(openai.name, 0.35),
      against("fetch + JSON.parse", 2),
      told(
        "fetch + JSON.parse, against @fal-ai/client",
        `${figure(us["fetch + JSON.parse"] / us[fal.name])}×`,
      ),
      told("fetch + JSON.parse, against openai", `${figure(us["fetch + JSON.parse"] / us[openai.name])}×`),
      atMost("a task in a batch of 100, against a single one", us.batch / us.single, 1 / 20, {
        unit: "×",
        note: `${figure(us.batch)} µs, ${figure(us.single)} µs`,
      }),
    ],
  };
}

/** @returns {Promise<Section>} */
export async function ready() {
  /** @type {Record<string, number[]>} */
  const ms = { [ours.name]: [], [fal.name]: [], [openai.name]: [] };
  for (let round = 0; round < STARTS; round += 1) {
    for (const name of Object.keys(ms)) ms[name].push(await probe("ready-probe.mjs", name));
  }
  const own = median(ms[ours.name]);
  const against = (/** @type {string} */ name) =>
    atMost(`against ${name}`, own / median(ms[name]), 0.7, {
      unit: "×",
      note: `${figure(own)} ms, ${figure(median(ms[name]))} ms`,
    });
  return {
    title: "Ready: import to the end of the first call (fresh processes, interleaved medians)",
    lines: [against(fal.name), against(openai.name)],
  };
}

/** @returns {Promise<Section>} */
export async function memory() {
  const total = (/** @type {{ heap: number, external: number }} */ held) => held.heap + held.external;
  const own = await probe("memory-probe.mjs", ours.name, String(WAITING));
  const other = total(await probe("memory-probe.mjs", fal.name, String(WAITING)));
  const bare = total(await probe("memory-probe.mjs", "a promise", String(WAITING)));
  const note = `${figure(total(own))} B, ${figure(other)} B`;
  return {
    title: `Memory per waiting task (${WAITING} waiting, forced collection, linear memory included)`,
    lines: [
      atMost(`against ${fal.name}`, total(own) / other, 0.5, { unit: "×", note }),
      told("of which linear memory", `${figure(own.wasm)} B`),
      told("a promise that is waited for, and nothing else", `${figure(bare / other)}× (${figure(bare)} B)`),
    ],
  };
}
