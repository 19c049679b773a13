// The Midjourney routes that read: a task, many tasks, a seed, a picture.

import { idsOf, readJson } from "./bodies.js";
import { getFile, serveRanges, serveWhole } from "./files.js";
import { expiredReply } from "./faults.js";
import { isLinkValid } from "./links.js";
import { createRandom, digits } from "./random.js";
import { isSucceeded, pictureState, readList, readTask } from "./readings.js";
import { Refused, flatError, json, untypedJson } from "./replies.js";

/** @typedef {import("./types.js").Handler} Handler */
/** @typedef {import("./types.js").AsyncHandler} AsyncHandler */
/** @typedef {import("./types.js").Service} Service */

/** GET /mj/task/{id}/fetch. @type {Handler} */
export function fetchTask(service, call) {
  const reading = readTask(service, call, call.params.id);
  if (!reading) throw new Refused(flatError("task_no_found"));
  return json(reading);
}

/** POST /mj/task/list-by-condition. @type {AsyncHandler} */
export async function listTasks(service, call) {
  const ids = idsOf(await readJson(call));
  if (!ids) throw new Refused(flatError("do_request_failed"));
  return json(readList(service, call, ids));
}

/** GET /mj/task/{id}/image-seed. @type {Handler} */
export function imageSeed(service, call) {
  const task = service.rows.get(call.params.id)?.[0];
  if (!task) throw new Refused(flatError("task_no_found"));
  if (!isSucceeded(task, call.now)) throw new Refused(flatError("task_status_not_success"));
  const result = digits(createRandom(service.seed, "image-seed", task.id), 10);
  return untypedJson({ code: 1, description: "Submit success", result });
}

/** GET /mj/image/{id}: no key, no range, no caching headers. @type {Handler} */
export function fetchImage(service, call) {
  const task = service.rows.get(call.params.id)?.[0];
  if (!task) throw new Refused(json({ error: "midjourney_task_not_found" }, 400));
  const state = pictureState(task, call.now);
  if (state === "none") throw new Refused(json({ error: "http_get_image_failed" }, 500));
  if (state === "preview") return serveWhole(getFile("preview"));
  const { outcome } = task;
  return serveWhole(outcome.kind === "picture" ? getFile("pictures", outcome.index) : getFile("grid"));
}

/** GET /cdn/{folder}/{n}.mp4 or .png: what the links of this sandbox point to. @type {Handler} */
export function fetchAsset(service, call) {
  if (!isLinkValid(service, call)) return expiredReply();
  const set = call.params.type === "mp4" ? "clips" : "pictures";
  return serveRanges(getFile(set, Number(call.params.n)), call.request);
}
