// The public types of comet-tasks. Times are milliseconds since the epoch, durations milliseconds, progress percent.

/* ── client ─────────────────────────────────────────────────────────── */

export interface ClientOptions {
  /**
   * The key, or a function that is asked for it before each request. It is sent to `baseUrl`'s origin alone.
   * @default none: a gateway adds it
   */
  apiKey?: string | (() => string | Promise<string>);
  /**
   * Where the service is. A trailing "/" or "/v1" is removed, a path prefix is kept. In a page it may be relative
   * ("/api/comet").
   * @default "https://api.cometapi.com"
   */
  baseUrl?: string;
  /**
   * How the key is sent: `Authorization: Bearer k`, `Authorization: k` or `mj-api-secret: k`.
   * @default "bearer"
   */
  auth?: "bearer" | "raw" | "mj-api-secret";
  /**
   * Spelling of the video body: "comet" sends `{taskId, index: 2}`, "snake" sends `{task_id, index: "2"}` and requires
   * a prompt. The service's own pages disagree.
   * @default "comet"
   */
  dialect?: "comet" | "snake";
  /**
   * What sends the requests. Called unbound.
   * @default globalThis.fetch
   */
  fetch?: FetchLike;
  /** Sent with every request. */
  headers?: Record<string, string>;
  /**
   * Milliseconds that one HTTP exchange may take until its headers are there, and then between two pieces of its body.
   * null: no limit. A submit that runs into it rejects with "timeout" and `ambiguous: true`.
   * @default 30_000 for reads, 120_000 for submits, uploads and the image seed
   */
  requestTimeoutMs?: number | null;
  /**
   * A page (window and document) is no place for a key: a raw `apiKey` throws there unless this is true.
   * @default false
   */
  dangerouslyAllowBrowser?: boolean;
  /**
   * Requests in flight at once, over all calls of this client, each counted until the head of its reply is there. In a
   * Worker or an edge function, where one request must not wait for another's, those of one call.
   * @default 6
   */
  maxConcurrency?: number;
  /**
   * Replies of the API that are larger are not read to their end, in bytes: code "too_large".
   * @default 1_048_576
   */
  maxReplyBytes?: number;
  /**
   * Told of every request, reply, retry, reading, sleep and end. A request is told when it is ready to go: where `maxConcurrency`
   * makes it wait for its turn, that is in its reply's `ms`. What it throws changes nothing.
   */
  onEvent?: (event: ClientEvent) => void;
}

export type FetchLike = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** Makes a client at once; the wasm is loaded by its first call. Wrong options throw a CometError "validation" here. */
export function createClient(options?: ClientOptions): Client;

/**
 * Loads the wasm ahead of the first call, or from somewhere else: a WebAssembly.Module, its bytes, a Response, its URL, or
 * a promise of one. Never needed. A load that failed can be tried again.
 */
export function init(source?: object | string): Promise<void>;

/** `using client = createClient()` works where the runtime knows Symbol.dispose. */
export interface Client {
  /** A picture from a prompt. `POST /mj/submit/imagine` */
  submitImagine(params: ImagineParams, options?: SubmitOptions): Promise<TaskHandle>;
  /** A Midjourney video from a picture, or the continuation of one. `POST /mj/submit/video` */
  submitVideo(params: VideoParams, options?: SubmitOptions): Promise<TaskHandle>;
  /** A video of Veo, or of any other model on that route. `POST /v1/videos` */
  submitVeo(params: VeoParams, options?: SubmitOptions): Promise<TaskHandle>;
  /** Presses a button of a finished picture. `POST /mj/submit/action` */
  submitAction(params: ActionParams, options?: SubmitOptions): Promise<TaskHandle>;
  /** Confirms a task that waits with status "action_required". `POST /mj/submit/modal` */
  submitModal(params: ModalParams, options?: SubmitOptions): Promise<TaskHandle>;
  /** Mixes two to five pictures. `POST /mj/submit/blend` */
  submitBlend(params: BlendParams, options?: SubmitOptions): Promise<TaskHandle>;
  /** Prompts for a picture, in `texts`. `POST /mj/submit/describe` */
  submitDescribe(params: DescribeParams, options?: SubmitOptions): Promise<TaskHandle>;
  /** Shorter prompts, in `texts`. `POST /mj/submit/shorten` */
  submitShorten(params: ImagineParams, options?: SubmitOptions): Promise<TaskHandle>;
  /** Changes a picture. `POST /mj/submit/edits` */
  submitEdits(params: EditsParams, options?: SubmitOptions): Promise<TaskHandle>;
  /** A finished video once more, with another prompt. `POST /v1/videos/{id}/remix` */
  submitRemix(
    params: { handle: TaskHandle | string; prompt: string },
    options?: SubmitOptions,
  ): Promise<TaskHandle>;
  /** Stores pictures at the service; resolves to their URLs. `POST /mj/submit/upload-discord-images` */
  uploadImages(images: ImageInput[], options?: RequestOptions): Promise<string[]>;
  /** The seed of a finished picture, in digits. `GET /mj/task/{id}/image-seed` */
  imageSeed(handle: TaskHandle | string, options?: RequestOptions): Promise<string>;

  /**
   * One reading of one task, with one request. A bare string is a Midjourney id, or one of /v1/videos when it starts with
   * "task_" or "video_". A failed task is a reading like any other.
   */
  fetchTask(handle: TaskHandle | string, options?: RequestOptions): Promise<Task>;
  /**
   * One reading of many tasks, in as few requests as the service allows: Midjourney's go by the list route, a hundred in a
   * request, the others one by one, six at a time. The result has the order and length of `handles`: null for a task that
   * the service does not know, its error for a reading that failed. Rejects as a whole only with "validation" (nothing was
   * sent), "unauthorized", "forbidden", "closed", or the reason of an abort.
   */
  fetchTasks(
    handles: (TaskHandle | string)[],
    options?: RequestOptions,
  ): Promise<(Task | CometError | null)[]>;
  /** Submit, then wait. `onSubmitted` is awaited before the wait begins, so that the handle can be stored first. */
  run(
    call: SubmitCall,
    options?: SubmitOptions & PollOptions & { onSubmitted?(handle: TaskHandle): void | Promise<void> },
  ): Promise<ResolvedTask>;
  /** Waits until the task has settled: until it has succeeded, unless `throwOnFailure` is false. */
  poll(handle: TaskHandle | string, options: PollOptions & { throwOnFailure: false }): Promise<SettledTask>;
  poll(handle: TaskHandle | string, options?: PollOptions): Promise<ResolvedTask>;
  /**
   * One step of a wait that the host drives: a cron, a queue, a Durable Object's alarm, a workflow. It makes one request, or
   * none if it is called before its time, and sets no timer but that request's. Keep `state` beside the handle and call again
   * after `waitMs`, from any machine; the first step takes null, and fixes the deadline. Steps ask when `poll` would ask.
   *
   * What happened to the task is in `task`, failures included (`throwOnFailure` plays no part), and after a failure that
   * passes there is just a longer `waitMs`. Throws "validation", "unauthorized", "forbidden", "deadline", the reason of an
   * abort, and what would not change with time: "request_budget", "no_asset", a "not_found" that lasts.
   */
  pollOnce(handle: TaskHandle | string, state?: PollState | null, options?: PollOptions): Promise<PollStep>;
  /**
   * The wait of `poll` as readings: yields when status or progress changed, the settled reading last, then ends, or throws
   * where `poll` would reject. It starts with the first `next()`, and can be iterated once. Leaving the loop stops the wait
   * at once. Whoever is slow misses readings, never the settled one: of the others the newest is kept.
   */
  watch(handle: TaskHandle | string, options?: PollOptions): AsyncIterable<Task>;
  /**
   * The video of a /v1/videos task through the authenticated endpoint. The body is yours to read, or to cancel: until it has ended, by
   * itself, the signal or `close()`, it holds its connection.
   */
  downloadContent(handle: TaskHandle | string, options?: RequestOptions): Promise<Response>;
  /**
   * Copies every file of a succeeded task to a place of yours, one after another and without holding one in memory. A copy
   * that broke off is made anew as a whole, and an expired URL is read anew once. What is no picture or video, by its bytes
   * too, is never stored. Doing it again is harmless: same task, same keys, same bytes. The key goes to `baseUrl` alone.
   */
  persist(task: Task, sink: Sink, options?: PersistOptions): Promise<PersistedAsset[]>;
  /** Ends every open call with code "closed", and lets the memory go. */
  close(): void;
}

export interface RequestOptions {
  /** Ends the call. A submit whose request had left rejects with "submit_unknown", all else with the signal's reason. */
  signal?: AbortSignal;
  /** Over the client's own. */
  headers?: Record<string, string>;
  /** Over the client's own. */
  requestTimeoutMs?: number | null;
}

export interface SubmitOptions extends RequestOptions {
  /**
   * Which of the account's modes does the work; Midjourney only.
   * @default none: the service chooses
   */
  speed?: "relax" | "fast" | "turbo";
}

/* ── what is submitted ──────────────────────────────────────────────── */

/**
 * A picture: its bytes, a base64 data URI, or its URL. A URL goes out as it is, and only where the route takes one
 * (`video.image`, `edits.image`, `describe.image`); elsewhere it is a validation error: hand over
 * `await (await fetch(url)).blob()`, since this package fetches no picture for you.
 */
export type ImageInput = string | Blob | ArrayBuffer | Uint8Array;

interface Common {
  /** Your own tag, echoed in the task. At most 255 UTF-16 units. */
  state?: string;
  /** Where the service posts changes of the task: an absolute http(s) URL of at most 2000 characters. */
  notifyHook?: string;
  /** Further body fields of a service in this family (loop, endImage, batchSize …), passed as they are. */
  extra?: Record<string, unknown>;
}

export interface ImagineParams extends Common {
  /** Not blank. Midjourney's own flags go inside ("--ar 16:9"). */
  prompt: string;
  botType?: "MID_JOURNEY" | "NIJI_JOURNEY";
  /** Pictures to go by; bytes or data URIs. */
  images?: ImageInput[];
  accountFilter?: object;
}

export type VideoParams = Common & {
  /** @default "low" */
  motion?: "low" | "high";
  prompt?: string;
  videoType?: string;
  noStorage?: boolean;
} & (
    | { image: ImageInput; action?: undefined; index?: undefined; taskId?: undefined }
    /** To continue a clip of a finished video: the three together, or none. */
    | { action: "extend" | (string & {}); index: 0 | 1 | 2 | 3; taskId: string; image?: ImageInput }
  );

export interface VeoParams {
  /** Not blank. */
  prompt: string;
  /** @default "veo3-fast" */
  model?: string;
  /** "16x9", "1280x720": what the model takes. */
  size?: string;
  seconds?: string | number;
  /** None: from text alone. One: the first frame. Two, in order: the first frame and the last. */
  inputReference?: ImageInput | ImageInput[];
  /** Further text parts, passed as they are. */
  extra?: Record<string, string | number | boolean>;
}

export interface ActionParams extends Common {
  /** The task that has the button. */
  taskId: string;
  /** The button's customId: see `findButton`. */
  customId: string;
  enableRemix?: boolean;
  chooseSameChannel?: boolean;
  noStorage?: boolean;
  accountFilter?: object;
}

export interface ModalParams extends Common {
  /** The task that waits. */
  taskId: string;
  prompt?: string;
  /** White where the picture is to be repainted, black where it stays. */
  mask?: ImageInput;
}

export interface BlendParams extends Common {
  /** Two to five. */
  images: ImageInput[];
  dimensions?: "PORTRAIT" | "SQUARE" | "LANDSCAPE";
  botType?: ImagineParams["botType"];
  accountFilter?: object;
}

export interface DescribeParams extends Common {
  image: ImageInput;
  botType?: ImagineParams["botType"];
  accountFilter?: object;
}

export interface EditsParams extends Common {
  prompt: string;
  image: ImageInput;
  mask?: ImageInput;
  botType?: ImagineParams["botType"];
  accountFilter?: object;
}

export type SubmitCall =
  | { kind: "imagine"; params: ImagineParams }
  | { kind: "video"; params: VideoParams }
  | { kind: "veo"; params: VeoParams }
  | { kind: "action"; params: ActionParams }
  | { kind: "modal"; params: ModalParams };

/* ── what comes back ────────────────────────────────────────────────── */

/** Where a task lives. Plain JSON: store it, post it, poll it after a reload or from another machine. No URL, no key. */
export interface TaskHandle {
  v: 1;
  family: "midjourney" | "videos";
  kind:
    "imagine" | "video" | "action" | "modal" | "blend" | "describe" | "shorten" | "edits" | "veo" | "remix";
  id: string;
  /** By the clock of the machine that submitted it. */
  submittedAt: number;
  model?: string;
  state?: string;
  /** The submit reply's own code: 1, 21, 22. */
  code?: number;
  /** Its place in the queue, when the reply named one. */
  queuePosition?: number;
  /** `PicReader::all` answers with several ids; the others are here. */
  more?: string[];
}

interface Reading {
  handle: TaskHandle;
  /** The service's own word for the status. */
  rawStatus: string;
  /** Percent, 0 to 100; null when the service said none. It never decides whether a task is done. */
  progress: number | null;
  /** Result pictures: http(s) only, in order, without repeats; empty until succeeded. */
  images: string[];
  /** Result videos, likewise. */
  videos: string[];
  /** A /v1/videos result that has no URL: use `downloadContent`. */
  content: boolean;
  /** An unfinished picture. Never a result. */
  preview: string | null;
  /** Describe and shorten answer with texts. */
  texts: string[];
  /** What can be done next: see `findButton` and `submitAction`. */
  buttons: { customId: string; label: string; emoji: string }[];
  prompt: string | null;
  state: string | null;
  submittedAt: number | null;
  startedAt: number | null;
  finishedAt: number | null;
  /** The earliest expiry that the result URLs name themselves. */
  expiresAt: number | null;
  /**
   * The service's own object, parsed when it is first asked for. Numbers beyond 2^53 are as JSON.parse has them; ids above
   * are exact. Left out of copies and of JSON.
   */
  readonly raw: unknown;
}

export type Task = Reading &
  (
    | { status: "queued" }
    /** `estimate`: what remains by this client's belief, in milliseconds; null where nothing is believed (a webhook). */
    | { status: "running"; estimate: { medianMs: number; p90Ms: number } | null }
    /** The service waits for `submitModal`. */
    | { status: "action_required" }
    | { status: "succeeded" }
    | { status: "failed"; failure: { code: string | null; message: string } }
    | { status: "canceled"; failure: { code: string | null; message: string } }
  );
export type SettledTask = Exclude<Task, { status: "queued" | "running" }>;
export type ResolvedTask = Extract<Task, { status: "succeeded" } | { status: "action_required" }>;

/** The button of a finished picture by its label or emoji ("U1", "V2", "🔄"), to go on with `submitAction`. */
export function findButton(
  task: Task,
  label: string,
): { customId: string; label: string; emoji: string } | undefined;

/** Whether `next` is news after `previous`: never from settled back, never to an older reading. For webhooks and stores. */
export function supersedes(previous: Task, next: Task): boolean;

/* ── waiting ────────────────────────────────────────────────────────── */

export interface PollOptions extends RequestOptions {
  /** Called when status or progress changed. A throw inside it rejects the wait. */
  onUpdate?: (task: Task) => void;
  /**
   * Milliseconds from the call (`pollOnce`: from the first step) until the wait rejects with "deadline"; null: no limit.
   * The task goes on. While a wait runs, a leap of the clock by more than five minutes does not count: a machine that slept.
   * @default 900_000, or 1_800_000 once the kind or a reading says video
   */
  timeoutMs?: number | null;
  /**
   * Seconds of needless waiting that one more request is worth: the one knob of the schedule. Requests for a
   * task that waits alone are a second apart or more; with less than the default, twice the budget, and never under 0.25 s.
   * @default 0.5
   */
  stalenessBudget?: number;
  /**
   * Milliseconds between two requests, instead of the schedule. Where several tasks wait, a request may come up to half of
   * it earlier, together with theirs.
   */
  intervalMs?: number;
  /** Requests after which the wait rejects with "request_budget". */
  maxRequests?: number;
  /**
   * "action_required" counts as running.
   * @default true for handles of submitModal
   */
  afterModal?: boolean;
  /**
   * A failed or canceled task rejects with "task_failed" or "task_canceled".
   * @default true
   */
  throwOnFailure?: boolean;
}

/**
 * What a wait remembers from step to step: plain JSON of less than 1 KB, with no key and no URL in it. A state that a later
 * version does not know, or that was damaged, starts a new wait with the deadline of the old one, if that can be read.
 */
export type PollState = { [key: string]: unknown };

/** Where a wait stands after a step. `task` is null when this step read nothing. */
export type PollStep =
  | { task: SettledTask; done: true; state: null; waitMs: 0 }
  | { task: Task | null; done: false; state: PollState; waitMs: number };

/* ── keeping ────────────────────────────────────────────────────────── */

/**
 * Where files go:
 * - a presigned PUT, or a function that is asked for one for each file, and again when a file is sent again. One URL and
 *   several files are a validation error. Storages take no upload of unknown length, so such a file, and in a page every
 *   file, is held as a Blob first: outside a page up to 64 MiB
 * - an R2 bucket, or what has its `put(key, body, options)`. Without a length a multipart upload is made where the bucket
 *   offers one; else the file is held up to 64 MiB
 * - a folder of the Origin Private File System, or one that the user picked. A key's parts become folders
 * - `write`, which must read the response to its end, and is called again when a file is sent again
 */
export type Sink =
  | string
  | URL
  | ((asset: AssetInfo) => string | URL | Promise<string | URL>)
  | { put(key: string, body: ReadableStream | ArrayBuffer | Blob, options?: object): Promise<unknown> }
  | { getFileHandle(name: string, options?: { create?: boolean }): Promise<any> }
  | { write(asset: AssetInfo, response: Response): Promise<void> };

/** One file of a task. */
export interface AssetInfo {
  /** Where it came from; null: the service's content endpoint. */
  url: string | null;
  kind: "image" | "video";
  /** Its place: the task's pictures, then its videos. */
  index: number;
  /** `<task's id>/<index>.<extension>`, safe as a path. */
  key: string;
  /** By its first bytes. */
  contentType: string;
  /** In bytes, where the reply said so. */
  size: number | null;
}

/** A file that the sink has. */
export interface PersistedAsset extends AssetInfo {
  bytes: number;
  /** In hex, when it was asked for. */
  sha256?: string;
}

export interface PersistOptions extends RequestOptions {
  /** Another key; a relative path of at most 1024 bytes, without empty or dotted parts, for each file another. */
  key?: (asset: AssetInfo) => string;
  /**
   * Whether a file may be fetched from this host, given without its port; asked for each redirect, too, outside pages.
   * What a name resolves to is not looked at.
   * @default in pages every host; elsewhere `baseUrl`'s own, and those that are not private, loopback or local by their name
   */
  allowHost?: (host: string) => boolean;
  /**
   * A larger file rejects with "too_large".
   * @default none
   */
  maxBytes?: number;
  /**
   * Compute `sha256` on the way.
   * @default false
   */
  sha256?: boolean;
}

/* ── errors ─────────────────────────────────────────────────────────── */

export type ErrorCode =
  | "validation"
  | "unauthorized"
  | "forbidden"
  | "quota"
  | "moderation"
  | "not_found"
  | "rate_limited"
  | "queue_full"
  | "unavailable"
  | "rejected"
  | "gateway"
  | "too_large"
  | "unsupported"
  | "redirect"
  | "protocol"
  | "network"
  | "timeout"
  | "submit_unknown"
  | "task_failed"
  | "task_canceled"
  | "no_asset"
  | "not_ready"
  | "truncated"
  | "expired"
  | "persist"
  | "deadline"
  | "request_budget"
  | "closed"
  | "panic";

/**
 * Every rejection but an abort's, and but what your own callbacks throw. An abort rejects with the signal's reason, except
 * when a submit's request had left by then: that is code "submit_unknown" with `ambiguous: true`, the reason as its `cause`.
 */
export class CometError extends Error {
  name: "CometError";
  code: ErrorCode;
  /** The call: "midjourney.video", "videos.retrieve" … */
  operation: string;
  /** HTTP status, if a reply came. */
  status?: number;
  /** The service's own code, if it named one. */
  serviceCode?: number | string;
  /** The service's name for the request, for its support. */
  requestId?: string;
  /** How long the service asks to wait, in milliseconds. */
  retryAfterMs?: number;
  /** The same call may be repeated with no risk of a second task. */
  retryable: boolean;
  /**
   * A task may exist and be billed although no id came back, or one that came with an error: that is in `handle`. Never sent
   * again by this package.
   */
  ambiguous: boolean;
  /** Set on every error once an id is known: `poll(error.handle)` goes on. */
  handle?: TaskHandle;
  /** The last reading of a wait. */
  task?: Task;
  /** The first 200 characters of a body that was not understood, tags removed. */
  excerpt?: string;
  hint?: "base_url" | "waf" | "cors";
  /** `{ field, rule }` of a validation error, `{ truncated: true }` of a reply that was cut off. */
  details?: unknown;
  /** Every field, and no secret. */
  toJSON(): object;
}

/** By name and shape, and so is `instanceof CometError`: there may be several realms, and copies of the package. */
export function isCometError(value: unknown): value is CometError;

export type ClientEvent = { operation: string; at: number; id?: string } & (
  | { type: "request"; method: string; path: string; attempt: number; batch?: number }
  | { type: "response"; status: number; ms: number; requestId?: string }
  | { type: "retry"; code: ErrorCode; waitMs: number }
  | { type: "reading"; status: Task["status"]; progress: number | null }
  | { type: "sleep"; ms: number; waiting: number }
  | { type: "settled"; outcome: Task["status"] | ErrorCode | "aborted"; ambiguous?: boolean }
);

/* ── webhooks ───────────────────────────────────────────────────────── */

/**
 * Reads a call of notifyHook with the tolerant reader of `fetchTask`. Anybody may have sent it: fetch the task before its
 * URLs are used. Rejects with "protocol" when there is no task in it, and with "too_large" over 32 MiB.
 */
export function parseWebhook(body: Request | string | Uint8Array): Promise<Task>;
