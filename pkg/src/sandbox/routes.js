// Which path is answered by what, and who may ask.

import { submitAction, submitModal } from "./continuations.js";
import { fetchAsset, fetchImage, fetchTask, imageSeed, listTasks } from "./reads.js";
import { indexPage, nestedError, notFound } from "./replies.js";
import * as submits from "./submits.js";
import { createVideo, fetchContent, remixVideo, retrieveVideo } from "./videos.js";

/** @typedef {import("./types.js").Route} Route */
/** @typedef {import("./types.js").Handler} Handler */
/** @typedef {import("./types.js").RouteKind} RouteKind */
/** @typedef {import("./types.js").Call} Call */
/** @typedef {import("./types.js").Service} Service */

/** @type {Route[]} */
const ROUTES = [
  route("POST /mj/submit/imagine", "submit", submits.submitImagine),
  route("POST /mj/submit/video", "submit", submits.submitVideo),
  route("POST /mj/submit/action", "submit", submitAction),
  route("POST /mj/submit/modal", "submit", submitModal),
  route("POST /mj/submit/blend", "submit", submits.submitBlend),
  route("POST /mj/submit/describe", "submit", submits.submitDescribe),
  route("POST /mj/submit/shorten", "submit", submits.submitShorten),
  route("POST /mj/submit/edits", "submit", submits.submitEdits),
  route("POST /mj/submit/upload-discord-images", "submit", submits.submitUpload),
  route("POST /mj/task/list-by-condition", "read", listTasks),
  route("GET /mj/task/:id/fetch", "read", fetchTask),
  route("GET /mj/task/:id/image-seed", "read", imageSeed),
  open(route("GET /mj/image/:id", "asset", fetchImage)),
  route("POST /v1/videos", "submit", createVideo),
  route("POST /v1/videos/:id/remix", "submit", remixVideo),
  route("GET /v1/videos/:id", "read", retrieveVideo),
  route("GET /v1/videos/:id/content", "asset", fetchContent),
  open(route("GET /cdn/:folder/:n.:type", "asset", fetchAsset)),
  open(route("HEAD /cdn/:folder/:n.:type", "asset", fetchAsset)),
];

/**
 * @param {string} method @param {string} pathname
 * @returns {{ route: Route, params: Record<string, string> } | null}
 */
export function findRoute(method, pathname) {
  const path = pathname.replace(/^\/mj-(?:relax|fast|turbo)(?=\/mj\/)/, "");
  for (const route of ROUTES.filter((route) => route.method === method)) {
    const match = route.pattern.exec(path);
    const params = match && decodeParams(match.groups ?? {});
    if (params) return { route, params };
  }
  return null;
}

/** What the gateway's router says to a path or method that it does not know. @param {Call} call */
export function answerUnknown(call) {
  const { pathname } = call.url;
  const { method } = call.request;
  const trimmed = pathname.replace(/\/$/, "");
  if (trimmed !== pathname && findRoute(method, trimmed)) {
    const status = method === "GET" ? 301 : 307;
    return new Response(null, { status, headers: { Location: trimmed + call.url.search } });
  }
  return /^\/(v1|api|assets)/.test(pathname) ? notFound(call) : indexPage();
}

/**
 * Bearer, the bare key, or mj-api-secret where Authorization is empty or says so.
 * @param {Service} service @param {Call} call @returns {Response | null} null: come in
 */
export function checkKey(service, call) {
  if (service.apiKey === undefined) return null;
  const { headers } = call.request;
  const authorization = headers.get("authorization") ?? "";
  const isElsewhere = authorization === "" || authorization === "midjourney-proxy";
  const given = isElsewhere ? headers.get("mj-api-secret") : authorization.replace(/^Bearer /i, "");
  return given === service.apiKey ? null : nestedError(call, 401, "Invalid token");
}

/** @param {string} text method and path @param {RouteKind} kind @param {Handler} handle @returns {Route} */
function route(text, kind, handle) {
  const [method, path] = text.split(" ");
  const source = path.replaceAll(".", "\\.").replace(/:(\w+)/g, (_, name) => `(?<${name}>${shapeOf(name)})`);
  return { method, pattern: new RegExp(`^${source}$`), kind, handle, open: false };
}

/** @param {string} name */
function shapeOf(name) {
  if (name === "n") return "\\d+";
  return name === "type" ? "mp4|png" : "[^/]+";
}

/** @param {Route} route @returns {Route} */
function open(route) {
  return { ...route, open: true };
}

/**
 * @param {Record<string, string>} groups
 * @returns {Record<string, string> | null} null: not percent-encoded text, so no route
 */
function decodeParams(groups) {
  try {
    return Object.fromEntries(
      Object.entries(groups).map(([name, value]) => [name, decodeURIComponent(value)]),
    );
  } catch {
    return null;
  }
}
