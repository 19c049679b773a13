// The schedule in virtual time: one task at a time, as a single wait sees it.
import { askAt, backoff, every, figures, requestsAt } from "./loops.mjs";
import { bestCurve } from "./optimum.mjs";
import { ours } from "./ours.mjs";
import { fal, replicate, runway } from "./peers.mjs";
import { atMost, figure, told } from "./table.mjs";
import { KINDS, courses } from "./tasks.mjs";
import { alone, together } from "./virtual.mjs";

/**
 * @import { Section } from "./table.mjs"
 * @import { Course, Kind } from "./tasks.mjs"
 * @import { Figures } from "./loops.mjs"
 */

const TASKS = 500;
/** The guards of the rule: an optimum that may not break them either. */
const GUARDS = { leastS: 1, mostS: 30, firstS: 15 };
/** `stalenessBudget`s that span the latencies of the loops. */
const BUDGETS = [0.006, 0.012, 0.025, 0.05, 0.1, 0.15, 0.22, 0.32, 1.2, 3, 9];
const INTERVALS_S = [1, 2, 5, 10];
/** A loop of this interval or less is to need three times the requests. */
const SHORT_S = 2;

/** @returns {Promise<Section>} */
export async function schedule(count = TASKS, peers = [fal, replicate, runway]) {
  const lines = [];
  for (const kind of /** @type {Kind[]} */ (Object.keys(KINDS))) {
    const tasks = courses(kind, count);
    const none = figures(await alone(ours, kind, tasks, { regime: "none" }));
    lines.push(told(`${kind}, no progress`, text(none)));
    lines.push(...withoutProgress(kind, tasks, none));
    lines.push(...(await withProgress(kind, tasks, peers)));
  }
  return { title: `Schedule: ${count} tasks of each kind in virtual time, one at a time`, lines };
}

/** @param {Figures} figures */
const text = ({ requests, meanS, p95S }) =>
  `${figure(requests)} requests, ${figure(meanS)} s, p95 ${figure(p95S)} s`;

/** @param {Kind} kind @param {Course[]} tasks @param {Figures} none */
function withoutProgress(kind, tasks, none) {
  /** @param {typeof GUARDS} [guards] */
  const ratio = (guards) => none.requests / (requestsAt(bestCurve(kind, tasks, guards), none.meanS) ?? NaN);
  return [
    atMost(`${kind}, no progress, against the optimum within the guards`, ratio(GUARDS), 1.05, { unit: "×" }),
    told(`${kind}, no progress, against the optimum without guards`, `${figure(ratio())}×`),
  ];
}

/** @param {Kind} kind @param {Course[]} tasks @param {import("./peers.mjs").Peer[]} peers */
async function withProgress(kind, tasks, peers) {
  const own = figures(await alone(ours, kind, tasks, { regime: "coarse" }));
  const curve = [own];
  for (const stalenessBudget of BUDGETS) {
    curve.push(figures(await alone(ours, kind, tasks, { regime: "coarse" }, { stalenessBudget })));
  }
  const lines = [told(`${kind}, coarse progress`, text(own))];
  for (const [name, loop] of await loops(kind, tasks, peers)) {
    const requests = requestsAt(curve, loop.meanS);
    const isShort = loop.meanS <= (SHORT_S / 2) * 1.1;
    if (isShort && requests === undefined)
      throw new Error(`${name}: no budget of ours has a latency of ${loop.meanS}`);
    const note = `the loop: ${text(loop)}`;
    const title = `${kind}, coarse progress, against ${name} at its latency`;
    if (isShort) lines.push(atMost(title, Number(requests) / loop.requests, 1 / 3, { unit: "×", note }));
    else lines.push(told(title, `${requests ? `${figure(requests / loop.requests)}× ` : ""}(${note})`));
  }
  return lines;
}

/**
 * @param {Kind} kind
 * @param {Course[]} tasks
 * @param {import("./peers.mjs").Peer[]} peers
 * @returns {Promise<[string, Figures][]>}
 */
async function loops(kind, tasks, peers) {
  /** @type {[string, Figures][]} */
  const found = [];
  for (const peer of peers) found.push([peer.name, figures(await together(peer, kind, tasks, {}))]);
  for (const seconds of INTERVALS_S) found.push([`${seconds} s`, askAt(tasks, () => every(seconds))]);
  found.push(["backoff 1 s × 2 ≤ 30 s", askAt(tasks, backoff)]);
  return found;
}
