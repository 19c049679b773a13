/**
 * Who is to know of a signal's abort. One listener serves all: many on one signal are a leak to Node, which says so, and are
 * gone through for each that is added.
 *
 * @type {WeakMap<AbortSignal, { works: Set<() => void>, tell: () => void }>}
 */
const heard = new WeakMap();

/** Calls `work` when the signal aborts. @param {AbortSignal} signal @param {() => void} work */
export function onAbort(signal, work) {
  let entry = heard.get(signal);
  if (!entry) {
    const works = new Set();
    entry = { works, tell: () => works.forEach((work) => work()) };
    heard.set(signal, entry);
    signal.addEventListener("abort", entry.tell);
  }
  entry.works.add(work);
}

/** Not any more. @param {AbortSignal} signal @param {() => void} work */
export function offAbort(signal, work) {
  const entry = heard.get(signal);
  if (!entry?.works.delete(work) || entry.works.size > 0) return;
  heard.delete(signal);
  signal.removeEventListener("abort", entry.tell);
}
