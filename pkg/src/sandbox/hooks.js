// notifyHook calls: the whole task, posted to the address that the submit named, at each change that is
// noticed.
//
// There is no timer here, so a change is noticed when the next request of any kind arrives. Like the service's
// own
// calls they are not signed, not ordered and not repeated.

import { readRow } from "./readings.js";

/** @typedef {import("./types.js").Service} Service */
/** @typedef {import("./types.js").Call} Call */

/** @param {Service} service @param {Call} call */
export function deliverHooks(service, call) {
  const { notify } = service;
  if (!notify) return;
  for (const task of service.hooked) {
    const reading = readRow(service, call, task);
    const news = `${reading.status} ${reading.progress}`;
    if (reading.status === "" || news === task.told) continue;
    task.told = news;
    post(notify, task.notifyHook, reading);
  }
  service.hooked = service.hooked.filter(
    (task) => !task.told.endsWith("100%") || task.told.startsWith("IN_PROGRESS"),
  );
}

/**
 * Whatever goes wrong, an address that is none included, concerns nobody but the receiver.
 * @param {(request: Request) => Promise<unknown>} notify @param {string} hook @param {object} reading
 */
async function post(notify, hook, reading) {
  const headers = { "Content-Type": "application/json" };
  try {
    await notify(new Request(hook, { method: "POST", headers, body: JSON.stringify(reading) }));
  } catch {
    // The service does not repeat a call that failed.
  }
}
