import { createClient, parseWebhook } from "../workerd.js";
import { Mark } from "./mark.js";

/** The event that wakes a workflow. */
export const NEWS = "comet-tasks-news";
const PATH = /\/([\w-]{1,100})\/([\da-f-]{72})$/;

/**
 * Takes the service's calls for tasks of a `CometWorkflow`, on the route that COMETAPI_HOOK_URL names. The secret in the
 * call's URL is checked, and what the body says is not believed: it wakes the workflow, which reads the task itself. After
 * a submit whose answer was lost it gives the task back, if the service knows it with the tag of that submit.
 *
 * @param {Request} request
 * @param {any} env
 * @param {{ workflow: string, bucket: string, prefix?: string }} names the bindings
 * @returns {Promise<Response>} 204, or 404 for whatever is not to be told apart from nothing
 */
export async function receiveHook(request, env, { workflow, bucket, prefix = "" }) {
  const [, id, token] = PATH.exec(new URL(request.url).pathname) ?? [];
  if (request.method !== "POST" || !id) return answer(404);
  const mark = new Mark(env[bucket], prefix, id);
  const found = await mark.read();
  if (!found || !isSame(found.token, token)) return answer(404);
  const told = await parseWebhook(request).catch(() => undefined);
  if (!told) return answer(400);
  if (found.handle && found.handle.id !== told.handle.id) return answer(404);
  if (!found.handle) {
    const handle = await verified(told.handle.id, found, env);
    if (!handle) return answer(404);
    await mark.settle({ ...found, handle });
  }
  // An instance that has ended takes no event, and needs none.
  const instance = await env[workflow].get(id).catch(() => undefined);
  await instance?.sendEvent({ type: NEWS, payload: {} }).catch(() => {});
  return answer(204);
}

/**
 * The handle of a task that the service knows with this mark's tag.
 * @param {string} id @param {import("./mark.js").Content} mark @param {any} env
 */
async function verified(id, mark, env) {
  const client = clientOf(env);
  try {
    const kind = /** @type {any} */ (mark.kind);
    const task = await client.fetchTask({ v: 1, family: "midjourney", kind, id, submittedAt: mark.at });
    return mark.state && task.state === mark.state ? { ...task.handle, state: mark.state } : undefined;
  } catch {
    return undefined;
  } finally {
    client.close();
  }
}

/** @param {any} env */
export function clientOf({ COMETAPI_KEY: apiKey, COMETAPI_BASE_URL: baseUrl }) {
  return createClient({ apiKey, ...(baseUrl && { baseUrl }) });
}

/** In a time that tells nothing of where they differ. @param {string} one @param {string} other */
function isSame(one, other) {
  let difference = one.length ^ other.length;
  for (let at = 0; at < one.length; at += 1) difference |= one.charCodeAt(at) ^ other.charCodeAt(at);
  return difference === 0;
}

/** @param {number} status */
function answer(status) {
  return new Response(null, { status });
}
