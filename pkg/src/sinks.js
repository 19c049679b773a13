import { invalid } from "./errors.js";
import { LATE, webUrl, within } from "./asset-body.js";

/**
 * @import { AssetInfo } from "./index.js"
 * @typedef {import("./asset-body.js").AssetBody} AssetBody
 * @typedef {object} Delivery one file on its way
 * @property {AssetInfo} info
 * @property {AssetBody} body
 * @property {typeof fetch} fetch
 * @property {AbortSignal} signal
 * @property {number} limitMs
 * @property {boolean} isServer
 * @property {(code: any, fields?: object, cause?: unknown) => Error} fail
 * @typedef {(delivery: Delivery) => Promise<unknown>} Write
 */

/** What a sink that needs the length, of a file that has none, may hold in memory; a Worker has 128 MiB. */
const MOST_HELD = 64 * 1024 * 1024;
/** Of a multipart upload; buckets take 5 MiB or more, and all but the last alike. */
const PART = 8 * 1024 * 1024;

/**
 * How a file gets into the sink.
 * @param {any} sink
 * @param {number} files
 * @returns {Write}
 */
export function sinkOf(sink, files) {
  const isUrl = typeof sink === "string" || sink instanceof URL;
  if (isUrl && files > 1) throw invalid("persist", "sink", `must be a function: ${files} files share no URL`);
  if (isUrl && !webUrl(sink)) throw invalid("persist", "sink", "must be an http(s) URL");
  if (isUrl) return upload(() => sink);
  if (typeof sink === "function") return upload(sink);
  if (typeof sink?.write === "function")
    return ({ info, body }) => sink.write({ ...info }, responseOf(info, body));
  if (typeof sink?.getFileHandle === "function") return (delivery) => intoFolder(sink, delivery);
  if (typeof sink?.put === "function") return (delivery) => intoBucket(sink, delivery);
  throw invalid("persist", "sink", "must be a URL, a function, a bucket, a folder or { write }");
}

/** @param {AssetInfo} info @param {AssetBody} body */
function responseOf(info, body) {
  const headers = new Headers({ "content-type": info.contentType });
  if (info.size !== null) headers.set("content-length", `${info.size}`);
  return new Response(sized(info, body), { headers });
}

/**
 * The body as a stream of known length, where the host has such: workerd's R2 and fetch take no other.
 * @param {AssetInfo} info @param {AssetBody} body
 * @returns {ReadableStream}
 */
function sized({ size }, body) {
  const Fixed = /** @type {any} */ (globalThis).FixedLengthStream;
  if (!Fixed || size === null) return body.stream();
  const { readable, writable } = new Fixed(size);
  // Its failure is the reader's too.
  const piped = body.stream().pipeTo(writable);
  piped.catch(() => {});
  return readable;
}

/**
 * A stream cannot be sent again, so no redirect is followed. Where one might be, or somebody else's window is asked for a
 * sign-in, Node's fetch keeps a second copy of all that was sent; workerd knows no "error".
 */
const ONE_WAY =
  "FixedLengthStream" in globalThis ? { redirect: "manual" } : { redirect: "error", window: null };

/** A presigned PUT. @param {(info: AssetInfo) => any} place @returns {Write} */
function upload(place) {
  return async (delivery) => {
    const { info, body, fetch, signal, fail } = delivery;
    const url = webUrl(await place({ ...info }));
    if (!url) throw invalid("persist", "sink", "must give an http(s) URL");
    const headers = new Headers({ "content-type": info.contentType });
    const init = { method: "PUT", headers, signal, duplex: "half", ...ONE_WAY };
    // Pages stream no uploads, and storages take none of unknown length; a browser keeps a large Blob on its disk.
    const held = delivery.isServer && info.size !== null ? undefined : await collected(delivery);
    if (!held) headers.set("content-length", `${info.size}`);
    const sent = fetch(url.href, /** @type {any} */ ({ ...init, body: held ?? sized(info, body) }));
    const reply = await whileMoving(sent, delivery);
    if (!reply.ok) throw fail("persist", { status: reply.status });
  };
}

/**
 * A storage that neither takes bytes nor answers is given up.
 * @template T
 * @param {Promise<T>} sent
 * @param {Delivery} delivery
 */
async function whileMoving(sent, { body, signal, limitMs }) {
  for (;;) {
    const before = body.bytes;
    try {
      return await within(sent, signal, limitMs);
    } catch (error) {
      if (error !== LATE || body.bytes === before) throw error === LATE ? undefined : error;
    }
  }
}

/** @param {any} bucket @param {Delivery} delivery */
async function intoBucket(bucket, delivery) {
  const { info, body } = delivery;
  const options = { httpMetadata: { contentType: info.contentType } };
  if (info.size !== null) return bucket.put(info.key, sized(info, body), options);
  if (!bucket.createMultipartUpload) return bucket.put(info.key, await collected(delivery), options);
  const next = parts(body.stream());
  const first = await next();
  if (first.byteLength < PART) return bucket.put(info.key, first, options);
  const upload = await bucket.createMultipartUpload(info.key, options);
  try {
    const uploaded = [];
    for (let part = first; part.byteLength > 0; part = await next()) {
      uploaded.push(await upload.uploadPart(uploaded.length + 1, part));
    }
    return await upload.complete(uploaded);
  } catch (error) {
    await upload.abort().catch(() => {});
    throw error;
  }
}

/** @param {any} folder @param {Delivery} delivery */
async function intoFolder(folder, { info, body }) {
  const names = info.key.split("/");
  const name = folder.getDirectoryHandle ? names.pop() : names.join("-");
  for (const above of folder.getDirectoryHandle ? names : []) {
    folder = await folder.getDirectoryHandle(above, { create: true });
  }
  const file = await folder.getFileHandle(name, { create: true });
  try {
    // What is written appears as a whole when it is closed, over what was there.
    await body.stream().pipeTo(await file.createWritable());
  } catch (error) {
    const left = await file.getFile?.();
    if (left?.size === 0) await folder.removeEntry?.(name);
    throw error;
  }
}

/** @param {Delivery} delivery */
async function collected({ info, body, isServer, fail }) {
  const most = isServer ? MOST_HELD : Infinity;
  const pieces = [];
  const reader = body.stream().getReader();
  for (;;) {
    const { value } = await reader.read();
    if (!value) return new Blob(pieces, { type: info.contentType });
    pieces.push(value);
    if (body.bytes <= most) continue;
    body.cancel();
    throw fail("too_large");
  }
}

/**
 * The stream in parts of one length; the last is shorter, and may be empty.
 * @param {ReadableStream<Uint8Array>} stream
 */
function parts(stream) {
  const reader = stream.getReader();
  /** @type {Uint8Array} */
  let rest = new Uint8Array();
  return async () => {
    const part = new Uint8Array(PART);
    let filled = 0;
    while (filled < PART) {
      if (rest.length === 0) rest = (await reader.read()).value ?? rest;
      if (rest.length === 0) break;
      const piece = rest.subarray(0, PART - filled);
      part.set(piece, filled);
      filled += piece.length;
      rest = rest.subarray(piece.length);
    }
    return part.buffer.slice(0, filled);
  };
}
