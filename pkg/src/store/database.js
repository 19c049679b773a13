/**
 * The records in IndexedDB: one database for each store's name, one object store, the task's id as key.
 * @typedef {import("./record.js").TaskRecord} TaskRecord
 */
import { readable } from "./record.js";

const TASKS = "tasks";

export class Database {
  #db;

  /** @param {IDBDatabase} db */
  constructor(db) {
    this.#db = db;
    // Whoever deletes the database, or opens a later version of it, must not wait for this tab.
    db.onversionchange = () => db.close();
  }

  /** @param {string} name */
  static async open(name) {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(TASKS, { keyPath: "id" });
    return new Database(await result(request));
  }

  /** The records that this version can use; others stay where they are. */
  async all() {
    const stored = await result(this.#db.transaction(TASKS).objectStore(TASKS).getAll());
    return stored.map(readable).filter((record) => record !== undefined);
  }

  /**
   * Takes a step for each of these tasks, all in one transaction, so that two tabs never overwrite each other.
   * @param {[id: string, step: import("./record.js").Step][]} steps
   * @param {IDBTransactionDurability} durability
   * @returns {Promise<boolean>} whether something changed
   */
  async change(steps, durability) {
    const transaction = this.#db.transaction(TASKS, "readwrite", { durability });
    const committed = completion(transaction);
    const tasks = transaction.objectStore(TASKS);
    let isChanged = false;
    for (const [id, step] of steps) {
      const request = tasks.get(id);
      request.onsuccess = () => {
        const isForeign = request.result?.v > 1; // a later version's: not ours to replace
        const next = isForeign ? undefined : step(readable(request.result));
        if (!next) return;
        isChanged = true;
        tasks.put(next);
      };
    }
    await committed;
    return isChanged;
  }

  /** @param {string} id */
  async remove(id) {
    const transaction = this.#db.transaction(TASKS, "readwrite");
    transaction.objectStore(TASKS).delete(id);
    await completion(transaction);
  }

  close() {
    this.#db.close();
  }
}

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
function result(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** @param {IDBTransaction} transaction @returns {Promise<void>} */
function completion(transaction) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });
}
