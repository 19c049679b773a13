// The sandbox's own records. Not shipped as an interface: what users see is in ../sandbox.d.ts.

export type Random = () => number;

/** What will become of a task and when: fixed when it is created, so that a reading is a function of it and the time. */
export interface Plan {
  submittedAt: number;
  /** Service milliseconds that pass in one real millisecond. */
  speed: number;
  /** Service milliseconds after the submit. */
  startMs: number;
  endMs: number;
  end: "SUCCESS" | "FAILURE" | "CANCEL";
  reason: string;
  marks: ReadonlySet<string>;
}

/** What a finished Midjourney task shows. */
export type Outcome =
  | { kind: "grid" }
  | { kind: "picture"; index: number }
  | { kind: "clips" }
  | { kind: "texts"; texts: string[] };

export interface MidjourneyTask {
  id: string;
  action: string;
  prompt: string;
  state: string;
  notifyHook: string;
  botType: string;
  plan: Plan;
  outcome: Outcome;
  /** Goes into the buttons' custom ids. */
  hash: string;
  /** The row waits in MODAL for a window to be confirmed. */
  modal: boolean;
  /** The row that a confirmed window added under the same id; this one stays stale until `lagMs` after its end. */
  newer: MidjourneyTask | null;
  lagMs: number;
  /** The last status and progress that its hook was told. */
  told: string;
}

export interface VideoTask {
  id: string;
  model: string;
  prompt: string;
  size: string;
  seconds: string;
  /** Sora's replies have other fields than the gateway's own, and no URL: the content endpoint alone has the video. */
  sora: boolean;
  remixedFrom: string | null;
  clip: number;
  plan: Plan;
}

/** All that the stand-in remembers. */
export interface Service {
  now: () => number;
  seed: number;
  speed: number;
  apiKey: string | undefined;
  origin: string | undefined;
  notify: ((request: Request) => Promise<unknown>) | undefined;
  /** Rows by id, oldest first: two after a confirmed modal. */
  rows: Map<string, MidjourneyTask[]>;
  videos: Map<string, VideoTask>;
  hooked: MidjourneyTask[];
  submits: number;
  calls: number;
  /** How often the links of a path were declared expired: later ones are signed anew. */
  revoked: Map<string, number>;
}

/** One request while it is answered. */
export interface Call {
  request: Request;
  url: URL;
  params: Record<string, string>;
  now: number;
  /** For absolute URLs in the reply. */
  origin: string;
  requestId: string;
}

export type RouteKind = "submit" | "read" | "asset";
export type Handler = (service: Service, call: Call) => Promise<Response> | Response;
export type AsyncHandler = (service: Service, call: Call) => Promise<Response>;
export interface Route {
  method: string;
  pattern: RegExp;
  kind: RouteKind;
  handle: Handler;
  /** Pictures and signed links are read without the key. */
  open: boolean;
}

/** The JSON body of a Midjourney submit, its types checked. */
export type Fields = Record<string, any>;
