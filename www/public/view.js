/** From what is known of a task to what its card says. */
import { isCometError } from "comet-tasks/slim";
import { IN_DOUBT, STOPPED, explain, quoted } from "./words.js";

/** @typedef {import("comet-tasks").Task} Task */

/**
 * @typedef {"sending" | "queued" | "running" | "done" | "asks" | "stopped" | "trouble"} Look
 * @typedef {object} View what a card says
 * @property {Look} look
 * @property {string} status
 * @property {string} next what the person can do
 * @property {number | null} progress percent
 * @property {string} detail
 * @property {number | null} time so far, or in all, in milliseconds
 * @property {boolean} doubtful a task may exist and be billed
 * @property {boolean} mayWait asking for the same task again makes sense
 */

/** @param {import("./card.js").State} state @returns {View} */
export function viewOf(state) {
  const { note, task, error } = state;
  const isOver = task !== undefined && !["queued", "running"].includes(task.status);
  const base = {
    next: "",
    progress: null,
    detail: "",
    time: elapsed(state),
    doubtful: false,
    mayWait: false,
  };
  if (note.stopped) return { ...base, look: "stopped", status: "Not waiting", next: STOPPED, time: null };
  if (error && !isOver) {
    const { status, next, mayWait } = explain(error);
    const doubtful = isCometError(error) && error.ambiguous && !error.handle;
    return {
      ...base,
      look: "trouble",
      status,
      next,
      doubtful,
      mayWait: mayWait && Boolean(note.handle),
      time: null,
    };
  }
  if (state.isOrphan) {
    return {
      ...base,
      look: "trouble",
      status: "The page was closed before the answer came",
      next: IN_DOUBT,
      doubtful: true,
      time: null,
    };
  }
  if (!note.handle) return { ...base, look: "sending", status: "Being sent" };
  if (!task) return { ...base, look: "queued", status: "Sent" };
  return { ...base, ...ofTask(task, state) };
}

/** @param {Task} task @param {import("./card.js").State} state @returns {Pick<View, "look" | "status"> & Partial<View>} */
function ofTask(task, { note, seenAt, asked }) {
  const times = asked() > 0 ? `${asked()} request${asked() === 1 ? "" : "s"}` : "";
  switch (task.status) {
    case "queued": {
      const place = note.handle?.queuePosition;
      const status = !task.rawStatus ? "Sent" : place ? `In the queue, ${place} before it` : "In the queue";
      return { look: "queued", status, detail: times };
    }
    case "running": {
      const status = ["Being made", percent(task.progress)].filter(Boolean).join(" · ");
      const detail = [remaining(task.estimate, Date.now() - seenAt), times].filter(Boolean).join(" · ");
      return { look: "running", status, progress: task.progress, detail };
    }
    case "action_required":
      return { look: "asks", status: "Midjourney asks you something", detail: times };
    case "succeeded":
      return { look: "done", status: "Done", detail: times };
    case "failed":
      return {
        look: "trouble",
        status: "The service could not make this",
        next: `${quoted(task.failure.message)} Change the prompt, or try again: that makes a new task.`,
      };
    case "canceled":
      return { look: "trouble", status: "Cancelled at the service", next: "Try again to make a new one." };
  }
}

/** @param {import("./card.js").State} state */
function elapsed({ note, task }) {
  // The service's own times: they are right after a night with the page closed, too.
  if (task?.finishedAt) {
    const start = task.submittedAt ?? task.startedAt ?? note.startedAt;
    return Math.max(0, task.finishedAt - start);
  }
  return task?.status === "action_required" ? null : Date.now() - note.startedAt;
}

/** @param {number | null} progress */
function percent(progress) {
  return progress === null ? "" : `${Math.round(progress)} %`;
}

/** The client's belief, and how sure it is of it. @param {{ medianMs: number, p90Ms: number } | null} estimate @param {number} ageMs of the estimate */
function remaining(estimate, ageMs) {
  if (!estimate) return "";
  const [median, p90] = [estimate.medianMs - ageMs, estimate.p90Ms - ageMs];
  if (p90 < 1000) return "longer than usual";
  return `about ${roughly(Math.max(median, 1000))} left, nine in ten within ${roughly(p90)}`;
}

/** "5 s", "2 min". @param {number} ms */
function roughly(ms) {
  const seconds = ms / 1000;
  if (seconds < 10) return `${Math.max(1, Math.ceil(seconds))} s`;
  return seconds < 90 ? `${Math.round(seconds / 5) * 5} s` : `${Math.round(seconds / 60)} min`;
}

/** When the links of a result end, where they say so. @param {number | null} at @param {number} now */
export function expiry(at, now) {
  if (at === null) return "";
  if (at <= now) return "Its links have expired.";
  const date = new Date(at);
  const isSoon = at - now < 20 * 3_600_000;
  const time = date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const when = isSoon ? time : `${date.toLocaleDateString([], { day: "numeric", month: "long" })}, ${time}`;
  return `Its links are good until ${when}.`;
}
