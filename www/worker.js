/**
 * The demo's Worker: serves the page, and passes the calls of `comet-tasks` on to the service, so that the key stays here.
 *
 * - With the secret `COMETAPI_KEY` set, `/api/comet/*` goes to `COMETAPI_BASE_URL` (default https://api.cometapi.com) with the key added.
 * - Without a key, a sandbox in this Worker answers: made-up pictures and clips, nothing is billed.
 *
 * Before you copy this into production: it asks nobody who they are. Whoever can open the page can spend the key's credit and read any task
 * whose id they can name. The package's gateway, which signs ids for each user and limits their rate, comes with a later release; until
 * then put your own sign-in in front of `/api/`.
 */
import { createSandbox } from "comet-tasks/sandbox";

/**
 * @typedef {object} Env
 * @property {string} [COMETAPI_KEY] a secret: `npx wrangler secret put COMETAPI_KEY`
 * @property {string} [COMETAPI_BASE_URL] another service of the same family
 * @property {string} [ORIGIN] the one address the page has. Set on a developer's machine, where a foreign name rebound to 127.0.0.1 could
 *   otherwise reach the key.
 * @property {{ fetch(request: Request): Promise<Response> }} ASSETS the static page
 */

const PREFIX = "/api/comet";
const SANDBOX_SPEED = 15;

/** What this package speaks, and nothing else: the key opens far more than media tasks. */
const ROUTES = [
  { method: "POST", path: /^(\/mj-(relax|fast|turbo))?\/mj\/submit\/(imagine|video|action|modal)$/ },
  { method: "GET", path: /^\/mj\/task\/[\w-]+\/fetch$/ },
  { method: "POST", path: /^\/mj\/task\/list-by-condition$/ },
  { method: "GET", path: /^\/mj\/image\/[\w-]+(\.\w+)?$/ },
  { method: "POST", path: /^\/v1\/videos$/ },
  { method: "GET", path: /^\/v1\/videos\/[\w-]+(\/content)?$/ },
];
/** The sandbox's files, which its replies place at the root of this address. The real service has its own hosts for them. */
const SANDBOX_FILES = /^\/(mj\/image|cdn)\/[\w./-]+$/;

// Lists of what may pass rather than of what may not: the next header that carries a secret has a name nobody knows yet.
const REQUEST_HEADERS = ["accept", "content-type", "range"];
const RESPONSE_HEADERS = [
  "accept-ranges",
  "cache-control",
  "content-length",
  "content-range",
  "content-type",
  "retry-after",
  "x-oneapi-request-id",
];

/** @type {{ fetch(request: Request): Promise<Response>, startedAt: number } | undefined} */
let sandbox;

export default {
  /** @param {Request} request @param {Env} env */
  async fetch(request, env) {
    const url = new URL(request.url);
    if (env.ORIGIN && url.origin !== env.ORIGIN) return Response.redirect(env.ORIGIN, 302);
    if (url.pathname.startsWith("/api/")) return sealed(await api(request, url, env));
    if (!env.COMETAPI_KEY && SANDBOX_FILES.test(url.pathname))
      return sealed(await theSandbox().fetch(request));
    return page(await env.ASSETS.fetch(request), env);
  },
};

/** @param {Request} request @param {URL} url @param {Env} env */
async function api(request, url, env) {
  if (isForeign(request, url)) return problem(403, "Only this site's own page may call this.");
  if (url.pathname === "/api/info") return Response.json(info(env));
  const path = url.pathname.startsWith(PREFIX) ? url.pathname.slice(PREFIX.length) : "";
  if (!ROUTES.some((route) => route.method === request.method && route.path.test(path))) {
    return problem(404, `Nothing answers ${request.method} ${url.pathname} here.`);
  }
  if (env.COMETAPI_KEY) return forward(request, path + url.search, env);
  return theSandbox().fetch(new Request(url.origin + path + url.search, request));
}

/**
 * A form on another site can post here without asking; without this check it would spend the key's credit.
 * @param {Request} request @param {URL} url
 */
function isForeign(request, url) {
  const origin = request.headers.get("origin");
  const site = request.headers.get("sec-fetch-site");
  return (origin !== null && origin !== url.origin) || site === "cross-site" || site === "same-site";
}

/**
 * What the page's footer says. `session` tells tasks of one service, or of one run of the sandbox, from those of another.
 * @param {Env} env
 */
function info(env) {
  if (env.COMETAPI_KEY) {
    const host = new URL(serviceUrl(env)).host;
    return { service: "real", host, session: host };
  }
  return { service: "sandbox", speed: SANDBOX_SPEED, session: `sandbox-${theSandbox().startedAt}` };
}

/** @param {Request} request @param {string} path @param {Env} env */
async function forward(request, path, env) {
  const headers = kept(request.headers, REQUEST_HEADERS);
  headers.set("authorization", `Bearer ${env.COMETAPI_KEY}`);
  const { method, body } = request;
  try {
    // A redirect is handed back, not followed: the key belongs to this one origin.
    const reply = await fetch(serviceUrl(env) + path, { method, headers, body, redirect: "manual" });
    return new Response(reply.body, { status: reply.status, headers: kept(reply.headers, RESPONSE_HEADERS) });
  } catch {
    return problem(502, "The service could not be reached.");
  }
}

/** Without a trailing "/" or "/v1", as the package itself reads a base URL. @param {Env} env */
function serviceUrl(env) {
  return (env.COMETAPI_BASE_URL || "https://api.cometapi.com").replace(/\/+$/, "").replace(/\/v1$/, "");
}

/**
 * One sandbox for the life of this Worker; made with the first request, because a Worker has no clock before. Its tasks live in memory:
 * right for one machine, while a deployed Worker runs in many places that would not know each other's tasks.
 */
function theSandbox() {
  sandbox ??= { ...createSandbox({ seed: 7, speed: SANDBOX_SPEED }), startedAt: Date.now() };
  return sandbox;
}

/** @param {Headers} headers @param {string[]} names */
function kept(headers, names) {
  return new Headers(names.flatMap((name) => (headers.has(name) ? [[name, headers.get(name) ?? ""]] : [])));
}

/**
 * The shape of the service's own errors, so that the package reads it like any other.
 * @param {number} status @param {string} message
 */
function problem(status, message) {
  return Response.json({ error: { message, type: "demo_worker" } }, { status });
}

/**
 * Files of the service under our own origin must never run as a page of ours, whatever type they claim.
 * @param {Response} response
 */
function sealed(response) {
  return withHeaders(response, {
    "content-security-policy":
      "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox",
    "cross-origin-resource-policy": "same-origin",
  });
}

/** @param {Response} response @param {Env} env */
function page(response, env) {
  // Results come from hosts that nobody can list, hence https:. A service on plain http (a local stand-in) is named.
  const service =
    env.COMETAPI_KEY && serviceUrl(env).startsWith("http:") ? new URL(serviceUrl(env)).origin : "";
  const media = `'self' https: data: blob: ${service}`.trim();
  return withHeaders(response, {
    "content-security-policy": [
      "default-src 'none'",
      "script-src 'self' 'wasm-unsafe-eval'",
      "style-src 'self'",
      `img-src ${media}`,
      `media-src ${media}`,
      "connect-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join("; "),
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
  });
}

/** @param {Response} response @param {Record<string, string>} headers */
function withHeaders(response, headers) {
  const copy = new Response(response.body, response);
  const always = { "x-content-type-options": "nosniff", "referrer-policy": "no-referrer" };
  for (const [name, value] of Object.entries({ ...always, ...headers })) copy.headers.set(name, value);
  return copy;
}
