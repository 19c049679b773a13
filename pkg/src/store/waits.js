/**
 * The waits of the tab that leads: one for each task that is not settled, all in the client's one schedule.
 * @import { Client, PollOptions, Task } from "../index.js"
 * @import { TaskRecord } from "./record.js"
 */
export class Waits {
  #client;
  #options;
  #hooks;
  /** @type {Map<string, { handle: string, stop: AbortController }>} */
  #open = new Map();
  /** The waits that have ended, by id: none begins again unless somebody asks. @type {Map<string, string>} */
  #ended = new Map();

  /**
   * @param {Client} client
   * @param {PollOptions} options
   * @param {{ onReading(task: Task): void, onError(error: unknown): void }} hooks
   */
  constructor(client, options, hooks) {
    this.#client = client;
    this.#options = options;
    this.#hooks = hooks;
  }

  /** Waits for the task, unless it does so already or has done so. @param {TaskRecord} record */
  follow({ id, handle }) {
    const name = `${handle.kind} ${handle.submittedAt}`;
    const open = this.#open.get(id);
    if (open?.handle === name || this.#ended.get(id) === name) return;
    open?.stop.abort();
    const stop = new AbortController();
    this.#open.set(id, { handle: name, stop });
    this.#wait(handle, stop.signal).finally(() => {
      if (this.#open.get(id)?.stop !== stop) return;
      this.#open.delete(id);
      this.#ended.set(id, name);
    });
  }

  /** Waits that ended may begin again. */
  forgive() {
    this.#ended.clear();
  }

  /** @param {string} id */
  stop(id) {
    this.#open.get(id)?.stop.abort();
    this.#open.delete(id);
    this.#ended.delete(id);
  }

  stopAll() {
    for (const id of [...this.#open.keys()]) this.stop(id);
    this.forgive();
  }

  /** @param {TaskRecord["handle"]} handle @param {AbortSignal} signal */
  async #wait(handle, signal) {
    /** @param {Task} task */
    const onUpdate = (task) => {
      if (!signal.aborted) this.#hooks.onReading(task);
    };
    try {
      onUpdate(
        await this.#client.poll(handle, { ...this.#options, throwOnFailure: false, signal, onUpdate }),
      );
    } catch (error) {
      if (!signal.aborted) this.#hooks.onError(error);
    }
  }
}
