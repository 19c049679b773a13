// The best that anybody could do who knows how durations are distributed and sees no progress: dynamic programming over the
// age of an unfinished task.
import { askAt } from "./loops.mjs";
import { KINDS } from "./tasks.mjs";

/** Seconds. */
const STEP = 0.25;
/** What is left of the distribution after the last age looked at. */
const TAIL = 1e-7;

/**
 * @param {import("./tasks.mjs").Kind} kind
 * @param {number} costS what a request costs, in seconds of latency
 * @param {{ leastS: number, mostS: number, firstS: number }} [guards] on the gaps, and on the first request
 * @returns {number[]} the ages at which it asks
 */
export function bestAges(
  kind,
  costS,
  { leastS, mostS, firstS } = { leastS: 0, mostS: Infinity, firstS: Infinity },
) {
  const { median, sigma } = KINDS[kind];
  const count = Math.ceil((median * Math.exp(sigma * 5.2)) / STEP);
  // Survival at each age, and its sum: what an end between two ages costs in waiting is a difference of those.
  const survival = Array.from({ length: count + 1 }, (_, at) =>
    upper(Math.log((at * STEP) / median) / sigma),
  );
  const sums = new Float64Array(count + 2);
  survival.forEach((value, at) => (sums[at + 1] = sums[at] + value));
  const [least, most] = [Math.max(1, Math.round(leastS / STEP)), Math.min(count, mostS / STEP)];
  const cost = new Float64Array(count + 1);
  const next = new Int32Array(count + 1);
  cost[count] = costS;
  for (let from = count - 1; from >= 0; from -= 1) {
    let [best, bestTo] = [Infinity, count];
    const last = Math.min(count, from + (from === 0 ? Math.min(most, firstS / STEP) : most));
    for (let to = Math.min(last, from + least); to <= last; to += 1) {
      // The integral of P(from < T < x) over x, by trapezes, and the way on for those that still run.
      const area = STEP * (sums[to + 1] - sums[from] - (survival[from] + survival[to]) / 2);
      const wasted = (to - from) * STEP * survival[from] - area;
      const all = costS * survival[from] + wasted + cost[to];
      if (all < best) [best, bestTo] = [all, to];
      if (wasted > best) break;
    }
    [cost[from], next[from]] = [best, bestTo];
  }
  const ages = [];
  for (let at = next[0]; at < count; at = next[at]) ages.push(at * STEP);
  return ages;
}

/**
 * What it comes to on these tasks, for many costs of a request.
 * @param {import("./tasks.mjs").Kind} kind
 * @param {import("./tasks.mjs").Course[]} courses
 * @param {Parameters<typeof bestAges>[2]} [guards]
 */
export function bestCurve(kind, courses, guards) {
  const costs = Array.from({ length: 25 }, (_, at) => 0.2 * 1.25 ** at);
  return costs.map((cost) => {
    const ages = bestAges(kind, cost, guards);
    return askAt(courses, () => endless(ages));
  });
}

/** These ages, and from the last on every thirty seconds. @param {number[]} ages */
function* endless(ages) {
  yield* ages;
  for (let age = ages[ages.length - 1] + 30; ; age += 30) yield age;
}

/** 1 − Φ(z), by Abramowitz and Stegun 7.1.26. @param {number} z */
function upper(z) {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  const series =
    t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  const tail = 0.5 * series * Math.exp(-x * x);
  return z > 0 ? tail : 1 - tail;
}
