// The Midjourney submits that start from nothing, and video, which may also go on from a clip.

import { readFields, textOf } from "./bodies.js";
import { requireParent } from "./continuations.js";
import { accepted, checkLengths, draftOf, enqueue } from "./enqueue.js";
import { signedLink } from "./links.js";
import { createRandom, hexDigits } from "./random.js";
import { Refused, declined, flatError, nestedError } from "./replies.js";

/** @typedef {import("./types.js").Service} Service */
/** @typedef {import("./types.js").Call} Call */
/** @typedef {import("./types.js").Fields} Fields */
/** @typedef {import("./types.js").AsyncHandler} AsyncHandler */
/** @typedef {import("./types.js").Outcome} Outcome */

const DATA_URI = /^data:[^,]*;base64,/;
const TEXTS = [
  "a small boat under a pale sun",
  "calm water, layered hills",
  "paper cut landscape",
  "a sail at dawn",
];
/** @type {Outcome} */
const GRID = { kind: "grid" };

/** POST /mj/submit/imagine. @type {AsyncHandler} */
export async function submitImagine(service, call) {
  const fields = await readFields(call);
  if (textOf(fields, "prompt").trim() === "") throw new Refused(flatError("prompt_is_required"));
  checkLengths(call, fields, true);
  checkImages(fields.base64Array ?? [], 0, Infinity);
  // Motion by prompt: the same route makes a video.
  const isVideo = /--video\b/.test(textOf(fields, "prompt"));
  const what = isVideo
    ? { action: "VIDEO", outcome: /** @type {Outcome} */ ({ kind: "clips" }) }
    : { action: "IMAGINE", outcome: GRID };
  return enqueue(service, call, draftOf(fields, what));
}

/** POST /mj/submit/blend. @type {AsyncHandler} */
export async function submitBlend(service, call) {
  const fields = await readFields(call);
  checkLengths(call, fields, false);
  checkImages(fields.base64Array ?? [], 2, 5);
  const { dimensions } = fields;
  if (dimensions && !["PORTRAIT", "SQUARE", "LANDSCAPE"].includes(dimensions)) {
    throw new Refused(declined(4, "dimensions参数错误"));
  }
  return enqueue(service, call, draftOf(fields, { action: "BLEND", outcome: GRID }));
}

/** POST /mj/submit/describe. @type {AsyncHandler} */
export async function submitDescribe(service, call) {
  const fields = await readFields(call);
  checkLengths(call, fields, false);
  const [base64, link] = [textOf(fields, "base64"), textOf(fields, "link")];
  if (base64 === "" && link === "") throw new Refused(declined(4, "base64或link不能为空"));
  if (base64 !== "") checkImages([base64], 1, 1);
  if (link !== "") checkImage(link);
  return enqueue(
    service,
    call,
    draftOf(fields, { action: "DESCRIBE", outcome: { kind: "texts", texts: TEXTS } }),
  );
}

/** POST /mj/submit/shorten. @type {AsyncHandler} */
export async function submitShorten(service, call) {
  const fields = await readFields(call);
  requirePrompt(fields);
  checkLengths(call, fields, false);
  const words = textOf(fields, "prompt").trim().split(/\s+/);
  const texts = [1, 2, 3, 4].map((n) => words.slice(0, Math.max(1, Math.ceil(words.length / n))).join(" "));
  return enqueue(service, call, draftOf(fields, { action: "SHORTEN", outcome: { kind: "texts", texts } }));
}

/** POST /mj/submit/edits. @type {AsyncHandler} */
export async function submitEdits(service, call) {
  const fields = await readFields(call);
  requirePrompt(fields);
  checkLengths(call, fields, false);
  checkImage(textOf(fields, "image"));
  return enqueue(service, call, draftOf(fields, { action: "EDITS", outcome: GRID }));
}

/** POST /mj/submit/upload-discord-images: answers with links, and makes no task. @type {AsyncHandler} */
export async function submitUpload(service, call) {
  const fields = await readFields(call);
  checkImages(fields.base64Array ?? [], 1, Infinity);
  const name = hexDigits(createRandom(service.seed, "upload", service.calls), 12);
  const links = fields.base64Array.map((/** @type {string} */ _, /** @type {number} */ n) =>
    signedLink(service, call, `/cdn/upload-${name}/${n}.png`, call.now),
  );
  return accepted(service, links);
}

/** POST /mj/submit/video. @type {AsyncHandler} */
export async function submitVideo(service, call) {
  const fields = await readFields(call);
  checkLengths(call, fields, false);
  const { motion, action, index } = fields;
  const taskId = textOf(fields, "taskId") || textOf(fields, "task_id");
  if (motion !== undefined && !["low", "high"].includes(motion))
    throw new Refused(declined(4, "motion参数错误"));
  const draft = draftOf(fields, { action: "VIDEO", outcome: { kind: "clips" } });
  if (!action) {
    if (taskId !== "") throw new Refused(declined(4, "taskId 仅用于 extend"));
    checkImage(textOf(fields, "image"));
    return enqueue(service, call, draft);
  }
  if (action !== "extend")
    throw new Refused(nestedError(call, 400, `Invalid request, unknown_action:${action}`));
  if (taskId === "") throw new Refused(flatError("task_id_is_required"));
  if (index === undefined) throw new Refused(flatError("index_is_required"));
  if (![0, 1, 2, 3].includes(Number(index))) throw new Refused(declined(4, "index参数错误"));
  const parent = requireParent(service, call, taskId);
  if (parent.outcome.kind !== "clips") throw new Refused(declined(4, "关联任务不是视频"));
  if (textOf(fields, "image") !== "") checkImage(textOf(fields, "image"));
  return enqueue(service, call, draft);
}

/** @param {Fields} fields */
function requirePrompt(fields) {
  if (textOf(fields, "prompt").trim() === "") throw new Refused(declined(4, "prompt不能为空"));
}

/** @param {unknown[]} images @param {number} least @param {number} most */
function checkImages(images, least, most) {
  const isGood = (/** @type {unknown} */ image) => typeof image === "string" && DATA_URI.test(image);
  if (images.length >= least && images.length <= most && images.every(isGood)) return;
  throw new Refused(declined(4, "base64Array参数错误"));
}

/** A public URL or a data URI. @param {string} image */
function checkImage(image) {
  if (!/^https?:\/\//.test(image) && !DATA_URI.test(image)) throw new Refused(declined(4, "image参数错误"));
}
