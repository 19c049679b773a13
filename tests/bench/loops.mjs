// Rules without a client: what a loop of a fixed interval, exponential backoff, or any list of times costs.
import { endMs } from "./tasks.mjs";

/**
 * @import { Course } from "./tasks.mjs"
 * @typedef {{ requests: number, meanS: number, p95S: number }} Figures requests per task, and how late its end is noticed
 */

/** @param {{ requests: number, lateS: number[] }} outcome @returns {Figures} */
export function figures({ requests, lateS }) {
  const sorted = [...lateS].sort((a, b) => a - b);
  const sum = sorted.reduce((all, late) => all + late, 0);
  return {
    requests: requests / sorted.length,
    meanS: sum / sorted.length,
    p95S: sorted[Math.floor(sorted.length * 0.95)],
  };
}

/**
 * Asks at these ages, in seconds, until the task has ended.
 * @param {Course[]} courses
 * @param {() => Iterable<number>} ages
 * @param {(course: Course) => number} [end] the age in milliseconds at which anybody can know
 */
export function askAt(courses, ages, end = endMs) {
  let requests = 0;
  const lateS = courses.map((course) => {
    const endS = end(course) / 1000;
    for (const age of ages()) {
      requests += 1;
      if (age >= endS) return age - endS;
    }
    throw new Error("the times have an end, and the task was not asked for after its own");
  });
  return figures({ requests, lateS });
}

/** @param {number} intervalS */
export function* every(intervalS) {
  for (let age = intervalS; ; age += intervalS) yield age;
}

/** 1 s · 2^n, at most 30 s. */
export function* backoff() {
  for (let age = 1, gap = 2; ; age += gap, gap = Math.min(30, gap * 2)) yield age;
}

/**
 * The fixed interval with this mean latency, on the same tasks.
 * @param {Course[]} courses
 * @param {number} meanS
 * @param {(course: Course) => number} [end]
 */
export function fixedLike(courses, meanS, end) {
  let [low, high] = [0.01, 120];
  while (high - low > 1e-3 * low) {
    const middle = Math.sqrt(low * high);
    if (askAt(courses, () => every(middle), end).meanS < meanS) low = middle;
    else high = middle;
  }
  // Around there the latency jumps with the interval: the mean of a few takes that out.
  const near = Array.from({ length: 41 }, (_, at) =>
    askAt(courses, () => every(high * (0.98 + at / 1000)), end),
  );
  return { intervalS: high, requests: near.reduce((sum, { requests }) => sum + requests, 0) / near.length };
}

/**
 * Requests at a mean latency, from figures at others: a straight line between the logarithms.
 * @param {Figures[]} curve
 * @param {number} meanS
 */
export function requestsAt(curve, meanS) {
  const sorted = [...curve].sort((a, b) => a.meanS - b.meanS);
  const at = sorted.findIndex((figures) => figures.meanS >= meanS);
  if (at < 0 || (at === 0 && sorted[0].meanS > meanS)) return undefined;
  if (at === 0) return sorted[0].requests;
  const [before, after] = [sorted[at - 1], sorted[at]];
  const share = Math.log(meanS / before.meanS) / Math.log(after.meanS / before.meanS);
  return before.requests * (after.requests / before.requests) ** share;
}
