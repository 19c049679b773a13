import { toHex } from "./hex.js";

/** Enough to tell what a file is. */
const HEAD_BYTES = 16;
/** What is read at once where the host lets the reader say. */
const PIECE = 64 * 1024;
/** setTimeout takes no more. */
const LONGEST_MS = 2 ** 31 - 1;

/** What `within` rejects with when the time is over. */
export const LATE = Symbol("late");

/**
 * Nothing of what fetch would refuse: another scheme, a user's name in front of the host, no URL at all.
 * @param {any} text
 * @param {URL} [from]
 */
export function webUrl(text, from) {
  try {
    const url = new URL(text, from);
    return /^https?:$/.test(url.protocol) && !url.username && !url.password ? url : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The promise, unless the signal or the time comes first.
 * @template T
 * @param {T | Promise<T>} promise
 * @param {AbortSignal} signal
 * @param {number} [ms]
 * @returns {Promise<T>}
 */
export function within(promise, signal, ms = Infinity) {
  return new Promise((resolve, reject) => {
    /** @type {any} */
    let timer;
    const settle = (/** @type {(value: any) => void} */ end) => (/** @type {any} */ value) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      end(value);
    };
    const onAbort = () => settle(reject)(signal.reason);
    Promise.resolve(promise).then(settle(resolve), settle(reject));
    if (signal.aborted) return onAbort();
    signal.addEventListener("abort", onAbort);
    if (ms < Infinity) timer = setTimeout(settle(reject), Math.min(ms, LONGEST_MS), LATE);
  });
}

/**
 * A reply's body on its way to a sink. It is read as fast as the sink takes it, and ends whole or with an error, so that no
 * sink takes a part for the file.
 */
export class AssetBody {
  /** What the sink has taken. */
  bytes = 0;
  /** What went wrong on this side of the sink. @type {unknown} */
  failure;
  /** Its length, where the reply says it of the bytes that come out. @type {number | null} */
  size;
  #reader;
  #limits;
  /** Read for the first bytes, and still to be handed on. @type {Uint8Array[]} */
  #ahead = [];
  #isAtEnd = false;

  /**
   * @param {Response} response
   * @param {object} limits
   * @param {number} limits.maxBytes
   * @param {(read: Promise<any>) => Promise<any>} limits.wait for one piece
   * @param {(code: string) => unknown} limits.fail makes the error
   * @param {{ update(bytes: Uint8Array): void } | undefined} limits.hash
   */
  constructor(response, limits) {
    this.response = response;
    const length = response.headers.get("content-encoding") ? null : response.headers.get("content-length");
    this.size = length && /^\d{1,15}$/.test(length) ? Number(length) : null;
    this.#reader = response.body ? readerOf(response.body) : undefined;
    this.#limits = limits;
  }

  get isWhole() {
    return this.#isAtEnd || this.bytes === this.size;
  }

  /** The first bytes, in hex. */
  async head() {
    const { maxBytes, fail } = this.#limits;
    if (this.size !== null && this.size > maxBytes) throw fail("too_large");
    const first = [];
    while (first.length < HEAD_BYTES) {
      const piece = await this.#read();
      if (!piece) break;
      this.#ahead.push(piece);
      first.push(...piece.subarray(0, HEAD_BYTES));
    }
    return toHex(new Uint8Array(first.slice(0, HEAD_BYTES)));
  }

  stream() {
    const source = {
      pull: async (/** @type {ReadableStreamDefaultController} */ controller) => {
        try {
          const piece = this.#ahead.shift() ?? (await this.#read());
          if (piece) controller.enqueue(this.#counted(piece));
          else controller.close();
        } catch (error) {
          this.failure ??= error;
          controller.error(error);
        }
      },
      cancel: () => this.cancel(),
    };
    // No piece is read before the sink asks for it.
    return new ReadableStream(source, { highWaterMark: 0 });
  }

  cancel() {
    this.#reader?.cancel().catch(() => {});
  }

  /** @returns {Promise<Uint8Array | undefined>} undefined at the end */
  async #read() {
    const { wait, fail } = this.#limits;
    const { value, done } = this.#reader ? await wait(this.#reader.read()) : { value: undefined, done: true };
    if (value && value.length > 0) return value;
    if (!done) return this.#read();
    const total = this.#ahead.reduce((sum, piece) => sum + piece.length, this.bytes);
    if (this.size !== null && total !== this.size) throw fail("truncated");
    this.#isAtEnd = this.#ahead.length === 0;
    return undefined;
  }

  /** @param {Uint8Array} piece */
  #counted(piece) {
    const { maxBytes, hash, fail } = this.#limits;
    this.bytes += piece.length;
    if (this.bytes > maxBytes) throw fail("too_large");
    if (this.size !== null && this.bytes > this.size) throw fail("truncated");
    hash?.update(piece);
    return piece;
  }
}

/**
 * workerd gives small pieces, each with its turn of JavaScript, unless larger ones are asked for: a third of the CPU.
 * @param {ReadableStream<Uint8Array>} body
 * @returns {{ read(): Promise<{ value?: Uint8Array, done: boolean }>, cancel(): Promise<void> }}
 */
function readerOf(body) {
  if (!("FixedLengthStream" in globalThis)) return body.getReader();
  try {
    const reader = body.getReader({ mode: "byob" });
    return { read: () => reader.read(new Uint8Array(PIECE)), cancel: () => reader.cancel() };
  } catch {
    return body.getReader(); // a stream that a fetch of the caller's own made
  }
}
