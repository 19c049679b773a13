/** `comet-tasks/store`: tasks that outlive the page. `store.d.ts` says what each member does. */
import { CometError, invalid, isCometError } from "./errors.js";
import { closedError } from "./options.js";
import { Database } from "./store/database.js";
import { isHandle, isOpen, isReading, withHandle, withReading } from "./store/record.js";
import { Tabs } from "./store/tabs.js";
import { Waits } from "./store/waits.js";

/**
 * @import { Client, Task, TaskHandle } from "./index.js"
 * @import { StoreOptions } from "./store.js"
 * @import { Step, TaskRecord } from "./store/record.js"
 * @typedef {(tasks: readonly Task[]) => void} Listener
 */

/** @param {Client} client @param {StoreOptions} [options] */
export function createStore(client, options = {}) {
  if (typeof client?.poll !== "function") throw invalid("createStore", "client", "must be a client");
  const { name = "default", onError } = options;
  if (typeof name !== "string" || !name) throw invalid("createStore", "name", "must be a text");
  if (onError && typeof onError !== "function") throw invalid("createStore", "onError", "must be a function");
  return new Store(client, name, options);
}

/** So many readings are written at once; the page has its turn before the next. */
const MOST_AT_ONCE = 8;

class Store {
  /** What this tab knows, which is what the database holds, where there is one. @type {Map<string, TaskRecord>} */
  #known = new Map();
  /** @type {Database | undefined} */
  #database;
  /** @type {Set<Listener>} */
  #listeners = new Set();
  #isTelling = false;
  /** Readings that are still to be written: the last of each task. @type {Map<string, Task>} */
  #unwritten = new Map();
  /** @type {Promise<void> | undefined} */
  #writing;
  #isClosed = false;
  /** @type {(error: any) => void} */
  #onError;
  #tabs;
  #waits;
  #loaded;
  #stopListening;

  /** @param {Client} client @param {string} name @param {StoreOptions} options */
  constructor(client, name, { poll = {}, onError = (error) => console.warn(error.message) }) {
    this.#onError = onError;
    this.#waits = new Waits(client, poll, {
      onReading: (task) => this.#read({ ...task }),
      onError: (error) => this.#fail(error),
    });
    this.#tabs = new Tabs(`comet-tasks:${name}`, {
      onMessage: (message) => void this.#loaded.then(() => this.#hear(message)),
      onLead: () => this.#follow(),
      onFollow: () => this.#waits.stopAll(),
    });
    // After the channel was opened: what other tabs do while the records are read is heard afterwards.
    this.#loaded = this.#load(`comet-tasks:${name}`);
    this.#stopListening = onReturn({
      online: () => this.#again(),
      visible: () => {
        this.#tabs.takeOver();
        this.#again();
      },
      thawed: () => this.#thaw(),
    });
  }

  /** @param {TaskHandle} handle */
  async add(handle) {
    if (!isHandle(handle)) throw invalid("store.add", "handle", "must be a task's handle");
    await this.#put({ ...handle });
    this.#follow();
  }

  /** @param {string} id */
  async remove(id) {
    await this.#ready();
    this.#forget(id);
    await this.#keep((database) => database.remove(id));
    this.#send({ type: "remove", id });
  }

  async all() {
    await this.#ready();
    return this.#tasks();
  }

  resume() {
    this.#ready().then(
      () => {
        this.#send({ type: "resume" });
        this.#tabs.compete();
        this.#again();
      },
      () => {}, // closed meanwhile
    );
  }

  /** @param {Listener} listener */
  subscribe(listener) {
    const own = /** @type {Listener} */ ((tasks) => listener(tasks)); // the same function may listen twice
    this.#listeners.add(own);
    this.#loaded.then(() => this.#listeners.has(own) && this.#tell());
    return () => void this.#listeners.delete(own);
  }

  close() {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stopListening();
    this.#listeners.clear();
    this.#waits.stopAll();
    this.#tabs.close();
    this.#loaded.then(() => this.#writing).then(() => this.#database?.close());
  }

  async #ready() {
    await this.#loaded;
    if (this.#isClosed) throw closedError("store");
  }

  /** @param {string} name */
  async #load(name) {
    try {
      this.#database = await Database.open(name);
      for (const record of await this.#database.all()) this.#known.set(record.id, record);
    } catch (error) {
      this.#doWithout(error);
    }
  }

  /** @param {(database: Database) => Promise<unknown>} work */
  async #keep(work) {
    try {
      return await (this.#database ? work(this.#database) : true);
    } catch (error) {
      if (!this.#isClosed) this.#doWithout(error);
      return true;
    }
  }

  /** A browser that keeps nothing, or not any more: said once, and the tasks go on in memory. @param {unknown} cause */
  #doWithout(cause) {
    this.#database?.close();
    this.#database = undefined;
    const message = "this browser keeps no data for this page now: its tasks are forgotten when it is closed";
    this.#onError(new CometError({ code: "unsupported", operation: "store", message }, cause));
  }

  /** @param {Task} task */
  #read(task) {
    const { id } = task.handle;
    if (!this.#take(id, withReading(task))) return;
    this.#unwritten.set(id, task);
    this.#writing ??= this.#write().finally(() => (this.#writing = undefined));
  }

  /** One batch of readings after the other; what is read meanwhile goes along. A reply for fifty tasks is no fifty transactions. */
  async #write() {
    while (this.#unwritten.size > 0) {
      const tasks = [...this.#unwritten.values()].slice(0, MOST_AT_ONCE);
      /** @type {[string, Step][]} */
      const steps = tasks.map((task) => [task.handle.id, withReading(task)]);
      for (const [id] of steps) this.#unwritten.delete(id);
      if (await this.#keep((database) => database.change(steps, "relaxed")))
        this.#send({ type: "read", tasks });
    }
  }

  /** Here at once, then in the database, then in the other tabs: one that opens meanwhile reads it, or hears of it. @param {TaskHandle} handle */
  async #put(handle) {
    await this.#ready();
    const step = withHandle(handle);
    this.#take(handle.id, step);
    if (await this.#keep((database) => database.change([[handle.id, step]], "strict")))
      this.#send({ type: "add", handle });
  }

  /** Whether it is news here. @param {string} id @param {Step} step */
  #take(id, step) {
    const next = step(this.#known.get(id));
    if (!next) return false;
    this.#known.set(id, next);
    this.#tell();
    return true;
  }

  /** @param {string} id */
  #forget(id) {
    this.#waits.stop(id);
    if (this.#known.delete(id)) this.#tell();
  }

  /** @param {object} message */
  #send(message) {
    if (!this.#isClosed) this.#tabs.send({ v: 1, ...message });
  }

  /** @param {any} message of another tab, perhaps of another version of this package */
  #hear(message) {
    if (this.#isClosed || message?.v !== 1) return;
    const { type, handle, tasks, id, error } = message;
    if (type === "add" && isHandle(handle)) this.#take(handle.id, withHandle(handle));
    const readings = type === "read" && Array.isArray(tasks) ? tasks.filter(isReading) : [];
    for (const task of readings) this.#take(task.handle.id, withReading(task));
    if (type === "remove") this.#forget(id);
    if (type === "resume") this.#waits.forgive();
    if (type === "error" && error) this.#onError(new CometError(error));
    this.#follow();
  }

  /** A wait ended without a settled task. @param {unknown} error */
  #fail(error) {
    if (!isCometError(error)) throw error;
    const { name, ...fields } = JSON.parse(JSON.stringify(error));
    this.#send({ type: "error", error: fields });
    this.#onError(error);
  }

  #follow() {
    if (this.#isClosed || !this.#tabs.leads) return;
    for (const record of this.#known.values()) if (isOpen(record)) this.#waits.follow(record);
  }

  #again() {
    this.#waits.forgive();
    this.#follow();
  }

  /** The page was put aside whole, and heard nothing meanwhile. */
  async #thaw() {
    const records = await this.#keep((database) => database.all());
    if (Array.isArray(records)) this.#known = new Map(records.map((record) => [record.id, record]));
    this.#tell();
    this.#tabs.takeOver();
    this.#again();
  }

  #tasks() {
    // By id where two are of the same millisecond: the order is the same in every tab.
    const records = [...this.#known.values()].sort(
      (a, b) => b.handle.submittedAt - a.handle.submittedAt || (a.id < b.id ? 1 : -1),
    );
    return records.map(({ task }) => task);
  }

  /** Once for all that happens in one turn: a batch of readings is one change. */
  #tell() {
    if (this.#isTelling) return;
    this.#isTelling = true;
    queueMicrotask(() => {
      this.#isTelling = false;
      const tasks = this.#tasks();
      // One that throws must not keep the news from the others; its error surfaces as uncaught.
      for (const listener of this.#listeners) queueMicrotask(() => listener(tasks));
    });
  }
}

/**
 * @param {{ online(): void, visible(): void, thawed(): void }} hooks
 * @returns {() => void} stops listening
 */
function onReturn(hooks) {
  if (typeof document === "undefined" || typeof window === "undefined") return () => {};
  const listening = new AbortController();
  const { signal } = listening;
  const seen = () => document.visibilityState === "visible" && hooks.visible();
  document.addEventListener("visibilitychange", seen, { signal });
  window.addEventListener("online", () => hooks.online(), { signal });
  window.addEventListener("pageshow", ({ persisted }) => persisted && hooks.thawed(), { signal });
  return () => listening.abort();
}
