// What every line of the matrix does with the package, wherever that runs: the same calls against the sandbox on loopback.

const PNG = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const QUICK = { intervalMs: 20, timeoutMs: 60_000 };

/**
 * Runs all steps; resolves to what failed, as sentences. Never rejects.
 * @param {typeof import("comet-tasks")} api
 * @param {string} baseUrl the sandbox's
 * @returns {Promise<string[]>}
 */
export async function smoke(api, baseUrl) {
  /** @type {string[]} */
  const failures = [];
  for (const [name, step] of Object.entries(steps)) {
    const client = api.createClient({ baseUrl });
    try {
      await step(client, api);
    } catch (error) {
      failures.push(`${name}: ${error instanceof Error ? `${error.name}: ${error.message}` : error}`);
    } finally {
      client.close();
    }
  }
  return failures;
}

/** @type {Record<string, (client: import("comet-tasks").Client, api: typeof import("comet-tasks")) => Promise<void>>} */
const steps = {
  async submitAndPoll(client) {
    const handle = await client.submitImagine({ prompt: "a lighthouse", state: "café 🌊" });
    const task = await client.poll(handle, QUICK);
    expect(task.status === "succeeded" && task.images.length > 0, `a picture, not ${JSON.stringify(task)}`);
    expect(handle.state === "café 🌊", "its own state back");
  },

  async abort(client) {
    const handle = await client.submitImagine({ prompt: "sandbox:never" });
    const controller = new AbortController();
    const reason = new Error("enough");
    const waiting = client.poll(handle, { ...QUICK, signal: controller.signal });
    setTimeout(() => controller.abort(reason), 50);
    expect((await rejection(waiting)) === reason, "the signal's own reason");
  },

  async multipart(client) {
    const inputReference = [PNG, new Blob([PNG], { type: "image/png" })];
    const task = await client.run({ kind: "veo", params: { prompt: "waves", inputReference } }, QUICK);
    expect(task.videos.length > 0 || /** @type {any} */ (task).content, "a video");
  },

  async errors(client, { isCometError, CometError }) {
    const error = await rejection(client.run({ kind: "imagine", params: { prompt: "sandbox:fail" } }, QUICK));
    expect(isCometError(error) && error instanceof CometError, "a CometError");
    expect(error.code === "task_failed" && Boolean(error.handle?.id), "task_failed, with its handle");
  },

  async webhook(_, { parseWebhook }) {
    const task = await parseWebhook('{"id":"1712345678901234567","status":"SUCCESS","progress":"100%"}');
    expect(task.handle.id === "1712345678901234567", "every digit of the id");
  },
};

/** @param {Promise<unknown>} promise @returns {Promise<any>} */
async function rejection(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("it was resolved");
}

/** @param {boolean} truth @param {string} what */
function expect(truth, what) {
  if (!truth) throw new Error(`expected ${what}`);
}
