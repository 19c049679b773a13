/** @import { Task } from "./index.js" */

/**
 * Gives a task its `raw`, which is read from the reply's own text when somebody asks for it, and is left out of copies
 * and of JSON: a store wants the reading, not the service's whole object.
 *
 * @param {any} task
 * @param {string | undefined} text
 * @param {(json: string) => any} parse
 * @returns {Task}
 */
export function withRaw(task, text, parse) {
  /** @type {unknown} */
  let raw;
  const { row } = task;
  if (row !== undefined) delete task.row;
  const get = () => (raw ??= text && ownObject(parse(text), task.handle.id, row));
  return Object.defineProperty(task, "raw", { get });
}

/**
 * The list route answers with the rows of several tasks.
 * @param {any} reply
 * @param {string} id
 * @param {number | undefined} row the one that the task was read from
 */
function ownObject(reply, id, row) {
  if (row !== undefined) return (Array.isArray(reply) ? reply : reply.data)[row];
  return Array.isArray(reply) ? (reply.find((row) => String(row?.id) === id) ?? reply) : reply;
}

/**
 * The button of a finished picture by its label, or by its emoji where that is all it has.
 * @param {Task} task
 * @param {string} label
 */
export function findButton(task, label) {
  const buttons = task.buttons;
  return buttons.find((button) => button.label === label) ?? buttons.find((button) => button.emoji === label);
}

const SETTLED = new Set(["succeeded", "failed", "canceled"]);
const RANK = { action_required: 0, queued: 1, running: 2, succeeded: 3, failed: 3, canceled: 3 };

/** Nothing more will happen to the task. @param {Task} task */
export function isTerminal(task) {
  return SETTLED.has(task.status);
}

/**
 * Whether `next` is news after `previous`. Two plain readings are compared, so it needs no wasm and can be synchronous.
 * @param {Task} previous
 * @param {Task} next
 */
export function supersedes(previous, next) {
  if (previous.handle.id !== next.handle.id || isTerminal(previous)) return false;
  // After a modal was sent the task goes from action_required to running; before that it stops there.
  if (next.status === "action_required") return previous.status === "queued" || previous.status === "running";
  const step = RANK[next.status] - RANK[previous.status];
  if (step !== 0) return step > 0;
  return (next.progress ?? 0) > (previous.progress ?? 0);
}
