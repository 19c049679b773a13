import { invalid } from "../errors.js";

/**
 * @import { Client, TaskHandle } from "../index.js"
 * @typedef {import("./mark.js").Mark} Mark
 * @typedef {{ handle: TaskHandle } | { unknown: string }} Outcome
 */

/** @type {Record<string, "submitImagine" | "submitVideo" | "submitVeo" | "submitAction" | "submitModal">} */
const METHODS = {
  imagine: "submitImagine",
  video: "submitVideo",
  veo: "submitVeo",
  action: "submitAction",
  modal: "submitModal",
};
/** The arguments that are pictures. */
const PICTURES = ["image", "images", "mask", "inputReference"];
const LOST = "an earlier attempt ended between its mark and its answer";

/**
 * Submits, unless somebody did before. Throws only when provably no task was made, and then leaves no mark.
 *
 * @param {object} parts
 * @param {Client} parts.client
 * @param {any} parts.bucket
 * @param {Mark} parts.mark
 * @param {{ kind: string, params: any }} parts.submit
 * @param {string} parts.id the instance's
 * @param {string | undefined} parts.hook where the service may tell of the task
 * @returns {Promise<Outcome>}
 */
export async function submitOnce({ client, bucket, mark, submit, id, hook }) {
  const found = await mark.read();
  if (found) return found.handle ? { handle: found.handle } : { unknown: LOST };
  const method = METHODS[submit?.kind];
  if (!method) throw invalid("workflow", "submit.kind", `must be one of ${Object.keys(METHODS).join(", ")}`);
  const token = crypto.randomUUID() + crypto.randomUUID();
  const params = withHook(await withBytes(submit.params, bucket), hook && `${hook}/${id}/${token}`, id);
  const content = { v: /** @type {1} */ (1), token, kind: submit.kind, at: Date.now(), state: params.state };
  if (!(await mark.claim(content))) return { unknown: LOST };
  let handle;
  try {
    handle = await client[method](params);
  } catch (/** @type {any} */ error) {
    handle = error.handle;
    if (!handle && error.ambiguous === false) {
      await mark.release();
      throw error;
    }
    if (!handle) return { unknown: `${error.code}: ${error.message}` };
  }
  // The step's own result has the handle too: a bucket that fails now is no reason to lose it.
  await mark.settle({ ...content, handle }).catch(() => {});
  return { handle };
}

/** @param {any} params @param {string | undefined} notifyHook @param {string} id */
function withHook(params, notifyHook, id) {
  // An empty text is none.
  return notifyHook ? { ...params, state: params.state || `comet-tasks ${id}`, notifyHook } : params;
}

/** Pictures that lie in the bucket, as bytes. @param {any} params @param {any} bucket */
async function withBytes(params, bucket) {
  const whole = { ...params };
  const load = async (/** @type {any} */ picture) => {
    if (typeof picture?.r2Key !== "string") return picture;
    const object = await bucket.get(picture.r2Key);
    if (!object)
      throw invalid("workflow", "r2Key", `must name an object of the bucket, got ${picture.r2Key}`);
    return object.blob();
  };
  for (const name of PICTURES) {
    const value = whole[name];
    if (value !== undefined)
      whole[name] = await (Array.isArray(value) ? Promise.all(value.map(load)) : load(value));
  }
  return whole;
}
