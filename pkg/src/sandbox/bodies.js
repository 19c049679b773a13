// Reads request bodies the way the gateway does.

import { Refused, nestedError, videoError } from "./replies.js";

/** @typedef {import("./types.js").Call} Call */
/** @typedef {import("./types.js").Fields} Fields */

const LIMIT_BYTES = 30_000_000;

/**
 * The fields whose type the gateway's Go struct fixes: another type is refused before any handler sees the
 * body.
 */
const TYPES = {
  string: [
    "prompt",
    "customId",
    "taskId",
    "task_id",
    "action",
    "state",
    "notifyHook",
    "botType",
    "image",
    "link",
  ].concat(["base64", "maskBase64", "motion", "videoType", "dimensions"]),
  number: ["index"],
  array: ["base64Array"],
};

/** The body of a Midjourney submit. @param {Call} call @returns {Promise<Fields>} */
export async function readFields(call) {
  const bytes = await readBytes(call, (text) => nestedError(call, 413, `Invalid request, ${text}`));
  const body = parseObject(call, bytes);
  checkTypes(call, body);
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
}

/** Any JSON body, or undefined when it is none. @param {Call} call @returns {Promise<any>} */
export async function readJson(call) {
  const bytes = await readBytes(call, (text) => nestedError(call, 413, text));
  return parse(bytes);
}

/**
 * The body of POST /v1/videos, multipart or JSON. A type that is neither is read as no fields at all.
 * @param {Call} call @returns {Promise<Fields>}
 */
export async function readVideoFields(call) {
  const bytes = await readBytes(call, (text) => videoError(413, "read_request_body_failed", text));
  const type = call.request.headers.get("content-type") ?? "";
  if (type.startsWith("multipart/form-data")) return readParts(bytes, type);
  if (!type.startsWith("application/json")) return {};
  const body = parse(bytes);
  if (!isObject(body))
    throw new Refused(videoError(400, "invalid_json", "request body is not a JSON object"));
  if (body.seconds !== undefined && body.seconds !== null && typeof body.seconds !== "string") {
    const message = "json: cannot unmarshal number into Go struct field .seconds of type string";
    throw new Refused(videoError(400, "invalid_json", message));
  }
  return body;
}

/** @param {Uint8Array<ArrayBuffer>} bytes @param {string} type @returns {Promise<Fields>} */
async function readParts(bytes, type) {
  try {
    const form = await new Response(bytes, { headers: { "Content-Type": type } }).formData();
    return Object.fromEntries(form.entries());
  } catch {
    throw new Refused(videoError(400, "invalid_request", "request body is not multipart/form-data"));
  }
}

/**
 * Reads to the end even when it is too much: a reply before the end would reach a browser as a broken connection.
 * @param {Call} call @param {(text: string) => Response} tooLarge
 */
async function readBytes(call, tooLarge) {
  const bytes = new Uint8Array(await call.request.arrayBuffer());
  if (bytes.length > LIMIT_BYTES) throw new Refused(tooLarge("request body too large"));
  return bytes;
}

/**
 * A body of another type counts as empty; then the first missing field is what the reply names.
 * @param {Call} call @param {Uint8Array} bytes
 */
function parseObject(call, bytes) {
  const type = call.request.headers.get("content-type") ?? "";
  if (!type.startsWith("application/json")) return {};
  const body = parse(bytes);
  if (isObject(body)) return body;
  throw new Refused(nestedError(call, 400, "Invalid request, body is not a JSON object"));
}

/** @param {Call} call @param {Fields} body */
function checkTypes(call, body) {
  for (const [wanted, names] of Object.entries(TYPES)) {
    for (const name of names.filter((name) => body[name] !== undefined && body[name] !== null)) {
      const found = Array.isArray(body[name]) ? "array" : typeof body[name];
      // SEED 001's dialect, told by its task_id, writes the index as a string.
      const isSnakeIndex = name === "index" && body.task_id !== undefined && found === "string";
      if (found === wanted || isSnakeIndex) continue;
      const text = `json: cannot unmarshal ${found} into Go struct field MidjourneyRequest.${name}`;
      throw new Refused(nestedError(call, 400, `Invalid request, ${text}`));
    }
  }
}

/** @param {Uint8Array} bytes @returns {any} undefined when it is not JSON */
function parse(bytes) {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}

/** @param {unknown} value @returns {value is Fields} */
function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A Midjourney body that asks for many tasks. @param {unknown} body @returns {string[] | null} */
export function idsOf(body) {
  if (!isObject(body) || !Array.isArray(body.ids)) return null;
  return body.ids.every((id) => typeof id === "string") ? body.ids : null;
}

/** @param {Fields} fields @param {string} name @returns {string} */
export function textOf(fields, name) {
  return typeof fields[name] === "string" ? fields[name] : "";
}
