/** Keeping: a finished task's files go into the bucket, and from there to the browser that kept them, and to no other. */
import { createClient, isCometError } from "comet-tasks";
import { problem, sha256 } from "./replies.js";

/**
 * @typedef {object} Kept what an R2 binding says of an object
 * @property {number} size
 * @property {string} etag
 * @property {string} httpEtag
 * @property {{ contentType?: string }} [httpMetadata]
 * @property {ReadableStream} [body]
 *
 * @typedef {object} Bucket an R2 binding, as far as it is used here
 * @property {(key: string, body: any, options?: object) => Promise<unknown>} put
 * @property {(key: string) => Promise<Kept | null>} head
 * @property {(key: string, options?: object) => Promise<Kept | null>} get
 *
 * @typedef {{ limit(input: { key: string }): Promise<{ success: boolean }> }} RateLimiter like Cloudflare's binding
 *
 * @typedef {object} Source where a task comes from
 * @property {import("comet-tasks").ClientOptions} target
 * @property {string} folder in the browser's own, "" or with a "/" at its end
 * @property {(handle: unknown) => Promise<import("comet-tasks").TaskHandle>} open the service's own handle, of this subject's tasks alone
 *
 * @typedef {object} Keeper
 * @property {Bucket} bucket
 * @property {string | undefined} subject who is asking
 * @property {RateLimiter} rateLimiter
 * @property {number} maxBytes of one file
 * @property {(place: unknown) => Source | null} from
 */

const PLACE = "/kept/";
/** A handle is a few hundred bytes. */
const MOST_BYTES = 16 * 1024;
/** What a failure is called in HTTP; for all others it is the service, or the bucket, that failed. @type {Record<string, number>} */
const STATUSES = {
  validation: 400,
  unauthorized: 401,
  not_found: 404,
  not_ready: 409,
  no_asset: 409,
  expired: 410,
  too_large: 413,
};

/**
 * `POST /api/keep`: `{ from, handle }` in, with "service" or "sandbox", and `{ assets: [{ url, kind, contentType, bytes }] }` out.
 * @param {Request} request @param {Keeper} keeper
 */
export async function keep(request, keeper) {
  if (request.method !== "POST") return notAllowed("POST");
  if (isForeign(request)) return problem(403, "Pages of another site may not keep anything here.");
  const length = Number(request.headers.get("content-length") ?? Infinity);
  if (length > MOST_BYTES) return problem(413, "That is more than a handle.");
  const { subject } = keeper;
  if (subject && !(await keeper.rateLimiter.limit({ key: subject })).success) return tooMany();
  const asked = await request.json().catch(() => null);
  const source = keeper.from(asked?.from);
  if (!source) return problem(400, "Say where the task comes from: a service that this server has.");
  try {
    return Response.json({ assets: await copy(keeper, source, asked.handle) });
  } catch (error) {
    if (!isCometError(error)) throw error;
    return problem(STATUSES[error.code] ?? 502, error.message);
  }
}

/** Doing it again is harmless: same task, same keys, same bytes. @param {Keeper} keeper @param {Source} source @param {unknown} handle */
async function copy({ bucket, subject = "", maxBytes }, { target, folder, open }, handle) {
  const own = await open(handle);
  const home = await folderOf(subject);
  // What a Worker does for one request may not be waited for by another: each has a client of its own.
  const client = createClient(target);
  try {
    const key = (/** @type {{ key: string }} */ asset) => home + folder + asset.key;
    const assets = await client.persist(await client.fetchTask(own), bucket, { key, maxBytes });
    return assets.map(({ key, kind, contentType, bytes }) => {
      return { url: PLACE + key.slice(home.length), kind, contentType, bytes };
    });
  } finally {
    client.close();
  }
}

/**
 * What stands in for a rate limit binding: so many in each window, counted in this Worker alone. Names that were not seen
 * for a window are forgotten.
 * @param {number} most @param {number} windowMs @returns {RateLimiter}
 */
export function atMost(most, windowMs) {
  /** @type {Map<string, number>} */
  let counts = new Map();
  let end = 0;
  return {
    async limit({ key }) {
      const now = Date.now();
      if (now >= end) [counts, end] = [new Map(), now + windowMs];
      const count = (counts.get(key) ?? 0) + 1;
      counts.set(key, count);
      return { success: count <= most };
    },
  };
}

/** `GET /kept/…`: a file, or the part of it that a player asks for. @param {Request} request @param {Pick<Keeper, "bucket" | "subject">} keeper */
export async function serveKept(request, { bucket, subject }) {
  if (request.method !== "GET" && request.method !== "HEAD") return notAllowed("GET, HEAD");
  if (isForeign(request)) return problem(403, "Pages of another site may not show what is kept here.");
  const name = new URL(request.url).pathname.slice(PLACE.length);
  const key = subject && (await folderOf(subject)) + name;
  const found = key ? await bucket.head(key) : null;
  if (!key || !found) return problem(404, "Nothing of this browser’s is kept under that name.");
  const headers = new Headers({
    "accept-ranges": "bytes",
    "cache-control": "private, max-age=300",
    "content-type": found.httpMetadata?.contentType ?? "application/octet-stream",
    etag: found.httpEtag,
    vary: "cookie",
  });
  if (isKnown(request.headers.get("if-none-match"), found.httpEtag))
    return new Response(null, { status: 304, headers });
  const range = rangeOf(request, found);
  if (range === "none") return unsatisfiable(headers, found.size);
  const { offset, length } = range ?? { offset: 0, length: found.size };
  headers.set("content-length", String(length));
  if (range) headers.set("content-range", `bytes ${offset}-${offset + length - 1}/${found.size}`);
  const status = range ? 206 : 200;
  if (request.method === "HEAD") return new Response(null, { status, headers });
  const file = await bucket.get(key, range && { range });
  return file?.body ? new Response(file.body, { status, headers }) : problem(404, "It was just removed.");
}

/**
 * The part that is asked for; none when the file has no such part, nothing when all of it is wanted. Several parts at once are not
 * served: whoever asks for those takes the whole.
 * @param {Request} request @param {Kept} file
 * @returns {{ offset: number, length: number } | "none" | undefined}
 */
function rangeOf({ headers }, { size, httpEtag }) {
  const [, first, last] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(headers.get("range") ?? "") ?? [];
  if (first === undefined || (first === "" && last === "")) return undefined;
  // A part of a file that was another one when the caller's copy began would not fit to it.
  const wanted = headers.get("if-range");
  if (wanted !== null && wanted !== httpEtag) return undefined;
  const end = first === "" || last === "" ? size : Math.min(size, Number(last) + 1);
  const offset = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  if (first !== "" && last !== "" && Number(last) < offset) return undefined;
  return offset < end ? { offset, length: end - offset } : "none";
}

/** @param {string | null} list @param {string} etag */
function isKnown(list, etag) {
  const known = (list ?? "").split(",").map((one) => one.trim().replace(/^W\//, ""));
  return known.includes("*") || known.includes(etag);
}

/**
 * The bucket's folder of one browser. The cookie itself stays out of the keys: who may list the bucket could take somebody's place.
 * @param {string} subject
 */
async function folderOf(subject) {
  return `${await sha256(`comet-tasks demo bucket ${subject}`)}/`;
}

/** As for the gateway: a page of another site has no business here. What is no browser sends neither header. @param {Request} request */
function isForeign({ url, headers }) {
  const origin = headers.get("origin");
  const site = headers.get("sec-fetch-site");
  return (origin !== null && origin !== new URL(url).origin) || site === "cross-site" || site === "same-site";
}

/** @param {Headers} headers @param {number} size */
function unsatisfiable(headers, size) {
  headers.set("content-range", `bytes */${size}`);
  headers.delete("content-type");
  return new Response(null, { status: 416, headers });
}

function tooMany() {
  const reply = problem(429, "Too many files were kept in the last minute: try again in one.");
  reply.headers.set("retry-after", "60");
  return reply;
}

/** @param {string} methods */
function notAllowed(methods) {
  const reply = problem(405, `Only ${methods} here.`);
  reply.headers.set("allow", methods);
  return reply;
}
