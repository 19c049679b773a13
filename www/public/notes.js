/**
 * What the page itself remembers of its tasks: titles, and which ones nobody waits for. The tasks and their readings are in
 * the package's store; this is a list in localStorage, which tells other tabs by itself when it changes.
 */

/**
 * @typedef {object} Note
 * @property {string} key the page's own name for it: a task has an id only after it was submitted
 * @property {import("comet-tasks").TaskHandle} [handle] missing while it is being sent
 * @property {import("./orders.js").Way} way
 * @property {string} title
 * @property {import("./orders.js").Shape} shape
 * @property {number} startedAt
 * @property {string} tab the one that sends it
 * @property {import("./orders.js").SubmitCall} [call] to make it again; left out when it holds a picture's bytes
 * @property {boolean} [stopped] nobody waits for it
 * @property {import("./media.js").Asset[]} [kept] its files in the bucket of the page's server
 * @typedef {ReturnType<typeof createNotes>} Notes
 */

const MOST = 200;
/** Longer than a submit may take (120 s): whatever is still "being sent" after that was left behind. */
const SENDING_MS = 180_000;

/** The tab outlives a reload, and so tells its own unfinished submits from those of other tabs. */
const tab = tabName();

/** The submits that this very page has under way. @type {Set<string>} */
const sending = new Set();

/** @param {string} session the service that knows these tasks */
export function createNotes(session) {
  const storageKey = `comet-tasks-demo:${session}`;
  let notes = read(storageKey);
  /** @type {() => void} */
  let tell = () => {};

  const listening = new AbortController();
  const onStorage = (/** @type {StorageEvent} */ event) => {
    if (event.key !== storageKey) return;
    notes = read(storageKey);
    tell();
  };
  addEventListener("storage", onStorage, { signal: listening.signal });

  const write = () => {
    notes = notes.sort((a, b) => b.startedAt - a.startedAt).slice(0, MOST);
    try {
      localStorage.setItem(storageKey, JSON.stringify(notes));
    } catch {
      // Storage is full or forbidden: the page works, and a reload forgets the titles.
    }
    tell();
  };
  return {
    /** Newest first. @returns {readonly Note[]} */
    all: () => notes,
    /** @param {Omit<Note, "key" | "tab">} fields */
    add(fields) {
      const note = { ...fields, key: crypto.randomUUID(), tab };
      if (!note.handle) sending.add(note.key);
      notes = [note, ...notes];
      write();
      return note;
    },
    /** @param {string} key @param {Partial<Note>} fields */
    change(key, fields) {
      sending.delete(key);
      notes = notes.map((note) => (note.key === key ? { ...note, ...fields } : note));
      write();
    },
    /** @param {string} key */
    remove(key) {
      sending.delete(key);
      notes = notes.filter((note) => note.key !== key);
      write();
    },
    /** The page that sent it is gone, and its answer was never heard. @param {Note} note */
    isOrphan: (note) =>
      !note.handle &&
      !sending.has(note.key) &&
      (note.tab === tab || Date.now() - note.startedAt > SENDING_MS),
    /** @param {() => void} listener */
    subscribe(listener) {
      tell = listener;
    },
    close: () => listening.abort(),
  };
}

/** @param {string} key @returns {Note[]} */
function read(key) {
  try {
    const stored = JSON.parse(localStorage.getItem(key) ?? "[]");
    return Array.isArray(stored) ? stored.filter((note) => typeof note?.key === "string") : [];
  } catch {
    return [];
  }
}

function tabName() {
  try {
    const name = sessionStorage.getItem("tab") ?? crypto.randomUUID();
    sessionStorage.setItem("tab", name);
    return name;
  } catch {
    return crypto.randomUUID();
  }
}

/**
 * A sandbox lives as long as its server: what earlier ones made is gone, and so may be what was kept of it.
 * @param {string} session the present one
 */
export async function forgetOldSandboxes(session) {
  const isOld = (/** @type {string} */ name) => name.includes("sandbox-") && !name.endsWith(session);
  try {
    for (const key of Object.keys(localStorage)) if (isOld(key)) localStorage.removeItem(key);
    for (const { name } of await indexedDB.databases())
      if (name && isOld(name)) indexedDB.deleteDatabase(name);
  } catch {
    // What cannot be tidied stays.
  }
}
