// Seeded tasks: how long each takes and what it shows of its progress. The model that the schedule's rule was found with.

/**
 * `none` reports no progress; `coarse` the last step passed; `mixed` is coarse but for 30 % of the tasks, which report none;
 * `lying` races to the last step in a third of its time and stays there.
 * @typedef {"none" | "coarse" | "mixed" | "lying"} Regime
 * @typedef {"imagine" | "video" | "veo"} Kind
 * @typedef {{ durationMs: number, bend: number, isMute: boolean, failsAtMs: number, phase: number }} Course
 *   `phase`: where in the service's own rhythm it was submitted, 0 to 1
 */

/** Median in seconds and the deviation of ln T: the beliefs that the package ships with. */
export const KINDS = {
  imagine: { median: 40, sigma: 0.46 },
  video: { median: 134, sigma: 0.49 },
  veo: { median: 120, sigma: 0.67 },
};

const STEPS = [93, 71, 46, 35, 18, 5];
const MUTE_SHARE = 0.3;
const LIE_SHARE = 1 / 3;
/** Early failures come in these seconds after the submit. */
const FAILURE_S = [2, 10];

/** mulberry32: the same numbers in every run. @param {number} seed */
export function random(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** @param {() => number} uniform */
function normal(uniform) {
  return Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

/**
 * @param {Kind} kind
 * @param {number} count
 * @param {{ seed?: number, stretch?: number, failing?: number }} [options] `stretch`: times as long as is believed;
 *   `failing`: the share of tasks that fail early
 * @returns {Course[]}
 */
export function courses(kind, count, { seed = 1, stretch = 1, failing = 0 } = {}) {
  const uniform = random(seed);
  const { median, sigma } = KINDS[kind];
  return Array.from({ length: count }, () => {
    const durationMs = Math.round(1000 * stretch * median * Math.exp(sigma * normal(uniform)));
    const bend = Math.exp(0.15 * normal(uniform));
    const isMute = uniform() < MUTE_SHARE;
    const [from, to] = FAILURE_S;
    const fails = uniform() < failing;
    const failsAtMs = Math.round(1000 * (from + (to - from) * uniform()));
    return { durationMs, bend, isMute, failsAtMs: fails ? failsAtMs : Infinity, phase: uniform() };
  });
}

/** When a task ends, well or not, after its submit. @param {Course} course */
export const endMs = ({ durationMs, failsAtMs }) => Math.min(durationMs, failsAtMs);

/**
 * What an unfinished task shows at this age, in percent.
 * @param {Course} course
 * @param {Regime} regime
 * @param {number} ageMs
 */
export function progress({ durationMs, bend, isMute }, regime, ageMs) {
  if (regime === "none" || (regime === "mixed" && isMute)) return null;
  const pace = regime === "lying" ? LIE_SHARE : 1;
  const share = Math.min(1, ageMs / (durationMs * pace)) ** bend * 100;
  return STEPS.find((step) => step <= share) ?? 0;
}
