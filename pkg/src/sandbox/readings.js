// Midjourney tasks as the gateway shows them.

import { buttonsOf } from "./buttons.js";
import { signedLink } from "./links.js";
import { lacksAssets, readPlan, wallTime } from "./plan.js";

/** @typedef {import("./types.js").Service} Service */
/** @typedef {import("./types.js").Call} Call */
/** @typedef {import("./types.js").MidjourneyTask} MidjourneyTask */

const STEPS = [5, 18, 35, 46, 71, 93];
/** What "sandbox:lying-progress" shows one after the other: full too early, words, and backwards. */
const LIES = ["93%", "Waiting to start", "18%", "100%", "46%"];

/**
 * The single reading: the oldest row answers for the id, which after a confirmed window is the stale one.
 * @param {Service} service @param {Call} call @param {string} id @returns {object | null}
 */
export function readTask(service, call, id) {
  const task = service.rows.get(id)?.[0];
  return task ? readRow(service, call, task) : null;
}

/**
 * All rows of the ids that exist, in an order that has nothing to do with the one asked for.
 * @param {Service} service @param {Call} call @param {string[]} ids @returns {object[]}
 */
export function readList(service, call, ids) {
  const rows = [...new Set(ids)].flatMap((id) => service.rows.get(id) ?? []);
  return rows.sort((a, b) => (a.hash < b.hash ? -1 : 1)).map((task) => readRow(service, call, task));
}

/**
 * @param {Service} service @param {Call} call @param {MidjourneyTask} task
 * @returns {Record<string, unknown>}
 */
export function readRow(service, call, task) {
  if (task.newer && isCaughtUp(task, call.now)) return readRow(service, call, task.newer);
  const { phase } = readPlan(task.plan, call.now);
  const base = emptyRow(task);
  if (phase === "fresh") return base;
  const seen = { ...base, state: task.state, promptEn: task.prompt, properties: propertiesOf(task) };
  if (task.modal && (task.newer || phase !== "over")) return { ...seen, status: "MODAL" };
  if (phase === "queued") return { ...seen, status: "SUBMITTED" };
  const started = { ...seen, startTime: wallTime(task.plan, task.plan.startMs) };
  if (phase === "running") return { ...started, ...runningParts(service, call, task) };
  return { ...started, ...endParts(service, call, task) };
}

/**
 * Whether a picture can be had, and which.
 * @param {MidjourneyTask} row @param {number} now @returns {"none" | "preview" | "result"}
 */
export function pictureState(row, now) {
  const task = row.newer && isCaughtUp(row, now) ? row.newer : row;
  const { phase, share } = readPlan(task.plan, now);
  if (task.modal || (task.outcome.kind !== "grid" && task.outcome.kind !== "picture")) return "none";
  if (phase === "running") return stepOf(share) > 0 ? "preview" : "none";
  if (phase !== "over" || task.plan.end !== "SUCCESS") return "none";
  return lacksAssets(task.plan, now) ? "none" : "result";
}

/** @param {MidjourneyTask} task @param {number} now */
export function isSucceeded(task, now) {
  const row = task.newer ?? task;
  return !row.modal && row.plan.end === "SUCCESS" && readPlan(row.plan, now).phase === "over";
}

/** @param {MidjourneyTask} modal @param {number} now */
function isCaughtUp({ newer, lagMs }, now) {
  if (!newer || readPlan(newer.plan, now).phase !== "over") return false;
  return now >= wallTime(newer.plan, newer.plan.endMs + lagMs);
}

/** A row just written: no status yet. @param {MidjourneyTask} task */
function emptyRow(task) {
  return {
    id: task.id,
    action: task.action,
    customId: "",
    botType: "",
    prompt: task.prompt,
    promptEn: "",
    description: "",
    state: "",
    submitTime: task.plan.submittedAt,
    startTime: 0,
    finishTime: 0,
    imageUrl: "",
    videoUrl: "",
    videoUrls: null,
    status: "",
    progress: "0%",
    failReason: "",
    buttons: null,
    maskBase64: "",
    properties: null,
  };
}

/** @param {Service} service @param {Call} call @param {MidjourneyTask} task */
function runningParts(service, call, task) {
  const { share } = readPlan(task.plan, call.now);
  const lying = task.plan.marks.has("lying-progress");
  const progress = lying ? LIES[Math.floor(share * LIES.length)] : `${stepOf(share)}%`;
  const hasPreview = pictureState(task, call.now) === "preview";
  // Nanoseconds at the service: another number at every call.
  const rand = `${call.now}${`${service.calls % 1_000_000}`.padStart(6, "0")}`;
  const preview = `${call.origin}/mj/image/${task.id}?rand=${rand}`;
  return { status: "IN_PROGRESS", progress, imageUrl: hasPreview ? preview : "" };
}

/**
 * The gateway forces 100 % on whatever has ended.
 * @param {Service} service @param {Call} call @param {MidjourneyTask} task
 */
function endParts(service, call, task) {
  const { end, endMs, reason } = task.plan;
  const over = { status: end, progress: "100%", failReason: reason, finishTime: wallTime(task.plan, endMs) };
  if (end !== "SUCCESS") return over;
  const buttons = buttonsOf(task);
  return { ...over, buttons, ...(lacksAssets(task.plan, call.now) ? {} : assetParts(service, call, task)) };
}

/** @param {Service} service @param {Call} call @param {MidjourneyTask} task */
function assetParts(service, call, task) {
  const { outcome, plan, id } = task;
  if (outcome.kind === "texts") {
    const finalPrompt = outcome.texts.map((text, index) => `${index + 1}️⃣ ${text}`).join("\n\n");
    return { promptEn: finalPrompt, properties: { finalPrompt, finalZhPrompt: "" } };
  }
  if (outcome.kind !== "clips") return { imageUrl: `${call.origin}/mj/image/${id}` };
  const since = wallTime(plan, plan.endMs);
  const videoUrls = [0, 1, 2, 3].map((n) => ({
    url: signedLink(service, call, `/cdn/${id}/${n}.mp4`, since),
  }));
  return { videoUrl: videoUrls[0].url, videoUrls };
}

/** @param {MidjourneyTask} task */
function propertiesOf(task) {
  const finalPrompt = task.outcome.kind === "texts" ? "" : task.prompt;
  return { finalPrompt, finalZhPrompt: "", ...(task.modal ? { remix: true } : {}) };
}

/** @param {number} share */
function stepOf(share) {
  return STEPS.filter((step) => share * 100 >= step).at(-1) ?? 0;
}
