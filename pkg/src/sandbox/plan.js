// How a task's life is planned, and how far it is at a given time.

import { logNormal } from "./random.js";

/** @typedef {import("./types.js").Plan} Plan */
/** @typedef {import("./types.js").Random} Random */
/**
 * "fresh": written, but not refreshed yet, so the row shows no status at all.
 * @typedef {"fresh" | "queued" | "running" | "over"} Phase
 */

/**
 * The gateway copies what its backend says in passes; a row moves only then. The service takes 15 s, too
 * long to watch.
 */
const REFRESH_MS = 2_000;
export const HOUR_MS = 3_600_000;
const QUEUE_MS = 4_000;
const SLOW_FACTOR = 10;
const FAIL_SHARE = 0.6;
const SHORTEST_MS = 6_000;

/** Median and sigma of the time that each kind of work takes, in service milliseconds. */
const DURATIONS = {
  image: { median: 40_000, sigma: 0.46 },
  upscale: { median: 12_000, sigma: 0.3 },
  text: { median: 10_000, sigma: 0.3 },
  clips: { median: 134_000, sigma: 0.49 },
  video: { median: 120_000, sigma: 0.67 },
};
/** @typedef {keyof typeof DURATIONS} Work */
/** @typedef {{ submittedAt: number, speed: number }} Beginning */

/**
 * @param {{ work: Work, random: Random, marks: ReadonlySet<string>, places?: number } & Beginning} task
 *   `places`: how many wait before it
 * @returns {Plan}
 */
export function createPlan({ work, random, submittedAt, speed: usualSpeed, marks, places = 0 }) {
  const speed = markedSpeed(marks) ?? usualSpeed;
  const { median, sigma } = DURATIONS[work];
  const usual =
    Math.max(logNormal(random, median, sigma), SHORTEST_MS) * (marks.has("slow") ? SLOW_FACTOR : 1);
  const waitMs = Math.min(places * 2_000, 60_000);
  const endMs = Math.round(waitMs + usual * (marks.has("fail") ? FAIL_SHARE : 1));
  const startMs = waitMs + Math.min(QUEUE_MS, usual * 0.4);
  const base = { submittedAt, speed, startMs, endMs, marks };
  if (marks.has("never"))
    return { ...base, endMs: HOUR_MS, end: "FAILURE", reason: "上游任务超时（超过1小时）" };
  if (marks.has("fail"))
    return { ...base, end: "FAILURE", reason: "Internal error: the prompt asked for a failure" };
  if (marks.has("cancel")) return { ...base, end: "CANCEL", reason: "" };
  return { ...base, end: "SUCCESS", reason: "" };
}

/** "speed-60": this task runs so many times as fast as life. @param {ReadonlySet<string>} marks */
function markedSpeed(marks) {
  const found = [...marks].map((mark) => /^speed-([1-9]\d{0,3})$/.exec(mark)?.[1]).find(Boolean);
  return found ? Number(found) : undefined;
}

/**
 * A window that nobody confirms is given up after an hour.
 * @param {Beginning} task @returns {Plan}
 */
export function createModalPlan({ submittedAt, speed }) {
  const reason = "上游任务超时（超过1小时）";
  return { submittedAt, speed, startMs: 0, endMs: HOUR_MS, end: "FAILURE", reason, marks: new Set() };
}

/**
 * @param {Plan} plan @param {number} now
 * @returns {{ phase: Phase, share: number, seenAt: number }} share of the work done, 0..1; when the row was refreshed
 */
export function readPlan(plan, now) {
  const elapsed = Math.max(0, (now - plan.submittedAt) * plan.speed);
  const seenMs = Math.floor(elapsed / REFRESH_MS) * REFRESH_MS;
  const seenAt = wallTime(plan, seenMs);
  if (seenMs === 0) return { phase: "fresh", share: 0, seenAt };
  if (seenMs >= plan.endMs) return { phase: "over", share: 1, seenAt };
  if (seenMs < plan.startMs) return { phase: "queued", share: 0, seenAt };
  return { phase: "running", share: (seenMs - plan.startMs) / (plan.endMs - plan.startMs), seenAt };
}

/**
 * The real time of a moment in the task's life.
 * @param {Plan} plan @param {number} serviceMs after the submit
 */
export function wallTime(plan, serviceMs) {
  return Math.round(plan.submittedAt + serviceMs / plan.speed);
}

/**
 * For how long after success the URLs are missing, as the prompt asked.
 * @param {Plan} plan @param {number} now
 */
export function lacksAssets(plan, now) {
  if (plan.marks.has("no-asset-ever")) return true;
  return plan.marks.has("no-asset") && now < wallTime(plan, plan.endMs + 20_000);
}
