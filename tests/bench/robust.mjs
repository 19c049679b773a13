// The rule where what it goes by is wrong: each case beside the fixed interval that has the same mean latency on the same
// tasks. Nothing is learned here: the worst of it is measured, not how soon it is over.
import { figures, fixedLike } from "./loops.mjs";
import { ours } from "./ours.mjs";
import { atMost, figure } from "./table.mjs";
import { KINDS, courses } from "./tasks.mjs";
import { Service, alone } from "./virtual.mjs";

/**
 * @import { Section } from "./table.mjs"
 * @import { Kind, Regime } from "./tasks.mjs"
 * @import { World } from "./virtual.mjs"
 * @typedef {{ name: string, tasks?: Parameters<typeof courses>[2], world?: World, kinds?: Kind[], as?: "action" }} Case
 *   `as`: the kind that the client is told
 */

const TASKS = 500;
const REFRESH_MS = 15_000;

/** @type {Case[]} */
const CASES = [
  { name: "belief right" },
  { name: "belief cold (a kind that nothing is known of)", kinds: ["imagine", "video"], as: "action" },
  { name: "tasks take 1.8 times as long as is believed", tasks: { stretch: 1.8 } },
  { name: "tasks take 0.55 times as long as is believed", tasks: { stretch: 0.55 } },
  { name: "5 % fail early", tasks: { failing: 0.05 } },
  { name: "a gateway that refreshes every 15 s", world: { refreshMs: REFRESH_MS } },
];
/** @type {Case[]} */
const REGIMES = [
  { name: "progress of 7 tasks in 10", world: { regime: "mixed" } },
  { name: "progress that races to 93 and stalls", world: { regime: "lying" } },
];

/** @returns {Promise<Section>} */
export async function robust(count = TASKS) {
  const lines = [];
  for (const one of CASES) {
    lines.push(await line(count, one, "none"), await line(count, one, "coarse"));
  }
  for (const one of REGIMES) lines.push(await line(count, one));
  return { title: "Robustness: requests against a fixed interval of the same mean latency", lines };
}

/** The worst of the kinds counts. @param {number} count @param {Case} one @param {Regime} [regime] */
async function line(count, { name, tasks, world, kinds, as }, regime) {
  const ratios = [];
  for (const kind of kinds ?? /** @type {Kind[]} */ (Object.keys(KINDS))) {
    const all = courses(kind, count, tasks);
    const shown = { ...world, ...(regime ? { regime } : {}) };
    const own = figures(await alone(ours, as ?? kind, all, shown));
    const service = new Service(ours, shown);
    const fixed = fixedLike(all, own.meanS, (course) => service.endsAfter(course));
    ratios.push({ kind, ratio: own.requests / fixed.requests });
  }
  const note = ratios.map(({ kind, ratio }) => `${kind} ${figure(ratio)}`).join(", ");
  const worst = Math.max(...ratios.map(({ ratio }) => ratio));
  const title = regime ? `${name}, ${regime === "none" ? "no" : regime} progress` : name;
  return atMost(title, worst, 1.05, { unit: "×", note });
}
