// Time that stands still until somebody moves it.
import FakeTimers from "@sinonjs/fake-timers";

const realImmediate = globalThis.setImmediate;

/** One turn of the event loop, by the real clock's own queue. */
export function turn() {
  return new Promise((resolve) => realImmediate(resolve));
}

/**
 * Timers and Date under the test's control, until it ends.
 * @param {{ after(work: () => void): void }} t
 * @param {number} [now] milliseconds since the epoch
 */
export function stopClock(t, now = 1_750_000_000_000) {
  const clock = FakeTimers.install({ now, toFake: ["setTimeout", "clearTimeout", "Date"] });
  t.after(() => clock.uninstall());
  return clock;
}

/** Whether an event announces that the client sleeps now, and for how long. @param {any} event */
export function sleepOf(event) {
  if (event.type === "sleep") return event.ms;
  // A wait tells of its sleeps itself; a submit that is sent again tells of its pause.
  const isRead = ["midjourney.fetch", "midjourney.list", "videos.retrieve"].includes(event.operation);
  return event.type === "retry" && !isRead ? event.waitMs : undefined;
}

/**
 * An `onEvent` that lets every sleep of the client pass at once.
 * @param {{ tick(ms: number): void }} clock
 */
export function skipSleeps(clock) {
  return (/** @type {any} */ event) => {
    const ms = sleepOf(event);
    // The timer is set after the event was told.
    if (ms !== undefined) realImmediate(() => clock.tick(ms));
  };
}
