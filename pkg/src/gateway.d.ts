/**
 * The gateway: a handler for your server that keeps the service's key, so that a page can use `comet-tasks` with no key of its own:
 * `createClient({ baseUrl: "/api/comet" })`. Runs wherever there is `Request`, `Response` and WebCrypto.
 */
import type { ClientEvent, FetchLike, TaskHandle } from "./index.js";

/**
 * Makes a gateway. It speaks the service's own wire protocol in and out, and denies whatever is not a known route of that.
 *
 * The ids that it hands out are signed for the caller (`<id>.<tag>`, at most 255 characters, the family's prefix kept), in submits,
 * readings and lists, and nothing but an id with its caller's own signature is taken: a caller can read and continue the tasks that
 * it created, and no others. Addresses in replies that lead to the service's own files of such a task are rewritten to the gateway.
 *
 * Wrong options throw a CometError "validation" here.
 */
export function createGateway(options: GatewayOptions): Gateway;

export interface Gateway {
  /**
   * Answers a request. Never rejects: what goes wrong is a reply, and what is wrong with the set-up is a reply of status 500 and a line
   * in the host's log. May be passed about without its object: `app.all("/api/comet/*", (c) => gateway.fetch(c.req.raw))`.
   * @param env handed to `apiKey`, `secret` and `authorize`; on Workers the bindings
   * @param ctx handed to `authorize`
   */
  fetch(request: Request, env?: unknown, ctx?: unknown): Promise<Response>;
  /**
   * The service's own handle behind one that the gateway gave to this caller: for `persist`, `poll` and workflows on the server, with a
   * client that has the key. Rejects with a CometError: "unauthorized" when `authorize` says null, "not_found" when the task is not
   * this caller's, "validation" when it is no handle.
   * @param request the caller's request, of which `authorize` reads who it is
   */
  open(request: Request, handle: TaskHandle, env?: unknown): Promise<TaskHandle>;
}

export interface GatewayOptions {
  /** The service's key, or a function that is asked for each request with the `env` that `fetch` was given. */
  apiKey: string | ((env: any) => string | Promise<string>);
  /**
   * The service. A trailing "/" or "/v1" is removed.
   * @default "https://api.cometapi.com"
   */
  baseUrl?: string;
  /**
   * The path at which the gateway is mounted, as it stands in the requests that reach it.
   * @default "/api/comet"
   */
  basePath?: string;
  /**
   * Who is asking: your own session, token or cookie. `subject` is the name under which tasks belong to somebody, the same in each of
   * a caller's requests; null answers 401. Must not read the request's body. A throw answers 500.
   */
  authorize(
    request: Request,
    env?: any,
    ctx?: any,
  ): Promise<{ subject: string } | null> | { subject: string } | null;
  /**
   * Signs the ids (HMAC-SHA-256): at least 32 bytes, random ones (`openssl rand -base64 32`). With another secret all ids that were
   * given out before are unknown.
   */
  secret: string | ((env: any) => string | Promise<string>);
  /**
   * The routes that are open.
   * @default every submit and read of this package
   */
  allow?: Route[];
  /**
   * Other origins whose pages may call, such as "https://app.example"; they may send credentials.
   * @default none: pages of the gateway's own origin alone
   */
  allowOrigins?: string[];
  /** Anything shaped like Cloudflare's rate-limit binding. It is asked for each submit, with the subject as key; no answers 429. */
  rateLimiter?: { limit(input: { key: string }): Promise<{ success: boolean }> };
  /**
   * The most bytes of a request's body, counted as they come. A body is held in memory while its fields are checked, and again as it
   * goes out.
   * @default 33554432 (32 MiB)
   */
  maxBodyBytes?: number;
  /**
   * The models that may be asked for on /v1/videos.
   * @default any
   */
  models?: string[];
  /** Where the service is to report every Midjourney task: an endpoint of your own. A caller's own `notifyHook` is refused. */
  notifyHook?: string;
  /** @default globalThis.fetch */
  fetch?: FetchLike;
  /**
   * Told of each request that goes to the service, its reply, and how each call ended, with the service's own ids and with no secret.
   * Frozen; a listener that throws changes nothing.
   */
  onEvent?: (event: ClientEvent) => void;
}

/** `task` and `tasks` are readings of one and of many, `content` is a result's bytes: `/mj/image/{id}` and `/v1/videos/{id}/content`. */
export type Route =
  | "imagine"
  | "video"
  | "veo"
  | "action"
  | "modal"
  | "blend"
  | "describe"
  | "shorten"
  | "edits"
  | "remix"
  | "upload"
  | "seed"
  | "task"
  | "tasks"
  | "content";
