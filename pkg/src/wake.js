/**
 * Tells a client when its page becomes visible, is shown again or comes back online: its timers ran late or not at all
 * meanwhile. It is held weakly: a client which nobody uses any more can go, and its listeners with it.
 *
 * @param {{ hurry(): void }} client its host
 * @returns {() => void} stops listening
 */
export function onWake(client) {
  const isPage = typeof document !== "undefined" && typeof document.addEventListener === "function";
  if (!isPage || typeof window === "undefined") return () => {};
  const weak = new WeakRef(client);
  const wake = (/** @type {Event} */ event) => {
    const held = weak.deref();
    // A page is also shown when it has just been loaded, and has missed nothing.
    const isNew = /** @type {PageTransitionEvent} */ (event).persisted === false;
    if (!held) stop();
    else if (document.visibilityState !== "hidden" && !isNew) held.hurry();
  };
  const stop = () => {
    document.removeEventListener("visibilitychange", wake);
    for (const event of WINDOW_EVENTS) window.removeEventListener(event, wake);
  };
  document.addEventListener("visibilitychange", wake);
  for (const event of WINDOW_EVENTS) window.addEventListener(event, wake);
  left ??= new FinalizationRegistry((stop) => stop());
  left.register(client, stop);
  return stop;
}

/** Of clients that went without being closed. @type {FinalizationRegistry<() => void> | undefined} */
let left;

const WINDOW_EVENTS = ["online", "pageshow"];
