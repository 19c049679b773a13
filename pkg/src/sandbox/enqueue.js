// From a checked submit to a task and its reply.

import { textOf } from "./bodies.js";
import { loseMarked, readMarks, refuseMarked } from "./marks.js";
import { createRandom, hexDigits } from "./random.js";
import { Refused, declined, json, untypedJson } from "./replies.js";
import { addTask, placesBefore } from "./service.js";

/** @typedef {import("./types.js").Service} Service */
/** @typedef {import("./types.js").Call} Call */
/** @typedef {import("./types.js").Fields} Fields */
/** @typedef {import("./types.js").Outcome} Outcome */
/** @typedef {import("./service.js").Draft} Draft */

/**
 * What a submit's body says about the task to be.
 * @param {Fields} fields @param {{ action: string, outcome: Outcome, prompt?: string }} what @returns {Draft}
 */
export function draftOf(fields, { action, outcome, prompt = textOf(fields, "prompt") }) {
  const botType = textOf(fields, "botType");
  const [state, notifyHook] = [textOf(fields, "state"), textOf(fields, "notifyHook")];
  return { action, outcome, prompt, state, notifyHook, botType, marks: readMarks(textOf(fields, "prompt")) };
}

/**
 * Creates the task, or refuses as its prompt asks.
 * @param {Service} service @param {Call} call @param {Draft} draft @param {typeof addTask} [add] writes the row
 */
export function enqueue(service, call, draft, add = addTask) {
  refuseMarked(call, draft.marks, "midjourney");
  const places = Math.max(placesBefore(service, call.now), draft.marks.has("in-queue") ? 1 : 0);
  const task = add(service, call.now, { ...draft, places });
  loseMarked(call, draft.marks, "midjourney");
  if (places === 0) return accepted(service, task.id);
  return accepted(service, task.id, 22, `排队中，前面还有${places}个任务`, { numberOfQueues: places });
}

/**
 * @param {Service} service @param {unknown} result @param {number} [code] @param {string} [description]
 * @param {object} [properties]
 */
export function accepted(service, result, code = 1, description = "Submission successful", properties = {}) {
  const instance = hexDigits(createRandom(service.seed, "instance"), 16);
  const place = { discordChannelId: instance, discordInstanceId: instance };
  return untypedJson({ code, description, result, properties: { ...properties, ...place } });
}

/**
 * Imagine declines too long texts in the submit envelope, all other routes in one of their own (shape F).
 * @param {Call} call @param {Fields} fields @param {boolean} isImagine
 */
export function checkLengths(call, fields, isImagine) {
  for (const [name, limit] of /** @type {const} */ ([
    ["state", 255],
    ["notifyHook", 2000],
  ])) {
    if (textOf(fields, name).length <= limit) continue;
    const message = `${name}参数过长，最大${limit}字符`;
    if (isImagine) throw new Refused(declined(4, message));
    const timestamp = new Date(call.now).toISOString();
    throw new Refused(json({ success: false, code: -1, message, timestamp }));
  }
}
