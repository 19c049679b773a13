/** The tasks of this browser, so that a reload goes on where it was. Handles are plain JSON and hold no key and no URL. */

/**
 * @typedef {object} Entry
 * @property {import("comet-tasks").TaskHandle} handle
 * @property {import("./form.js").Way} way
 * @property {string} title
 * @property {import("./form.js").Shape} shape
 * @property {number} startedAt
 * @property {number} [endedAt]
 */

const MOST = 24;

/** @param {string} session the service that knows these tasks: another one must not be asked for them */
export function createStore(session) {
  const key = `comet-tasks-demo:${session}`;
  /** @type {Entry[]} */
  let entries = read(key);

  const write = () => {
    try {
      localStorage.setItem(key, JSON.stringify(entries));
    } catch {
      // Storage is full or forbidden: the page works, and a reload forgets.
    }
  };
  return {
    /** Newest first. */
    all: () => [...entries],
    /** @param {Entry} entry */
    put(entry) {
      entries = [entry, ...entries.filter((other) => other.handle.id !== entry.handle.id)];
      entries = entries.sort((a, b) => b.startedAt - a.startedAt).slice(0, MOST);
      write();
    },
    /** @param {object} entry one that was put or listed; anything else changes nothing */
    remove(entry) {
      entries = entries.filter((other) => other !== entry);
      write();
    },
  };
}

/** @param {string} key @returns {Entry[]} */
function read(key) {
  try {
    const stored = JSON.parse(localStorage.getItem(key) ?? "[]");
    return Array.isArray(stored) ? stored : [];
  } catch {
    return [];
  }
}
