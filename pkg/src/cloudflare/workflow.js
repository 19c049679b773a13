import { WorkflowEntrypoint } from "cloudflare:workers";
import { NonRetryableError } from "cloudflare:workflows";
import { invalid, isCometError } from "../errors.js";
import { NEWS, clientOf } from "./hook.js";
import { Mark } from "./mark.js";
import { submitOnce } from "./submit.js";

/**
 * @import { SettledTask, TaskHandle } from "../index.js"
 * @import { CometWorkflowParams } from "../cloudflare.js"
 */

/** An instance may have 1024 steps; each turn of the wait takes two. */
const MOST_TURNS = 500;
/** Whoever floods the hook wakes nobody any more. */
const MOST_WAKES = 250;
const WAIT_FOR_WORD_MS = 15 * 60_000;
const RETRIES = { limit: 5, delay: "5 seconds", backoff: "exponential" };

/** Submits, waits and keeps, over restarts at any point. */
export class CometWorkflow extends WorkflowEntrypoint {
  /** @param {{ payload: CometWorkflowParams, instanceId: string }} event @param {any} step */
  async run(event, step) {
    const client = clientOf(this.env);
    try {
      return await new Run(client, this.env, event, step).result();
    } finally {
      client.close();
    }
  }
}

class Run {
  #client;
  #params;
  #id;
  #step;
  #bucket;
  #mark;
  #hook;

  /** @param {import("../index.js").Client} client @param {any} env @param {any} event @param {any} step */
  constructor(client, env, { payload, instanceId }, step) {
    this.#client = client;
    this.#params = payload;
    this.#id = instanceId;
    this.#step = step;
    this.#bucket = env[payload.bucket];
    checkParams(payload, this.#bucket);
    this.#mark = new Mark(this.#bucket, payload.prefix ?? "", instanceId);
    // /v1/videos tells nobody, and a hook of the caller's own is not replaced.
    const isFree =
      payload.submit?.kind !== "veo" && !(/** @type {any} */ (payload.submit?.params)?.notifyHook);
    this.#hook = isFree ? env.COMETAPI_HOOK_URL?.replace(/\/+$/, "") : undefined;
  }

  async result() {
    const handle = await this.#submitted();
    const task = await this.#settled(handle);
    const assets = task.status === "succeeded" ? await this.#kept(task) : [];
    return { task, assets };
  }

  /** @returns {Promise<TaskHandle>} */
  async #submitted() {
    const [client, bucket, mark, id, hook] = [this.#client, this.#bucket, this.#mark, this.#id, this.#hook];
    const { submit } = this.#params;
    const work = () => submitOnce({ client, bucket, mark, submit, id, hook });
    const outcome = await this.#do("submit", "5 minutes", work);
    if (outcome.handle) return outcome.handle;
    const handle = this.#hook && (await this.#givenBack());
    if (handle) return handle;
    throw final(permanent(`submit_unknown: ${outcome.unknown}; a task may exist and be billed`));
  }

  /** The task of a submit whose answer was lost, if the service tells of it. */
  async #givenBack() {
    await this.#sleep("word of the task", WAIT_FOR_WORD_MS, true);
    const found = await this.#do("look for the task", "1 minute", () => this.#mark.read());
    return found?.handle;
  }

  /** @param {TaskHandle} handle @returns {Promise<SettledTask>} */
  async #settled(handle) {
    let [state, isWoken] = [null, false];
    for (let turn = 1; turn <= MOST_TURNS; turn += 1) {
      const look = () => this.#look(handle, state, isWoken, turn);
      const seen = await this.#do(`poll ${turn}`, "2 minutes", look);
      if (seen.task) return seen.task;
      state = seen.state;
      isWoken = await this.#sleep(`wait ${turn}`, seen.waitMs, turn <= MOST_WAKES);
    }
    throw final(permanent(`deadline: out of steps; the task goes on (task ${handle.id})`));
  }

  /**
   * One reading. Only a settled task is kept: every step's result counts against the instance's storage.
   * @param {TaskHandle} handle @param {any} state @param {boolean} isWoken @param {number} turn
   */
  async #look(handle, state, isWoken, turn) {
    const { timeoutMs } = this.#params;
    // Whose age nobody knows is asked for at once; a state with its deadline alone is a new wait with the old end.
    const [asked, from] = isWoken
      ? [{ ...handle, submittedAt: 0 }, state && { deadline: state.deadline }]
      : [handle, state];
    const step = await this.#client.pollOnce(asked, from, { timeoutMs });
    if (step.done) return { task: { ...step.task, handle } };
    const left = Number(step.state.deadline) - Date.now();
    return { state: step.state, waitMs: Math.max(step.waitMs, left / (MOST_TURNS - turn) || 0) };
  }

  /** @param {SettledTask} task */
  async #kept(task) {
    const key = (/** @type {{ key: string }} */ asset) => `${this.#params.prefix ?? ""}${asset.key}`;
    const keep = async () => {
      try {
        return await this.#client.persist(task, this.#bucket, { key });
      } catch (error) {
        // Describe and its kind answer with words.
        if (isCometError(error) && error.code === "no_asset") return [];
        throw error;
      }
    };
    return this.#do("keep", "30 minutes", keep);
  }

  /**
   * A step whose result is plain JSON.
   * @param {string} name @param {string} timeout @param {() => Promise<any>} work
   */
  async #do(name, timeout, work) {
    const plainWork = async () => {
      try {
        return JSON.parse(JSON.stringify(await work()));
      } catch (error) {
        throw mapped(error);
      }
    };
    try {
      return await this.#step.do(name, { retries: RETRIES, timeout }, plainWork);
    } catch (error) {
      throw final(error);
    }
  }

  /**
   * Whether the service woke it before its time.
   * @param {string} name @param {number} ms @param {boolean} mayWake
   */
  async #sleep(name, ms, mayWake) {
    if (!this.#hook || !mayWake) {
      await this.#step.sleep(name, ms);
      return false;
    }
    try {
      await this.#step.waitForEvent(name, { type: NEWS, timeout: Math.max(ms, 1000) });
      return true;
    } catch {
      return false; // the time is over
    }
  }
}

/**
 * Whatever would be found wrong once the submit is paid for is found before.
 * @param {CometWorkflowParams} params @param {any} bucket
 */
function checkParams({ prefix, timeoutMs }, bucket) {
  const refuse = (/** @type {string} */ field, /** @type {string} */ rule) => {
    throw final(mapped(invalid("workflow", field, rule)));
  };
  if (typeof bucket?.createMultipartUpload !== "function")
    refuse("bucket", "must be the name of an R2 binding");
  // Its last part goes on in the key.
  const path = prefix ?? "";
  const isPath =
    typeof path === "string" &&
    path.length <= 300 &&
    /^([^/\\\p{Cc}]+\/)*[^/\\\p{Cc}]*$/u.test(path) &&
    !/(^|\/)\.\.?\//.test(path);
  if (!isPath)
    refuse("prefix", "must begin a relative path, without empty or dotted parts, of at most 300 characters");
  const isTime = typeof timeoutMs === "number" && timeoutMs >= 0 && timeoutMs <= Number.MAX_SAFE_INTEGER;
  if (!isTime && (timeoutMs ?? null) !== null) refuse("timeoutMs", "must be milliseconds, 0 or more");
}

/**
 * What the engine tries again, and what it does not. It keeps name and message alone.
 * @param {any} error
 */
function mapped(error) {
  if (!isCometError(error)) return error;
  const message = `${error.code}: ${error.message}${error.handle ? ` (task ${error.handle.id})` : ""}`;
  const mayPass = error.retryable || error.code === "panic";
  return mayPass ? new Error(message) : permanent(message);
}

/** For a step: the engine knows it by the name that it has by itself. @param {string} message */
function permanent(message) {
  return new NonRetryableError(message);
}

/**
 * For the instance: under that name the engine would put a sentence of its own in the message's place.
 * @param {any} error
 */
function final(error) {
  const isPermanent = error?.name === "NonRetryableError" || /^NonRetryableError/.test(error?.message);
  if (!isPermanent) return error;
  return new NonRetryableError(error.message.replace(/^NonRetryableError: /, ""), "CometError");
}
