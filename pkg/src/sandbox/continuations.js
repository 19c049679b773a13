// What goes on from a finished task: its buttons, and the windows that some of them open.

import { readFields, textOf } from "./bodies.js";
import { isBookmark, isKnown, isPicReaderAll, startOf } from "./buttons.js";
import { accepted, checkLengths, draftOf, enqueue } from "./enqueue.js";
import { readPlan } from "./plan.js";
import { isSucceeded } from "./readings.js";
import { Refused, declined, flatError, json, nestedError } from "./replies.js";
import { addConfirmed, addModal, addTask } from "./service.js";

/** @typedef {import("./types.js").Service} Service */
/** @typedef {import("./types.js").Call} Call */
/** @typedef {import("./types.js").Fields} Fields */
/** @typedef {import("./types.js").AsyncHandler} AsyncHandler */
/** @typedef {import("./types.js").MidjourneyTask} MidjourneyTask */

/** POST /mj/submit/action. @type {AsyncHandler} */
export async function submitAction(service, call) {
  const fields = await readFields(call);
  const customId = textOf(fields, "customId");
  checkCustomId(call, customId);
  checkLengths(call, fields, false);
  if (textOf(fields, "taskId") === "") throw new Refused(flatError("task_id_is_required"));
  const parent = requireParent(service, call, fields.taskId);
  if (isBookmark(customId)) return accepted(service, parent.id);
  if (isPicReaderAll(customId)) return imagineAll(service, call, fields, parent);
  const start = startOf(customId, parent);
  if (!start) throw new Refused(nestedError(call, 400, `Invalid request, unknown_action:${customId}`));
  const draft = draftOf(fields, { ...start, prompt: promptOf(customId, parent) });
  if (start.modal || (start.remix && fields.enableRemix === true)) return openWindow(service, call, draft);
  return enqueue(service, call, draft);
}

/** POST /mj/submit/modal. @type {AsyncHandler} */
export async function submitModal(service, call) {
  const fields = await readFields(call);
  checkLengths(call, fields, false);
  if (textOf(fields, "taskId") === "") throw new Refused(flatError("task_id_is_required"));
  const rows = service.rows.get(fields.taskId);
  if (!rows) throw new Refused(flatError("task_not_found"));
  const [modal] = rows;
  const isWaiting = modal.modal && !modal.newer && readPlan(modal.plan, call.now).phase !== "over";
  if (!isWaiting) throw new Refused(declined(4, "关联任务状态错误"));
  const { action, outcome, prompt, state, notifyHook } = modal;
  const own = draftOf(fields, { action, outcome, prompt: textOf(fields, "prompt") || prompt });
  const draft = { ...own, state: own.state || state, notifyHook: own.notifyHook || notifyHook };
  return enqueue(service, call, draft, (to, now, ready) => addConfirmed(to, now, ready, modal));
}

/**
 * A parent that is there and has succeeded; the newer row of it, where there are two.
 * @param {Service} service @param {Call} call @param {string} id
 */
export function requireParent(service, call, id) {
  const parent = service.rows.get(id)?.[0];
  if (!parent) throw new Refused(flatError("task_not_found"));
  if (!isSucceeded(parent, call.now)) throw new Refused(flatError("task_status_not_success"));
  return parent.newer ?? parent;
}

/**
 * The gateway splits at "::" without looking, and trips over an id that has none.
 * @param {Call} call @param {string} customId
 */
function checkCustomId(call, customId) {
  if (customId === "") throw new Refused(nestedError(call, 400, "Invalid request, custom_id_is_required"));
  if (!customId.includes("::")) {
    const message = "Panic detected, error: runtime error: index out of range [1] with length 1";
    throw new Refused(json({ error: { message, type: "new_api_panic" } }, 500));
  }
}

/** @param {Service} service @param {Call} call @param {import("./service.js").Draft} draft */
function openWindow(service, call, draft) {
  const task = addModal(service, call.now, draft);
  return accepted(service, task.id, 21, "Waiting for window confirm", {
    finalPrompt: draft.prompt,
    remix: true,
  });
}

/**
 * One picture for each text, and the ids in one string.
 * @param {Service} service @param {Call} call @param {Fields} fields @param {MidjourneyTask} parent
 */
function imagineAll(service, call, fields, parent) {
  if (parent.outcome.kind !== "texts") throw new Refused(declined(4, "customId参数错误"));
  const ids = parent.outcome.texts.map(
    (prompt) =>
      addTask(service, call.now, draftOf(fields, { action: "IMAGINE", outcome: { kind: "grid" }, prompt }))
        .id,
  );
  return accepted(service, ids.join(","));
}

/**
 * A reader's button goes on with its text, every other one with the parent's prompt.
 * @param {string} customId @param {MidjourneyTask} parent
 */
function promptOf(customId, parent) {
  const reader = /^MJ::Job::PicReader::(\d)/.exec(customId);
  return reader && parent.outcome.kind === "texts"
    ? parent.outcome.texts[Number(reader[1]) - 1]
    : parent.prompt;
}
