/**
 * The demo's Worker: serves the page, and is its gateway to the service, so that the key stays here.
 *
 * - With the secret `COMETAPI_KEY` set, `/api/comet/*` goes to `COMETAPI_BASE_URL` (default https://api.cometapi.com) with the key added.
 * - `/api/sandbox/*` is a sandbox in this Worker: made-up pictures and clips, nothing is billed. It is there without a key, and with
 *   `SANDBOX` also beside one. What goes to one of the two never reaches the other.
 *
 * With the R2 binding `KEPT`, finished tasks' files can be kept: see keep.js.
 *
 * Who is asking is a cookie that the page itself cannot read: each browser has its own tasks, and sees no others. Before you copy this
 * into production, put your own sign-in in its place: whoever can open this page can spend the key's credit.
 */
import { createGateway } from "comet-tasks/gateway";
import { createSandbox } from "comet-tasks/sandbox";
import { atMost, keep, serveKept } from "./keep.js";
import { hex, problem, sealed, sha256, withHeaders } from "./replies.js";

/**
 * @typedef {object} Env
 * @property {string} [COMETAPI_KEY] a secret: `npx wrangler secret put COMETAPI_KEY`
 * @property {string} [COMETAPI_BASE_URL] another service of the same family
 * @property {string} [SANDBOX] any text: the sandbox is a choice beside the service. Its tasks live in the memory of one Worker, so this
 *   is for a machine of one's own
 * @property {string} [GATEWAY_SECRET] signs the ids that pages get, at least 32 bytes; without it the key stands in
 * @property {string} [ORIGIN] the one address the page has. Set on a developer's machine, where a foreign name rebound to 127.0.0.1 could
 *   otherwise reach the key.
 * @property {{ limit(input: { key: string }): Promise<{ success: boolean }> }} [SUBMITS] a rate limit binding, asked per browser
 * @property {import("./keep.js").Bucket} [KEPT] where files are kept
 * @property {import("./keep.js").RateLimiter} [KEEPS] a rate limit binding for that, asked per browser; without it, 30 a minute in each Worker
 * @property {string} [KEPT_MAX_BYTES] the most bytes of one kept file; 256 MiB without it
 * @property {{ fetch(request: Request): Promise<Response> }} ASSETS the static page
 */

/** @typedef {"service" | "sandbox"} Place */

/** Where each is mounted. @type {Record<Place, string>} */
const MOUNTS = { service: "/api/comet", sandbox: "/api/sandbox" };
/** @type {Record<Place, string>} */
const MISSING = {
  service: "This server has no key of the service: its sandbox answers at /api/sandbox.",
  sandbox: "This server has no sandbox.",
};
const SANDBOX_SPEED = 15;
const MOST_KEPT_BYTES = 256 * 1024 * 1024;
const keepsAMinute = atMost(30, 60_000);
const COOKIE = "comet_demo";
/** The sandbox's files, which its replies place at the root of this address. The real service has its own hosts for them. */
const SANDBOX_FILES = /^\/cdn\/[\w./-]+$/;

/** @type {{ fetch(request: Request): Promise<Response>, startedAt: number, secret: string } | undefined} */
let sandbox;
/** One for each set of bindings: the same one, but for a change of the secrets. @type {Map<string, ReturnType<typeof createGateway>>} */
const gateways = new Map();

export default {
  /** @param {Request} request @param {Env} env */
  async fetch(request, env) {
    const url = new URL(request.url);
    if (env.ORIGIN && url.origin !== env.ORIGIN) return Response.redirect(env.ORIGIN, 302);
    const place = placeOf(url.pathname);
    if (place) return pass(request, env, place);
    if (url.pathname === "/api/info") return sealed(Response.json(info(env)));
    if (env.KEPT && url.pathname === "/api/keep")
      return sealed(await keep(request, keeper(request, env, env.KEPT)));
    if (env.KEPT && url.pathname.startsWith("/kept/"))
      return sealed(await serveKept(request, keeper(request, env, env.KEPT)));
    if (url.pathname.startsWith("/api/")) return sealed(problem(404, "Nothing answers here."));
    if (isThere("sandbox", env) && SANDBOX_FILES.test(url.pathname))
      return sealed(await theSandbox().fetch(request));
    return named(page(await env.ASSETS.fetch(request), env), request);
  },
};

/** @param {string} path */
function placeOf(path) {
  const places = /** @type {Place[]} */ (Object.keys(MOUNTS));
  return places.find((place) => path.startsWith(`${MOUNTS[place]}/`));
}

/** @param {Place} place @param {Env} env */
function isThere(place, env) {
  return place === "service" ? Boolean(env.COMETAPI_KEY) : !env.COMETAPI_KEY || Boolean(env.SANDBOX);
}

/** @param {Request} request @param {Env} env @param {Place} place */
async function pass(request, env, place) {
  if (!isThere(place, env)) return sealed(problem(404, MISSING[place]));
  return gatewayOf(place, new URL(request.url).origin, env).fetch(request, env);
}

/**
 * The gateway: the service's key here, the page's calls there.
 * @param {Place} place @param {string} origin @param {Env} env
 */
function gatewayOf(place, origin, env) {
  const target = targetOf(place, origin, env);
  const name = JSON.stringify([place, target.baseUrl, env.COMETAPI_KEY, env.GATEWAY_SECRET]);
  const known = gateways.get(name);
  if (known) return known;
  const made = createGateway({
    ...target,
    basePath: MOUNTS[place],
    secret: () => secretOf(place, env),
    authorize: (request) => {
      const subject = visitor(request);
      return subject ? { subject } : null;
    },
    rateLimiter: env.SUBMITS,
  });
  gateways.set(name, made);
  return made;
}

/**
 * Whom the gateway and the keeping talk to. The sandbox is never told the key, and has no way out to the network.
 * @param {Place} place @param {string} origin @param {Env} env
 * @returns {{ baseUrl: string, apiKey: string, fetch: import("comet-tasks").FetchLike }}
 */
function targetOf(place, origin, env) {
  if (place === "sandbox") {
    const answer = (/** @type {Request} */ request) => theSandbox().fetch(request);
    return { baseUrl: origin, apiKey: "sandbox", fetch: (input, init) => answer(new Request(input, init)) };
  }
  return {
    baseUrl: serviceUrl(env),
    apiKey: env.COMETAPI_KEY ?? "",
    fetch: (input, init) => fetch(input, init),
  };
}

/** @param {Request} request @param {Env} env @param {import("./keep.js").Bucket} bucket @returns {import("./keep.js").Keeper} */
function keeper(request, env, bucket) {
  const { origin } = new URL(request.url);
  return {
    bucket,
    subject: visitor(request),
    rateLimiter: env.KEEPS ?? keepsAMinute,
    maxBytes: Number(env.KEPT_MAX_BYTES || MOST_KEPT_BYTES),
    from(place) {
      if ((place !== "service" && place !== "sandbox") || !isThere(place, env)) return null;
      return {
        target: targetOf(place, origin, env),
        // What the sandbox numbers and what the service numbers are two things.
        folder: place === "sandbox" ? "sandbox/" : "",
        open: (handle) => gatewayOf(place, origin, env).open(request, /** @type {any} */ (handle), env),
      };
    },
  };
}

/**
 * Without a secret of its own the gateway has one that follows from the key, so that the ids in a page's store still open after this
 * Worker has started anew. The sandbox's tasks do not outlive it, nor does its secret.
 * @param {Place} place @param {Env} env
 */
async function secretOf(place, env) {
  if (place === "sandbox") return theSandbox().secret;
  return env.GATEWAY_SECRET || sha256(`comet-tasks demo gateway ${env.COMETAPI_KEY}`);
}

/** The browser's own name, from the cookie. @param {Request} request */
function visitor(request) {
  return new RegExp(`(?:^|;\\s*)${COOKIE}=([0-9a-f]{32})(?:;|$)`).exec(
    request.headers.get("cookie") ?? "",
  )?.[1];
}

/**
 * Gives a browser that has none a name: a random one, which no script of the page can read and no other site can send.
 * @param {Response} response @param {Request} request
 */
function named(response, request) {
  if (visitor(request)) return response;
  const secure = new URL(request.url).protocol === "https:" ? "; Secure" : "";
  const name = hex(crypto.getRandomValues(new Uint8Array(16)));
  const rules = `Path=/; Max-Age=31536000; HttpOnly; SameSite=Strict${secure}`;
  response.headers.append("set-cookie", `${COOKIE}=${name}; ${rules}`);
  // The name is one browser's: no cache may give it to another.
  response.headers.set("cache-control", "no-store");
  return response;
}

/**
 * What the page can choose from. `session` tells tasks of one service, or of one run of the sandbox, from those of another.
 * @param {Env} env
 */
function info(env) {
  const host = new URL(serviceUrl(env)).host;
  return {
    service: isThere("service", env) ? { host, session: host } : null,
    sandbox: isThere("sandbox", env) ? { session: `sandbox-${theSandbox().startedAt}` } : null,
    keep: Boolean(env.KEPT),
  };
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
  sandbox ??= {
    ...createSandbox({ seed: 7, speed: SANDBOX_SPEED }),
    startedAt: Date.now(),
    secret: hex(crypto.getRandomValues(new Uint8Array(32))),
  };
  return sandbox;
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
      // Files to keep come from where pictures come from; and a key that was typed into the page goes straight to the service.
      `connect-src 'self' https: ${service}`.trim(),
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join("; "),
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
  });
}
