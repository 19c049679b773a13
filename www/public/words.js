/** What errors are called on this page, and what to do next. The package's codes go in; nothing else does. */
import { isCometError } from "comet-tasks/slim";

/**
 * @typedef {import("comet-tasks").CometError} CometError
 * @typedef {{ status: string, next: string, mayWait: boolean }} Explanation `mayWait`: asking for the same task again makes sense
 */

/** @type {Record<import("./orders.js").Way, string>} */
export const KINDS = { picture: "Picture", video: "Midjourney video", veo: "Veo video" };

/** "0:07", "12:40". @param {number} ms */
export function clock(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

export const STOPPED = "You stopped waiting. The service goes on making it, and it counts as used.";
export const IN_DOUBT = "A task may exist and be billed. Look into your account before you send it again.";
export const AMBIGUOUS =
  "No clear answer came back the first time: the task may exist, and be billed. If it does, this makes a second one, billed again.";

const AGAIN = "Press the button again when you like: nothing was made, and nothing is billed.";
const LATER = "Wait a minute, then press the button again: nothing was made, and nothing is billed.";
const GOES_ON = "The service goes on making it. Wait again to see how far it is.";

/** @type {Partial<Record<import("comet-tasks").ErrorCode, Explanation>>} */
const EXPLANATIONS = {
  validation: {
    status: "The service did not accept this",
    next: "Change what it names, then press again.",
    mayWait: false,
  },
  unauthorized: {
    status: "The key was refused",
    next: "Check the key: in the settings if you typed it there, else COMETAPI_KEY on this page’s server.",
    mayWait: true,
  },
  forbidden: {
    status: "The key may not do this",
    next: "Ask the owner of the account for access.",
    mayWait: true,
  },
  quota: {
    status: "The account has no credit left",
    next: "Top it up at the service, then press again.",
    mayWait: false,
  },
  moderation: {
    status: "The service refuses this prompt",
    next: "Use other words, then press again.",
    mayWait: false,
  },
  not_found: {
    status: "The service does not know this task",
    next: "It may be too old. Remove it here.",
    mayWait: false,
  },
  rate_limited: { status: "Too many requests just now", next: LATER, mayWait: true },
  queue_full: { status: "The service’s queue is full", next: LATER, mayWait: true },
  unavailable: { status: "The service is not available", next: LATER, mayWait: true },
  rejected: { status: "The service refused this", next: AGAIN, mayWait: false },
  too_large: {
    status: "The picture is too large",
    next: "Take a smaller one, then press again.",
    mayWait: false,
  },
  task_failed: {
    status: "The service could not make this",
    next: "Change the prompt, then press again.",
    mayWait: false,
  },
  task_canceled: {
    status: "Cancelled at the service",
    next: "Press again to make a new one.",
    mayWait: false,
  },
  no_asset: {
    status: "Finished, but no file came",
    next: "Make it again, or ask the service about it.",
    mayWait: true,
  },
  deadline: { status: "It takes longer than usual", next: GOES_ON, mayWait: true },
  panic: {
    status: "Something broke in this page",
    next: "Reload it: your tasks are kept, and go on.",
    mayWait: false,
  },
};

/**
 * @param {unknown} error
 * @returns {Explanation}
 */
export function explain(error) {
  if (!isCometError(error))
    return { status: "Something broke in this page", next: String(error), mayWait: false };
  if (error.ambiguous) return inDoubt(error);
  const known = EXPLANATIONS[error.code] ?? {
    status: error.handle ? "The connection to the service broke" : "It could not be sent",
    next: error.handle ? GOES_ON : AGAIN,
    mayWait: true,
  };
  const mayWait = known.mayWait && error.handle !== undefined;
  const next = known.next === LATER && error.handle ? GOES_ON : known.next;
  return { status: known.status, next: `${ownWords(error)} ${next}`.trim(), mayWait };
}

/** @param {CometError} error @returns {Explanation} */
function inDoubt(error) {
  return {
    status: "No clear answer came back",
    next: error.handle
      ? "A task seems to exist, and may be billed. Wait for it before you make another."
      : IN_DOUBT,
    mayWait: error.handle !== undefined,
  };
}

/** What the service itself said, where that helps: its reason for a failure, or the field it refused. @param {CometError} error */
function ownWords(error) {
  const failure = error.task?.status === "failed" ? error.task.failure.message : "";
  const said =
    failure || (["validation", "rejected", "task_failed"].includes(error.code) ? error.message : "");
  return quoted(said);
}

/** @param {string} text */
export function quoted(text) {
  return text && `“${text}”`;
}
