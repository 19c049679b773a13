// Virtual time: real clients, a clock that jumps from timer to timer, and a service that answers from seeded tasks.
import FakeTimers from "@sinonjs/fake-timers";
import { handleOf } from "./ours.mjs";
import { random, endMs, progress } from "./tasks.mjs";

/**
 * @import { Peer } from "./peers.mjs"
 * @import { Course, Regime } from "./tasks.mjs"
 * @typedef {{ requests: number, lateS: number[] }} Outcome requests of all tasks, and how long each end went unnoticed
 * @typedef {{ regime?: Regime, roundTripMs?: number, connections?: number, refreshMs?: number }} World
 *   `refreshMs`: the service looks at its own tasks so often, and what it says is as old as that
 * @typedef {{ id: string, course: Course, submittedAt: number, wasTold: boolean, kind: any, handle?: any }} Task
 */

const START = 1_750_000_000_000;
const realImmediate = globalThis.setImmediate;
/** One turn of the real event loop: all that is ready runs. */
const turn = () => new Promise((resolve) => realImmediate(() => resolve(undefined)));

/**
 * Runs `work` with clock, timers and chance in our hands.
 * @template T
 * @param {(clock: import("@sinonjs/fake-timers").Clock) => Promise<T>} work
 */
export async function inVirtualTime(work) {
  const { random: chance } = Math;
  Math.random = random(7);
  const clock = FakeTimers.install({
    now: START,
    toFake: ["setTimeout", "clearTimeout", "Date", "performance"],
  });
  try {
    return await drive(clock, work(clock));
  } finally {
    clock.uninstall();
    Math.random = chance;
  }
}

/**
 * @template T
 * @param {import("@sinonjs/fake-timers").Clock} clock
 * @param {Promise<T>} work
 */
async function drive(clock, work) {
  let isDone = false;
  const end = () => (isDone = true);
  work.then(end, end);
  for (await turn(); !isDone; await turn()) {
    if (clock.countTimers() === 0) throw new Error("nobody waits for anything, and not every wait has ended");
    clock.next();
  }
  return work;
}

/** A service with these tasks, as one peer's fetch sees it. */
export class Service {
  requests = 0;
  /** @type {Map<string, Task>} */
  tasks = new Map();
  #free;
  /** @type {(() => void)[]} */
  #queue = [];

  /** @param {Peer} peer @param {World} world */
  constructor(peer, { regime = "none", roundTripMs = 0, connections = Infinity, refreshMs = 0 }) {
    this.peer = peer;
    this.regime = regime;
    this.roundTripMs = roundTripMs;
    this.refreshMs = refreshMs;
    this.#free = connections;
  }

  /** @param {any} input @param {any} [init] */
  fetch = async (input, init = {}) => {
    const url = String(input instanceof Request ? input.url : input);
    const ids = this.peer.asked(url, init);
    if (ids === null) return json({ id: JSON.parse(init.body).promptText });
    this.requests += 1;
    await this.#connection();
    await sleep(this.roundTripMs / 2);
    const body = this.peer.body(
      ids.map((id) => this.#state(id)),
      url,
    );
    await sleep(this.roundTripMs / 2);
    this.#free += 1;
    this.#queue.shift()?.();
    return json(body);
  };

  async #connection() {
    while (this.#free <= 0) await new Promise((resolve) => this.#queue.push(() => resolve(undefined)));
    this.#free -= 1;
  }

  /** @param {string} id */
  #state(id) {
    const task = this.tasks.get(id);
    if (!task) throw new Error(`${this.peer.name} asked for a task that is none: ${id}`);
    const ageMs = this.shownAge(task, Date.now() - task.submittedAt);
    const failed = ageMs >= task.course.failsAtMs;
    const done = failed || ageMs >= task.course.durationMs;
    task.wasTold ||= done;
    return { id, done, failed, progress: done ? 100 : progress(task.course, this.regime, ageMs) };
  }

  /** The age at which the service looked last. @param {Task} task @param {number} ageMs */
  shownAge({ course: { phase } }, ageMs) {
    if (!this.refreshMs) return ageMs;
    const since = (ageMs + phase * this.refreshMs) % this.refreshMs;
    return Math.max(0, ageMs - since);
  }

  /** How long after its submit anybody can know that it has ended. @param {Course} course */
  endsAfter(course) {
    const end = endMs(course);
    if (!this.refreshMs) return end;
    const since = (end + course.phase * this.refreshMs) % this.refreshMs;
    return since === 0 ? end : end - since + this.refreshMs;
  }
}

/** @param {number} ms */
const sleep = (ms) => (ms > 0 ? new Promise((resolve) => setTimeout(resolve, ms)) : undefined);

/** @param {unknown} body */
function json(body) {
  return new Response(JSON.stringify(body), { headers: { "content-type": "application/json" } });
}

/**
 * Waits for a task until the client says that it has ended, and fails when nobody had told it so.
 * @param {Service} service
 * @param {import("./peers.mjs").Client} client
 * @param {Task} task
 */
export async function waitFor(service, client, task) {
  service.tasks.set(task.id, task);
  await client.wait(task).catch((/** @type {any} */ error) => {
    if (!task.wasTold || task.course.failsAtMs === Infinity) throw error;
  });
  if (!task.wasTold)
    throw new Error(`${service.peer.name} ended a wait, and nobody had told it that the task has`);
  return (Date.now() - task.submittedAt - service.endsAfter(task.course)) / 1000;
}

/**
 * Waits for each task alone: what the schedule does when nothing else is waited for.
 * @param {Peer} peer
 * @param {import("./tasks.mjs").Kind | "action"} kind
 * @param {Course[]} courses
 * @param {World} world
 * @param {object} [options] of the wait
 * @returns {Promise<Outcome>}
 */
export async function alone(peer, kind, courses, world, options) {
  const service = new Service(peer, world);
  const client = await peer.client(service.fetch, options);
  return inVirtualTime(async () => {
    const lateS = [];
    for (const [at, course] of courses.entries())
      lateS.push(await waitFor(service, client, taskOf(kind, at, course)));
    return { requests: service.requests, lateS };
  });
}

/** A task that is submitted now. @param {any} kind @param {number} at @param {Course} course @returns {Task} */
export function taskOf(kind, at, course) {
  const id = `${kind === "veo" ? "video_" : ""}17733149${String(at).padStart(8, "0")}`;
  const submittedAt = Date.now();
  return { id, course, submittedAt, wasTold: false, kind, handle: handleOf(kind, id, submittedAt) };
}

/**
 * Waits for all tasks at once, submitted one after another over `overMs`.
 * @param {Peer} peer
 * @param {import("./tasks.mjs").Kind} kind
 * @param {Course[]} courses
 * @param {World} world
 * @returns {Promise<Outcome>}
 */
export async function together(peer, kind, courses, world, overMs = 0) {
  const service = new Service(peer, world);
  const client = await peer.client(service.fetch);
  return inVirtualTime(async () => {
    const waits = courses.map(async (course, at) => {
      await sleep((at * overMs) / courses.length);
      return waitFor(service, client, taskOf(kind, at, course));
    });
    const lateS = await Promise.all(waits);
    return { requests: service.requests, lateS };
  });
}
