// What the stand-in remembers, and how tasks get into it.

import { createModalPlan, createPlan, readPlan } from "./plan.js";
import { alphanumerics, createRandom, digits, hexDigits } from "./random.js";

/** @typedef {import("../sandbox.js").SandboxOptions} SandboxOptions */
/** @typedef {import("./types.js").Service} Service */
/** @typedef {import("./types.js").MidjourneyTask} MidjourneyTask */
/** @typedef {import("./types.js").VideoTask} VideoTask */
/** @typedef {import("./types.js").Outcome} Outcome */
/** @typedef {import("./plan.js").Work} Work */

/** As many Midjourney tasks run at once; further ones queue (code 22). */
export const ROOM = 10;
/** A stale row shows the end of the newer one at the next pass, which is up to 15 s away. */
const LONGEST_LAG_MS = 15_000;

/** @param {SandboxOptions} options @returns {Service} */
export function createService({ now = Date.now, seed = 1, speed = 1, apiKey, origin, notify }) {
  if (!(speed > 0 && speed < Infinity))
    throw new TypeError(`createSandbox: speed ${speed} is not a positive number`);
  return {
    now: () => now(),
    seed,
    speed,
    apiKey,
    origin: origin === undefined ? undefined : new URL(origin).origin,
    notify,
    rows: new Map(),
    videos: new Map(),
    hooked: [],
    submits: 0,
    calls: 0,
    revoked: new Map(),
  };
}

/**
 * @typedef {object} Draft
 * @property {string} action
 * @property {string} prompt
 * @property {Outcome} outcome
 * @property {string} state
 * @property {string} notifyHook
 * @property {string} botType
 * @property {ReadonlySet<string>} marks
 * @property {number} [places] how many wait before it
 */

/** @param {Service} service @param {number} now @param {Draft} draft @returns {MidjourneyTask} */
export function addTask(service, now, draft) {
  const { task, random } = createTask(service, now, draft);
  task.plan = planOf(service, now, draft, random);
  return keep(service, task);
}

/** @param {Service} service @param {number} now @param {Draft} draft @param {() => number} random */
function planOf({ speed }, now, draft, random) {
  const { marks, places } = draft;
  return createPlan({ work: workOf(draft), random, submittedAt: now, speed, marks, places });
}

/**
 * A row that waits for its window to be confirmed.
 * @param {Service} service @param {number} now @param {Draft} draft
 */
export function addModal(service, now, draft) {
  const { task } = createTask(service, now, draft);
  return keep(service, { ...task, modal: true });
}

/**
 * The second row under the id of a confirmed window.
 * @param {Service} service @param {number} now @param {Draft} draft @param {MidjourneyTask} modal
 */
export function addConfirmed(service, now, draft, modal) {
  const { task, random } = createTask(service, now, draft);
  modal.lagMs = Math.floor(random() * LONGEST_LAG_MS);
  task.plan = planOf(service, now, draft, random);
  modal.newer = keep(service, { ...task, id: modal.id });
  return modal.newer;
}

/**
 * @param {Service} service @param {number} now @param {Omit<VideoTask, "id" | "clip" | "plan">} video
 * @param {ReadonlySet<string>} marks
 */
export function addVideo(service, now, video, marks) {
  const random = nextRandom(service);
  const plan = createPlan({ work: "video", random, submittedAt: now, speed: service.speed, marks });
  const id = `task_${alphanumerics(random, 32)}`;
  const task = { ...video, id, clip: Math.floor(random() * 4), plan };
  service.videos.set(id, task);
  return task;
}

/** How many tasks must end before another one starts. @param {Service} service @param {number} now */
export function placesBefore(service, now) {
  const rows = [...service.rows.values()].flat().filter((task) => !task.modal);
  const running = rows.filter((task) => readPlan(task.plan, now).phase !== "over").length;
  return Math.max(0, running + 1 - ROOM);
}

/** @param {Service} service @param {number} now @param {Draft} draft */
function createTask(service, now, { action, prompt, outcome, state, notifyHook, botType }) {
  const random = nextRandom(service);
  const id = newId(service, now, random);
  const hash = [8, 4, 4, 4, 12].map((length) => hexDigits(random, length)).join("-");
  const plan = createModalPlan({ submittedAt: now, speed: service.speed });
  const rest = { plan, hash, modal: false, newer: null, lagMs: 0, told: "" };
  return { task: { id, action, prompt, outcome, state, notifyHook, botType, ...rest }, random };
}

/**
 * Its own stream for each task, so that a task depends on the seed and its number alone.
 * @param {Service} service
 */
function nextRandom(service) {
  service.submits += 1;
  return createRandom(service.seed, "task", service.submits);
}

/**
 * 13 digits of milliseconds and 3 more; of the next millisecond where this one has next to none left.
 * @param {Service} service @param {number} now @param {import("./types.js").Random} random
 */
function newId(service, now, random) {
  for (let draws = 0; ; draws += 1) {
    const time = Math.floor(now) + Math.floor(draws / 20);
    const id = `${time}`.padStart(13, "0") + digits(random, 3);
    if (!service.rows.has(id)) return id;
  }
}

/** @param {Service} service @param {MidjourneyTask} task */
function keep(service, task) {
  service.rows.set(task.id, [...(service.rows.get(task.id) ?? []), task]);
  if (task.notifyHook !== "") service.hooked.push(task);
  return task;
}

/** @param {Draft} draft @returns {Work} */
function workOf({ action, outcome }) {
  if (outcome.kind === "clips") return "clips";
  if (outcome.kind === "texts") return "text";
  return action === "UPSCALE" ? "upscale" : "image";
}
