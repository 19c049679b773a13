// The pictures and clips as bytes, and how they are served.

import { clips } from "./assets/clips.js";
import { grid, pictures, preview } from "./assets/pictures.js";

/** @typedef {import("./types.js").Call} Call */
/** @typedef {{ bytes: Uint8Array<ArrayBuffer>, type: string }} File */

const SETS = { grid, pictures, preview, clips };

/** @type {Map<string, Uint8Array<ArrayBuffer>>} */
const decoded = new Map();

/** @param {keyof typeof SETS} set @param {number} [index] counted round @returns {File} */
export function getFile(set, index = 0) {
  const place = index % SETS[set].length;
  const key = `${set}/${place}`;
  const bytes = decoded.get(key) ?? Uint8Array.from(atob(SETS[set][place]), (letter) => letter.charCodeAt(0));
  decoded.set(key, bytes);
  return { bytes, type: set === "clips" ? "video/mp4" : "image/png" };
}

/**
 * The whole file, as the gateway's own routes send it: they know no ranges.
 * @param {File} file @param {Record<string, string>} [headers]
 */
export function serveWhole({ bytes, type }, headers = {}) {
  return new Response(bytes, {
    headers: { "Content-Type": type, "Content-Length": `${bytes.length}`, ...headers },
  });
}

/**
 * As a CDN sends it, ranges included, so that a player can seek.
 * @param {File} file @param {Request} request
 */
export function serveRanges(file, request) {
  const { bytes, type } = file;
  const headers = { "Content-Type": type, "Accept-Ranges": "bytes" };
  const range = readRange(request.headers.get("range"), bytes.length);
  if (range === null) {
    const whole = serveWhole(file, headers);
    return request.method === "HEAD" ? new Response(null, { headers: whole.headers }) : whole;
  }
  const [start, end] = range;
  if (start > end) {
    return new Response(null, { status: 416, headers: { "Content-Range": `bytes */${bytes.length}` } });
  }
  const part = bytes.slice(start, end + 1);
  const place = {
    "Content-Length": `${part.length}`,
    "Content-Range": `bytes ${start}-${end}/${bytes.length}`,
  };
  return new Response(request.method === "HEAD" ? null : part, {
    status: 206,
    headers: { ...headers, ...place },
  });
}

/**
 * First and last byte; first beyond last when there is no such part; null when the whole file is wanted, which is
 * also the answer to several ranges at once.
 * @param {string | null} header @param {number} size @returns {[number, number] | null}
 */
function readRange(header, size) {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? "");
  if (!match || (match[1] === "" && match[2] === "")) return null;
  if (match[1] === "") return [Math.max(0, size - Number(match[2])), size - 1];
  const end = match[2] === "" ? size - 1 : Math.min(Number(match[2]), size - 1);
  return Number(match[1]) < size ? [Number(match[1]), end] : [size, end];
}
