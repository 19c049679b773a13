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

  async panicAndRecovery(client, { isCometError }) {
    const { handle, memory } = await instanceOf(client);
    const waiting = rejection(client.poll(handle, QUICK));
    takeAll(memory);
    const broken = await rejection(client.submitImagine({ prompt: "a".repeat(4 * 1024 * 1024) }));
    for (const error of [broken, await waiting]) {
      expect(isCometError(error) && error.code === "panic", `code "panic", not ${error}`);
    }
    const task = await client.fetchTask(handle);
    expect(task.status !== "failed", "the next call to have a new instance");
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

/**
 * A task that never ends, and the memory of the instance that the client has submitted it from.
 * @param {import("comet-tasks").Client} client
 */
async function instanceOf(client) {
  const { Instance } = WebAssembly;
  /** @type {WebAssembly.Instance[]} */
  const made = [];
  const watched = /** @type {any} */ (
    function (/** @type {WebAssembly.Module} */ module, /** @type {WebAssembly.Imports} */ imports) {
      made.push(new Instance(module, imports));
      return made[0];
    }
  );
  WebAssembly.Instance = watched;
  try {
    const handle = await client.submitImagine({ prompt: "sandbox:never" });
    const memory = Object.values(made[0].exports).find(
      (value) => String(value) === "[object WebAssembly.Memory]",
    );
    return { handle, memory: /** @type {WebAssembly.Memory} */ (memory) };
  } finally {
    WebAssembly.Instance = Instance;
  }
}

/** Leaves an instance nothing to grow into: its next large allocation traps, as a real lack of memory would make it. */
function takeAll(/** @type {WebAssembly.Memory} */ memory) {
  for (let pages = 65_536; pages >= 1; pages /= 2) {
    try {
      memory.grow(pages);
    } catch {
      // There are fewer left.
    }
  }
}

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
