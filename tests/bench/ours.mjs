// comet-tasks, packed and installed, in the shape of its peers.
import { importInstalled } from "../js/installed.mjs";
import { videoBody } from "./peers.mjs";

/** @import { Peer, State } from "./peers.mjs" */

export const BASE_URL = "https://gateway.example";

/** @param {State} state */
function pictureBody({ id, done, failed, progress }) {
  return {
    id,
    action: "IMAGINE",
    status: failed ? "FAILURE" : done ? "SUCCESS" : "IN_PROGRESS",
    progress: progress === null ? "" : `${progress}%`,
    prompt: "a small boat at dawn, drifting between the reeds",
    ...(done && !failed
      ? { imageUrl: "https://cdn.example/a.png", videoUrl: "https://cdn.example/a.mp4" }
      : {}),
  };
}

/**
 * The states that are told carry no times, so that the belief stays the shipped one.
 * @type {Peer}
 */
export const ours = {
  name: "comet-tasks",
  async client(fetch, options = {}) {
    const { createClient, init } = await importInstalled("comet-tasks");
    await init();
    const client = createClient({ baseUrl: BASE_URL, apiKey: "a-key-of-the-bench", fetch });
    return {
      wait: ({ handle }) => client.poll(handle, { timeoutMs: null, throwOnFailure: false, ...options }),
      read: ({ handle }) => client.fetchTask(handle),
      readMany: (/** @type {{ handle: any }[]} */ tasks) =>
        client.fetchTasks(tasks.map(({ handle }) => handle)),
    };
  },
  asked(url, { body }) {
    if (url.endsWith("/list-by-condition")) return JSON.parse(body).ids;
    return [/\/(?:mj\/task|v1\/videos)\/([^/]+)/.exec(url)?.[1] ?? ""];
  },
  body(states, url) {
    if (url.endsWith("/list-by-condition")) return states.map(pictureBody);
    return url.includes("/v1/videos/") ? videoBody(states[0]) : pictureBody(states[0]);
  },
};

/**
 * A handle as a submit gives it.
 * @param {"imagine" | "video" | "veo" | "action"} kind
 * @param {string} id
 * @param {number} submittedAt
 */
export function handleOf(kind, id, submittedAt) {
  return { v: 1, family: kind === "veo" ? "videos" : "midjourney", kind, id, submittedAt };
}
