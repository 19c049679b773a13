import { invalid } from "./errors.js";
import { toHex } from "./hex.js";

/** @import { ImageInput } from "./index.js" */

/** The arguments that are pictures. */
const FIELDS = ["image", "images", "mask", "inputReference"];
/** What stands before a data URI's comma. It goes into the body's JSON as it is, so nothing may hide in it. */
const DATA_URI_HEAD = /^data:[\w.+-]+\/[\w.+-]+(;[\w.+-]+=[\w.+-]+)*;base64$/i;

/**
 * A call's arguments as JSON, its pictures beside it: their bytes stay out of the wasm's memory. In a picture's place
 * stands what the wasm needs to judge it: `{ image: <its place in the list>, type, size, name, head }`.
 *
 * At once, unless a Blob has to be looked into: calls are to leave in the order in which they were made.
 *
 * @typedef {{ json: string, images: unknown[] }} Taken
 * @param {string} operation
 * @param {any} params
 * @returns {Taken | Promise<Taken>}
 */
export function takeImages(operation, params) {
  /** @type {unknown[]} */
  const images = [];
  /** @type {Promise<void>[]} */
  const looks = [];
  const plain = { ...params };
  for (const field of FIELDS) {
    const value = plain[field];
    if (value === undefined || value === null) continue;
    const asFile = field === "inputReference";
    const one = (/** @type {string} */ name, /** @type {unknown} */ item) =>
      describe(operation, name, item, images, looks, asFile);
    plain[field] = Array.isArray(value)
      ? value.map((item, at) => one(`${field}[${at}]`, item))
      : one(field, value);
  }
  const isObject = typeof params === "object" && params !== null;
  const taken = () => ({ json: toJson(operation, isObject ? plain : params), images });
  return looks.length === 0 ? taken() : Promise.all(looks).then(taken);
}

/**
 * @param {string} operation
 * @param {string} field
 * @param {unknown} value
 * @param {unknown[]} images
 * @param {Promise<void>[]} looks into Blobs, to be waited for
 * @param {boolean} asFile the route takes files, so that a data URI must become one
 */
function describe(operation, field, value, images, looks, asFile) {
  if (typeof value === "string") {
    const text = value.trim();
    return /^data:/i.test(text) ? describeDataUri(text, images, asFile) : value;
  }
  const bytes = toBytes(value);
  if (bytes) {
    return { image: images.push(bytes) - 1, size: bytes.length, head: toHex(bytes.subarray(0, 16)) };
  }
  if (!isBlob(value)) return { image: -1, type: value === null ? "null" : typeof value };
  const { type, size, name } = value;
  /** @type {Record<string, unknown>} */
  const named = { image: images.push(value) - 1, type, size, name };
  const look = async () => {
    try {
      named.head = toHex(new Uint8Array(await value.slice(0, 16).arrayBuffer()));
    } catch (error) {
      // The file behind it was deleted or changed.
      throw invalid(operation, field, "must be readable", error);
    }
  };
  if (!type.startsWith("image/")) looks.push(look());
  return named;
}

/**
 * @param {string} text
 * @param {unknown[]} images
 * @param {boolean} asFile
 */
function describeDataUri(text, images, asFile) {
  const comma = text.indexOf(",");
  const letters = text.slice(comma + 1);
  const isSound = comma <= 200 && DATA_URI_HEAD.test(text.slice(0, Math.max(comma, 0)));
  // Sought, not matched from end to end: on a text of millions of letters that would exhaust the stack.
  if (!isSound || /[^A-Za-z0-9+/=]/.test(letters)) return { image: -1, type: "a broken data URI" };
  const uri = text.slice(0, comma + 2);
  if (!asFile) return { image: images.push(text) - 1, uri };
  try {
    const bytes = Uint8Array.from(atob(letters), (letter) => letter.charCodeAt(0));
    return { image: images.push(bytes) - 1, uri, size: bytes.length };
  } catch {
    return { image: -1, type: "a broken data URI" };
  }
}

/** @param {any} value */
function toBytes(value) {
  const isView = ArrayBuffer.isView(value);
  if (!isView && Object.prototype.toString.call(value) !== "[object ArrayBuffer]") return undefined;
  // What was transferred away gives none.
  if (value.byteLength === 0) return new Uint8Array();
  return isView ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength) : new Uint8Array(value);
}

/**
 * By shape: another realm's Blob is one too.
 * @param {any} value
 * @returns {value is Blob & { name?: string }}
 */
function isBlob(value) {
  return (
    typeof value?.arrayBuffer === "function" &&
    typeof value.slice === "function" &&
    typeof value.type === "string"
  );
}

/**
 * JSON without the surprises of JSON.stringify, which turns NaN into null.
 * @param {string} operation
 * @param {unknown} value
 */
export function toJson(operation, value) {
  /** @param {string} name @param {unknown} item */
  const check = (name, item) => {
    const isOdd = typeof item === "bigint" || (typeof item === "number" && !Number.isFinite(item));
    if (isOdd) throw invalid(operation, name, `must be a finite number, got ${item}`);
    return item;
  };
  try {
    // With a function to ask, it takes three times as long; whatever would be lost becomes null.
    const plain = JSON.stringify(value ?? null);
    if (plain && !plain.includes("null")) return plain;
  } catch {
    // It says what is wrong below.
  }
  try {
    return JSON.stringify(value ?? null, check) ?? "null";
  } catch (error) {
    if (/** @type {any} */ (error)?.name === "CometError") throw error;
    throw invalid(operation, "params", "must be plain JSON values", error);
  }
}
