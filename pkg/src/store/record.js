/**
 * A task as the store keeps it, and what may happen to it: plain functions over plain data. The same step is taken in the
 * database and in each tab's memory, so that all come to the same record in whatever order they hear of things.
 */
import { isTerminal, supersedes } from "../task.js";

/**
 * @import { Task, TaskHandle } from "../index.js"
 * @typedef {{ v: 1, id: string, handle: TaskHandle, task: Task }} TaskRecord
 * @typedef {(record: TaskRecord | undefined) => TaskRecord | undefined} Step undefined: nothing changes
 */

const STATUSES = ["queued", "running", "action_required", "succeeded", "failed", "canceled"];

/**
 * What was stored, if this version can use it. A reading that was damaged is dropped alone: the handle is what must not be
 * lost, and the next reading replaces it.
 * @param {any} stored
 * @returns {TaskRecord | undefined}
 */
export function readable(stored) {
  const { v, id, handle, task } = Object(stored);
  if (v !== 1 || !isHandle(handle) || handle.id !== id) return undefined;
  const isSound = isReading(task) && task.handle.id === id;
  return isSound ? stored : { v, id, handle, task: unread(handle) };
}

/** @param {any} value @returns {value is Task} */
export function isReading(value) {
  return STATUSES.includes(value?.status) && isHandle(value.handle) && Array.isArray(value.images);
}

/** @param {any} value @returns {value is TaskHandle} */
export function isHandle(value) {
  return value?.v === 1 && typeof value.id === "string" && Number.isFinite(value.submittedAt);
}

/** Whether asking for the task again can bring news. @param {TaskRecord} record */
export function isOpen({ handle, task }) {
  // A task that asks stays as it is until submitModal, whose handle says that it was answered.
  if (task.status === "action_required") return handle.kind === "modal";
  return !isTerminal(task);
}

/**
 * A handle is added. A task may be added once more with a later handle: submitModal keeps the id. Its handle comes after all
 * others', also where the clock, or the other machine's on which the task was begun, says otherwise.
 * @param {TaskHandle} handle
 * @returns {Step}
 */
export function withHandle(handle) {
  return (record) => {
    const isNews = !record || (isLater(handle, record.handle) && !isTerminal(record.task));
    return isNews ? { v: 1, id: handle.id, handle, task: unread(handle) } : undefined;
  };
}

/** @param {TaskHandle} handle @param {TaskHandle} before */
function isLater(handle, before) {
  const answers = Number(handle.kind === "modal") - Number(before.kind === "modal");
  return answers > 0 || (answers === 0 && handle.submittedAt > before.submittedAt);
}

/** A task was read. @param {Task} task @returns {Step} */
export function withReading(task) {
  return (record) => {
    if (!record) return undefined; // removed meanwhile
    // The question of a task that was answered: some gateways show it until the result is there.
    const isOldQuestion = task.status === "action_required" && record.handle.kind === "modal";
    return supersedes(record.task, task) && !isOldQuestion ? { ...record, task } : undefined;
  };
}

/** What is known of a task that nobody has asked for yet. @param {TaskHandle} handle @returns {Task} */
function unread(handle) {
  return {
    handle,
    status: "queued",
    rawStatus: "",
    progress: null,
    images: [],
    videos: [],
    content: false,
    preview: null,
    texts: [],
    buttons: [],
    prompt: null,
    state: handle.state ?? null,
    submittedAt: null,
    startedAt: null,
    finishedAt: null,
    expiresAt: null,
    raw: undefined,
  };
}
