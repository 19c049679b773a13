// The clients that are measured, each as `wait` (until a task has ended) and `read` (once), and how its service answers.

/**
 * @typedef {{ id: string, done: boolean, failed?: boolean, progress: number | null }} State of a task, as its service sees it
 * @typedef {(input: any, init?: any) => Promise<Response>} Fetch
 * @typedef {{
 *   wait(task: any): Promise<unknown>,
 *   read?: (task: any) => Promise<unknown>,
 *   readMany?: (tasks: any[]) => Promise<unknown>,
 * }} Client
 * @typedef {{
 *   name: string,
 *   client(fetch: Fetch, options?: object): Promise<Client>,
 *   asked(url: string, init: any): string[] | null,
 *   body(states: State[], url: string): unknown,
 * }} Peer
 */

/** The peers' types are not there before they are installed. @param {string} name @returns {Promise<any>} */
const load = (name) => import(name);

/** @type {Peer} */
export const fal = {
  name: "@fal-ai/client",
  async client(fetch) {
    const { createFalClient } = await load("@fal-ai/client");
    const { queue } = createFalClient({ credentials: "key", fetch });
    return {
      // The loop of `subscribe`, without the request for the result that it makes afterwards.
      wait: ({ id }) => queue.subscribeToStatus("fal-ai/any", { requestId: id }),
      read: ({ id }) => queue.status("fal-ai/any", { requestId: id }),
    };
  },
  asked: (url) => [url.split("/requests/")[1].split("/")[0]],
  body([{ id, done }]) {
    const own = `https://queue.fal.run/fal-ai/any/requests/${id}`;
    return {
      status: done ? "COMPLETED" : "IN_PROGRESS",
      request_id: id,
      response_url: own,
      status_url: `${own}/status`,
      cancel_url: `${own}/cancel`,
      logs: null,
      metrics: {},
    };
  },
};

/** @type {Peer} */
export const replicate = {
  name: "replicate",
  async client(fetch) {
    const { default: Replicate } = await load("replicate");
    const client = new Replicate({ auth: "key", fetch });
    return { wait: ({ id }) => client.wait({ id, status: "starting" }, {}) };
  },
  asked: (url) => [url.slice(url.lastIndexOf("/") + 1)],
  body: ([{ id, done }]) => ({
    id,
    status: done ? "succeeded" : "processing",
    output: done ? ["https://cdn.example/a.png"] : null,
    error: null,
    logs: "",
  }),
};

/** @type {Peer} */
export const runway = {
  name: "@runwayml/sdk",
  async client(fetch) {
    const { default: RunwayML } = await load("@runwayml/sdk");
    const client = new RunwayML({ apiKey: "key", fetch });
    const params = { model: "gen4_turbo", ratio: "1280:720", promptImage: "https://cdn.example/a.png" };
    return {
      // Its ten minutes are no part of its pace.
      wait: ({ id }) =>
        client.imageToVideo.create({ ...params, promptText: id }).waitForTaskOutput({ timeout: null }),
    };
  },
  asked: (url, { method }) =>
    method?.toUpperCase() === "POST" ? null : [url.slice(url.lastIndexOf("/") + 1)],
  body: ([{ id, done }]) => ({
    id,
    status: done ? "SUCCEEDED" : "RUNNING",
    createdAt: "2026-01-01T00:00:00Z",
    ...(done ? { output: ["https://cdn.example/a.mp4"] } : { progress: 0.5 }),
  }),
};

/** @param {State} state */
export function videoBody({ id, done, failed, progress }) {
  return {
    id,
    object: "video",
    created_at: null,
    status: failed ? "failed" : done ? "completed" : "in_progress",
    completed_at: null,
    expires_at: null,
    error: failed ? { code: "failed", message: "it failed" } : null,
    model: "sora-2",
    progress,
    prompt: "a small boat at dawn, drifting between the reeds",
    remixed_from_video_id: null,
    seconds: "8",
    size: "1280x720",
    ...(done && !failed ? { url: "https://cdn.example/a.mp4" } : {}),
  };
}

/** @type {Peer} */
export const openai = {
  name: "openai",
  async client(fetch) {
    const { default: OpenAI } = await load("openai");
    const client = new OpenAI({ apiKey: "key", fetch });
    const read = (/** @type {{ id: string }} */ { id }) => client.videos.retrieve(id);
    return { wait: () => Promise.reject(new Error("it has no loop")), read };
  },
  asked: (url) => [url.slice(url.lastIndexOf("/") + 1)],
  body: ([state]) => videoBody(state),
};
