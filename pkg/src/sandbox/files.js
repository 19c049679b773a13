// The pictures and clips as bytes, and how they are served.

import { clips } from "./assets/clips.js";
import { drawPng } from "./png.js";
import { gridAt, moods, pictureOf } from "./scene.js";

/** @typedef {import("./types.js").Call} Call */
/** @typedef {{ bytes: Uint8Array<ArrayBuffer>, type: string }} File */

/** How many there are of each, and how one comes to be. @type {Record<string, [number, (place: number) => Uint8Array<ArrayBuffer>]>} */
const SETS = {
  grid: [1, () => drawPng(384, gridAt)],
  preview: [1, () => drawPng(64, gridAt)],
  pictures: [moods.length, (place) => drawPng(320, pictureOf(place))],
  clips: [clips.length, (place) => Uint8Array.from(atob(clips[place]), (letter) => letter.charCodeAt(0))],
};

/** Made when they are first asked for. @type {Map<string, Uint8Array<ArrayBuffer>>} */
const made = new Map();

/** @param {string} set a name of SETS @param {number} [index] counted round @returns {File} */
export function getFile(set, index = 0) {
  const [count, make] = SETS[set];
  const place = index % count;
  const key = `${set}/${place}`;
  const bytes = made.get(key) ?? make(place);
  made.set(key, bytes);
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
