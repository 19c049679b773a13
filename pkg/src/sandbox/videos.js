// /v1/videos: the other family, with shapes and words of its own.

import { readJson, readVideoFields, textOf } from "./bodies.js";
import { getFile, serveWhole } from "./files.js";
import { signedLink } from "./links.js";
import { loseMarked, readMarks, refuseMarked } from "./marks.js";
import { lacksAssets, readPlan, wallTime } from "./plan.js";
import { Refused, contentError, json, videoError } from "./replies.js";
import { addVideo } from "./service.js";

/** @typedef {import("./types.js").Handler} Handler */
/** @typedef {import("./types.js").AsyncHandler} AsyncHandler */
/** @typedef {import("./types.js").Service} Service */
/** @typedef {import("./types.js").Call} Call */
/** @typedef {import("./types.js").VideoTask} VideoTask */
/** @typedef {import("./types.js").Fields} Fields */

const SORA_SIZES = ["720x1280", "1280x720"];
const SORA_PRO_SIZES = [...SORA_SIZES, "1024x1792", "1792x1024"];
const WORDS = { fresh: "queued", queued: "queued", running: "in_progress", over: "completed" };
/** The backend says nothing about progress until this share of the time is over. */
const SILENT_SHARE = 0.4;

/** POST /v1/videos. @type {AsyncHandler} */
export async function createVideo(service, call) {
  const fields = await readVideoFields(call);
  checkFields(fields);
  const [model, prompt] = [textOf(fields, "model"), textOf(fields, "prompt")];
  const sora = model.startsWith("sora");
  const seconds = textOf(fields, "seconds") || (sora ? "4" : "");
  const size = textOf(fields, "size") || (sora ? "720x1280" : "");
  return start(service, call, { model: resolveModel(model), prompt, size, seconds, sora, remixedFrom: null });
}

/** POST /v1/videos/{id}/remix. @type {AsyncHandler} */
export async function remixVideo(service, call) {
  const body = await readJson(call);
  const prompt = typeof body?.prompt === "string" ? body.prompt : "";
  if (prompt.trim() === "") throw new Refused(videoError(400, "invalid_request", "field prompt is required"));
  const { model, size, seconds, sora, id } = requireVideo(service, call);
  return start(service, call, { model, prompt, size, seconds, sora, remixedFrom: id });
}

/** GET /v1/videos/{id}. @type {Handler} */
export function retrieveVideo(service, call) {
  return json(readVideo(service, call, requireVideo(service, call)));
}

/** GET /v1/videos/{id}/content: needs the key, knows no range. @type {Handler} */
export function fetchContent(service, call) {
  const task = service.videos.get(call.params.id);
  if (!task) throw new Refused(contentError(404, "Task not found"));
  const { phase } = readPlan(task.plan, call.now);
  if (phase !== "over" || task.plan.end !== "SUCCESS") {
    const status = phase === "over" ? task.plan.end : phase === "running" ? "IN_PROGRESS" : "QUEUED";
    throw new Refused(contentError(400, `Task is not completed yet, current status: ${status}`));
  }
  if (lacksAssets(task.plan, call.now)) {
    throw new Refused(contentError(502, "Failed to fetch video content", "server_error"));
  }
  return serveWhole(getFile("clips", task.clip), { "Cache-Control": "public, max-age=86400" });
}

/** @param {Service} service @param {Call} call @param {Omit<VideoTask, "id" | "clip" | "plan">} video */
function start(service, call, video) {
  const marks = readMarks(video.prompt);
  refuseMarked(call, marks, "videos");
  const task = addVideo(service, call.now, video, marks);
  loseMarked(call, marks, "videos");
  return json(task.sora ? soraShape(task, call.now) : gatewayShape(task, call.now));
}

/** In the order in which the gateway checks them. @param {Fields} fields */
function checkFields(fields) {
  const refuse = (/** @type {string} */ code, /** @type {string} */ message) =>
    new Refused(videoError(400, code, message));
  const model = textOf(fields, "model");
  if (model.trim() === "") throw refuse("missing_model", "model field is required");
  if (textOf(fields, "prompt").trim() === "") throw refuse("invalid_request", "prompt is required");
  const seconds = textOf(fields, "seconds");
  if (seconds !== "" && !(/^\d+$/.test(seconds) && Number(seconds) <= 3600)) {
    throw refuse("invalid_seconds", "seconds must be between 0 and 3600");
  }
  const size = textOf(fields, "size");
  const sizes = model.startsWith("sora-2-pro") ? SORA_PRO_SIZES : SORA_SIZES;
  if (model.startsWith("sora") && size !== "" && !sizes.includes(size))
    throw refuse("invalid_size", "size is invalid");
}

/** The reply names the model that an alias stands for. @param {string} model */
function resolveModel(model) {
  return /^veo[-_]?3/.test(model) ? "veo_3_1-4K" : model;
}

/** @param {Service} service @param {Call} call */
function requireVideo(service, call) {
  const task = service.videos.get(call.params.id);
  if (!task) throw new Refused(videoError(400, "task_not_exist", "task_not_exist"));
  return task;
}

/** @param {Service} service @param {Call} call @param {VideoTask} task */
function readVideo(service, call, task) {
  const { plan } = task;
  const { phase, seenAt } = readPlan(plan, call.now);
  if (task.sora) return soraShape(task, call.now);
  // While the task runs this is the time of the last refresh: no sign of completion.
  const completed_at = seconds(phase === "over" ? wallTime(plan, plan.endMs) : seenAt);
  const base = { ...gatewayShape(task, call.now), task_id: task.id, completed_at };
  if (phase === "over" && plan.end === "FAILURE") return { ...base, error: failureOf(task) };
  if (phase !== "over" || plan.end !== "SUCCESS" || lacksAssets(plan, call.now)) return base;
  const url = signedLink(service, call, `/cdn/${task.id}/${task.clip}.mp4`, wallTime(plan, plan.endMs));
  return { ...base, video_url: url, metadata: { url } };
}

/** @param {VideoTask} task @param {number} now */
function gatewayShape(task, now) {
  const { id, model, size, plan } = task;
  const created_at = seconds(plan.submittedAt);
  const { status, progress } = stateOf(task, now);
  return { created_at, id, model, object: "video", progress, seconds: task.seconds, size, status };
}

/** Sora's own object, which the gateway passes on. @param {VideoTask} task @param {number} now */
function soraShape(task, now) {
  const { plan, size, model, prompt } = task;
  const { status, progress } = stateOf(task, now);
  const completed_at = status === "completed" ? seconds(wallTime(plan, plan.endMs)) : null;
  const error = status === "failed" ? failureOf(task) : null;
  const expires_at = completed_at === null ? null : completed_at + 24 * 3600;
  const times = { created_at: seconds(plan.submittedAt), expires_at, completed_at };
  const head = {
    id: task.id,
    size,
    error,
    model,
    object: "video",
    prompt,
    status,
    seconds: task.seconds,
    progress,
  };
  return { ...head, ...times, remixed_from_video_id: task.remixedFrom };
}

/** @param {VideoTask} task @param {number} now */
function stateOf({ plan }, now) {
  const { phase, share } = readPlan(plan, now);
  if (plan.marks.has("lying-progress"))
    return { status: endWord(plan, phase), progress: phase === "over" ? 0 : 100 };
  if (phase === "over") return { status: endWord(plan, phase), progress: plan.end === "CANCEL" ? 0 : 100 };
  return { status: WORDS[phase], progress: share < SILENT_SHARE ? 0 : Math.floor(share * 10) * 10 };
}

/** @param {import("./types.js").Plan} plan @param {import("./plan.js").Phase} phase */
function endWord(plan, phase) {
  if (phase !== "over" || plan.end === "SUCCESS") return WORDS[phase];
  return plan.end === "FAILURE" ? "failed" : "cancelled";
}

/** @param {VideoTask} task */
function failureOf({ plan }) {
  return { message: plan.reason, code: "generation_failed" };
}

/** @param {number} ms */
function seconds(ms) {
  return Math.floor(ms / 1000);
}
