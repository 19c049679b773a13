/**
 * A stand-in for the service, for demos and tests: every route that this package speaks, with the service's own
 * habits, tasks that move with the clock, faults by script, and real small pictures and videos.
 *
 * ```js
 * const sandbox = createSandbox({ speed: 60 });
 * const client = createClient({ baseUrl: "https://sandbox.example", fetch: sandbox.fetch });
 * ```
 *
 * **Prompts that ask for trouble.** Put `sandbox:<mark>` anywhere in a prompt; several marks may be combined.
 *
 * | mark | what happens |
 * |---|---|
 * | `banned` | refused by moderation: code 24; on /v1/videos a 400 with the upstream's JSON in its message |
 * | `queue-full` | refused: code 23; on /v1/videos a 429 |
 * | `queue-full-9` | refused in the words of another backend: code 9, 队列已满 (Midjourney only) |
 * | `rejected` | refused: code 9; on /v1/videos a 400 `invalid_request` |
 * | `quota` | refused: 400 `quota_not_enough`; on /v1/videos a 403 |
 * | `saturated` | refused: 429 with code 30; on /v1/videos a 429 |
 * | `no-channel` | refused: 503 `model_not_found` |
 * | `lost` | the task **is created**, and the reply hides it: code 5; on /v1/videos a 502 |
 * | `in-queue` | accepted with code 22 and `numberOfQueues` (Midjourney only; it also happens by itself beyond ten running tasks) |
 * | `fail` | the task ends in FAILURE / `failed`, with a reason |
 * | `cancel` | the task ends in CANCEL / `cancelled` |
 * | `slow` | the task takes ten times as long |
 * | `speed-60` | the task alone runs 60 times as fast as life, whatever `speed` says; any number from 1 to 9999 |
 * | `never` | the task runs for an hour, then fails as the gateway does it |
 * | `no-asset` | success, and the URLs come 20 seconds later; the content endpoint answers 502 until then |
 * | `no-asset-ever` | success, and no URL ever |
 * | `lying-progress` | progress that is full too early, goes backwards, and is words at times |
 *
 * **Where services differ** the stand-in follows new-api, the gateway that CometAPI is built on, with these additions:
 * animate, PicReader and bookmark buttons work; a video body with `task_id` (the other dialect) may give its index as a
 * string, one with `taskId` may not; `sora*` models have Sora's reply and no URL, so their video comes from the content
 * endpoint alone; an `--video` in an imagine prompt makes clips.
 */
export function createSandbox(options?: SandboxOptions): Sandbox;

/** How the stand-in behaves. */
export interface SandboxOptions {
  /**
   * The clock, in milliseconds since the epoch. What a task shows is a function of it; there is no timer.
   * @default Date.now
   */
  now?: () => number;
  /**
   * Fixes ids, durations and all else that is left to chance: the same seed, clock and order of submits give the same
   * tasks, however often they are read between.
   * @default 1
   */
  seed?: number;
  /** The key that requests must bring: as a bearer token, bare, or in `mj-api-secret`. Without it every request is let in. */
  apiKey?: string;
  /** The origin of absolute URLs in replies. Default: the origin of the request that is answered. */
  origin?: string;
  /**
   * How fast the service's time runs: with 60 a minute passes in a second. The times in replies are real ones, so a
   * task's duration as they tell it is divided by this too. Links expire after a real day whatever the speed.
   * @default 1
   */
  speed?: number;
  /** What goes wrong, and when. Wrong entries throw a TypeError here. */
  faults?: Fault[];
  /**
   * Delivers notifyHook calls: a POST with the task's JSON at each change of status or progress. Having no timer, the
   * stand-in notices changes when the next request arrives (a preflight is enough). What it returns, or throws, is
   * ignored. Without it hooks are dropped, as gateways do by default.
   */
  notify?: (request: Request) => Promise<unknown>;
}

/** A running stand-in. */
export interface Sandbox {
  /**
   * Answers one request; needs no `this`, so it can be handed over as a client's `fetch`. Rejects where a fault drops
   * the connection, and with the signal's reason where a stalled request is aborted.
   */
  fetch(request: Request | string | URL, init?: RequestInit): Promise<Response>;
  /** All requests so far, in order of arrival, preflights left out. `path` has no query. */
  readonly requests: { method: string; path: string; at: number }[];
  /**
   * How many tasks exist, each of which a service would bill: one for each accepted submit, the opening of a window and
   * its confirmation counted apart, and four for PicReader::all. Uploads and bookmarks make none.
   */
  readonly submits: number;
}

/** Something that goes wrong once. Only requests to known routes are counted, and preflights never are. */
export type Fault = {
  /** "submit": POST /mj/submit/*, POST /v1/videos and its remix; "read": task, list, seed, GET /v1/videos/{id}; "asset": pictures, links, content. */
  on: "submit" | "read" | "asset";
  /** The how manieth request of that kind, from 1. Of two faults for one request the first in the list counts. */
  at: number;
  /**
   * - `"drop_before"`: the connection breaks, nothing was created
   * - `"drop_after"`: the connection breaks, the task exists
   * - `"stall"`: no answer until the request's signal aborts; the task exists
   * - `"expire"` (assets only): 403, as from a CDN; links to that file stay dead until the task is read again
   * - `truncateAt`: the body ends after so many bytes; an asset still claims its full length
   * - `contentType`: the reply is typed so
   * - `status`: this reply instead of the service's own, nothing was created; 200 to 599
   */
  do:
    | "drop_before"
    | "drop_after"
    | "stall"
    | "expire"
    | { truncateAt: number }
    | { contentType: string }
    | { status: number; headers?: Record<string, string>; body?: string };
};
