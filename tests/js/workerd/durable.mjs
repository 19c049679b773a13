// A Worker with a CometWorkflow whose every step and bucket call says where it is, to a probe that may hold it there or
// make it throw. Its clock jumps over the sleeps.
import { CometWorkflow, receiveHook } from "comet-tasks/cloudflare";

const realNow = Date.now.bind(Date);
const HOUR_MS = 3_600_000;
let ahead = 0;
Date.now = () => realNow() + ahead;

/** @typedef {(point: string) => Promise<void>} Probe */

/** @param {string} service @returns {Probe} */
function probeOf(service) {
  return async (point) => {
    const reply = await fetch(`${service}/probe`, { method: "POST", body: point });
    if (!reply.ok) throw new Error(`probe: ${point}`);
  };
}

/**
 * @template T
 * @param {Probe} probe @param {string} name @param {() => Promise<T>} work
 */
async function between(probe, name, work) {
  await probe(`> ${name}`);
  const result = await work();
  await probe(`< ${name}`);
  return result;
}

/** @param {any} step @param {Probe} probe @param {number} [longestWaitMs] for an event */
function probedStep(step, probe, longestWaitMs = 1000) {
  return {
    do: (/** @type {string} */ name, /** @type {any} */ config, /** @type {() => Promise<any>} */ work) => {
      const quick = { ...config, retries: { ...config.retries, delay: 1 } };
      const inside = () => between(probe, `in ${name}`, work);
      // Instances share the clock, and each moves it: so all are late for their first reading.
      if (name === "poll 1") ahead += HOUR_MS;
      return between(probe, name, () => step.do(name, quick, inside));
    },
    sleep: (/** @type {string} */ name, /** @type {number} */ ms) =>
      between(probe, name, async () => {
        await step.sleep(name, 1);
        ahead += ms;
      }),
    waitForEvent: (/** @type {string} */ name, /** @type {any} */ options) =>
      between(probe, name, async () => {
        try {
          return await step.waitForEvent(name, {
            ...options,
            timeout: Math.min(options.timeout, longestWaitMs),
          });
        } catch (error) {
          ahead += options.timeout;
          throw error;
        }
      }),
  };
}

/** @param {any} bucket @param {Probe} probe @param {boolean} forgets what marks there are: two submits, for the test's own test */
function probedBucket(bucket, probe, forgets) {
  const isMark = (/** @type {string} */ key) => key.includes(".comet-tasks/");
  return {
    get: (/** @type {string} */ key) =>
      between(probe, "bucket get", () => (forgets && isMark(key) ? null : bucket.get(key))),
    put: (/** @type {string} */ key, /** @type {any} */ value, /** @type {any} */ options) =>
      between(probe, `bucket put ${isMark(key) ? "mark" : key.replace(/^.*\//, "")}`, () =>
        bucket.put(key, value, forgets && isMark(key) ? {} : options),
      ),
    delete: (/** @type {string} */ key) => between(probe, "bucket delete", () => bucket.delete(key)),
    createMultipartUpload: bucket.createMultipartUpload.bind(bucket),
  };
}

export class Probed extends CometWorkflow {
  /** @param {any} event @param {any} step */
  run(event, step) {
    const id = event.instanceId;
    const service = `${/** @type {any} */ (this.env).SERVICE}/${id}`;
    const probe = probeOf(service);
    const { hooked, forgets, longestWaitMs } = event.payload;
    const env = {
      .../** @type {any} */ (this.env),
      COMETAPI_BASE_URL: service,
      ...(hooked && { COMETAPI_HOOK_URL: "https://worker.example/hook" }),
      BUCKET: probedBucket(/** @type {any} */ (this.env).BUCKET, probe, forgets),
    };
    const self = Object.create(this, { env: { value: env } });
    return super.run.call(self, event, /** @type {any} */ (probedStep(step, probe, longestWaitMs)));
  }
}

export { CometWorkflow };

export default {
  /** @param {Request} request @param {any} env */
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url);
    const id = searchParams.get("id") ?? "";
    if (pathname.startsWith("/hook/")) {
      const [, , instance] = pathname.split("/");
      const own = { ...env, COMETAPI_BASE_URL: `${env.SERVICE}/${instance}` };
      return receiveHook(request, own, { workflow: "FLOW", bucket: "BUCKET", prefix: `${instance}/` });
    }
    try {
      return Response.json((await answer(pathname, id, request, env)) ?? null);
    } catch (error) {
      return Response.json({ thrown: String(error) }, { status: 500 });
    }
  },
};

/** @param {string} pathname @param {string} id @param {Request} request @param {any} env */
async function answer(pathname, id, request, env) {
  if (pathname === "/create") return void (await env.FLOW.create({ id, params: await request.json() }));
  const instance = await env.FLOW.get(id);
  if (pathname === "/restart") return instance.restart();
  // The stand-in for the engine starts an instance of a process that is gone when an event comes for it.
  if (pathname === "/poke") return instance.sendEvent({ type: "poke", payload: {} });
  const { status, output, error } = await instance.status();
  return { status, output, error };
}
