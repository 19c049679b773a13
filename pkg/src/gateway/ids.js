import { invalid } from "../errors.js";

const encoder = new TextEncoder();
/** Told apart from whatever else may be signed with the same secret. */
const PURPOSE = "comet-tasks gateway id 1";
/** Imported keys. No promise is kept: in workerd one request must not wait for another's. @type {Map<string, CryptoKey>} */
const keys = new Map();
/** A gateway has one secret, and two while one replaces the other. */
const MOST_KEYS = 16;

/**
 * @typedef {[family: string, id: string, tag: string]} Check an id that a caller sent, as the wasm took it apart
 */

/** The tags of one caller's ids: HMAC-SHA-256 over subject, family and id. */
export class Ids {
  #key;
  #subject;
  /** What has been checked in this request need not be signed again. @type {Map<string, string>} */
  #known = new Map();

  /** @param {CryptoKey} key @param {string} subject */
  constructor(key, subject) {
    this.#key = key;
    this.#subject = subject;
  }

  /** @param {string} secret @param {string} subject */
  static async of(secret, subject) {
    let key = keys.get(secret);
    if (!key) {
      const algorithm = { name: "HMAC", hash: "SHA-256" };
      key = await crypto.subtle.importKey("raw", encoder.encode(secret), algorithm, false, [
        "sign",
        "verify",
      ]);
      if (keys.size >= MOST_KEYS) keys.clear();
      keys.set(secret, key);
    }
    return new Ids(key, subject);
  }

  /**
   * Whether the tag is this caller's for this id. The comparison takes the same time wherever they differ.
   * @param {Check} check
   */
  async isGenuine([family, id, tag]) {
    const message = this.#message(family, id);
    const genuine = await crypto.subtle.verify("HMAC", this.#key, decode(tag), encoder.encode(message));
    if (genuine) this.#known.set(message, tag);
    return genuine;
  }

  /** @param {string} family @param {string} id */
  async tag(family, id) {
    const message = this.#message(family, id);
    const known = this.#known.get(message);
    if (known) return known;
    const tag = encode(await crypto.subtle.sign("HMAC", this.#key, encoder.encode(message)));
    this.#known.set(message, tag);
    return tag;
  }

  /** As JSON, whose strings have their ends: no two triples make one text. @param {string} family @param {string} id */
  #message(family, id) {
    return JSON.stringify([PURPOSE, this.#subject, family, id]);
  }
}

/** @param {ArrayBuffer} bytes */
function encode(bytes) {
  const base64 = btoa(String.fromCharCode(...new Uint8Array(bytes)));
  return base64.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** @param {string} tag */
function decode(tag) {
  const base64 = tag.replaceAll("-", "+").replaceAll("_", "/");
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

/**
 * What `authorize` said: who it is, or null. Anything else is a mistake in it, and nobody passes by mistake.
 * @param {any} answer
 * @returns {string | null}
 */
export function subjectOf(answer) {
  if (answer === null) return null;
  const subject = answer?.subject;
  if (typeof subject === "string" && subject !== "") return subject;
  throw invalid("gateway", "authorize", "must give { subject }, a text that is not empty, or null");
}
