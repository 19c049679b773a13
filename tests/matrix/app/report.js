import { smoke } from "./smoke.js";

/** Where sandbox and report are: the page's own server, unless the address names another. */
const origin = new URL(location.href).searchParams.get("origin") ?? location.origin;

/**
 * Runs the steps and tells the matrix what failed.
 * @param {typeof import("comet-tasks")} api
 */
export async function report(api) {
  await tell(await smoke(api, `${origin}/service`));
}

/** @param {string[]} failures */
export function tell(failures) {
  return fetch(`${origin}/report`, { method: "POST", body: JSON.stringify(failures) });
}
