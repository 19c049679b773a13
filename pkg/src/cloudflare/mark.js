/** For what a bucket fails at and may well do a moment later. */
const TRIES = 3;

/**
 * @import { TaskHandle } from "../index.js"
 * @typedef {object} Content
 * @property {1} v
 * @property {string} token the secret in the hook's URL
 * @property {string} kind
 * @property {number} at when the submit was about to leave
 * @property {string} [state] the tag that went with it
 * @property {TaskHandle} [handle] once the task is known
 */

/**
 * The mark that makes a submit at most once: an object that one run alone can create, before the submit leaves. Whoever
 * finds it does not submit; whoever finds a handle in it goes on from there.
 */
export class Mark {
  #bucket;
  #key;

  /** @param {any} bucket R2 @param {string} prefix @param {string} id the instance's */
  constructor(bucket, prefix, id) {
    this.#bucket = bucket;
    this.#key = `${prefix}.comet-tasks/${id}.json`;
  }

  /** @returns {Promise<Content | null>} */
  async read() {
    return again(async () => (await this.#bucket.get(this.#key))?.json() ?? null);
  }

  /**
   * Whether this call made the mark. A bucket whose answer was lost is asked whose mark it has.
   * @param {Content} content
   */
  async claim(content) {
    const onlyIf = { etagDoesNotMatch: "*" };
    return again(async () => {
      const made = await this.#bucket.put(this.#key, JSON.stringify(content), { onlyIf }).catch(() => null);
      if (made) return true;
      const found = await this.read();
      if (!found) throw new Error("the bucket took no mark");
      return found.token === content.token;
    });
  }

  /** @param {Content} content with the handle */
  async settle(content) {
    await again(() => this.#bucket.put(this.#key, JSON.stringify(content)));
  }

  /** After a submit that provably created nothing. */
  async release() {
    await again(() => this.#bucket.delete(this.#key));
  }
}

/**
 * @template T
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
async function again(work) {
  for (let left = TRIES - 1; ; left -= 1) {
    try {
      return await work();
    } catch (error) {
      if (left === 0) throw error;
    }
  }
}
