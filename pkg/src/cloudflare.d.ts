// Types of `comet-tasks/cloudflare`. They name Cloudflare's own: `wrangler types` writes those, or install
// `@cloudflare/workers-types`.
import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from "cloudflare:workers";
import type { ImageInput, PersistedAsset, SettledTask, SubmitCall } from "./index.js";

/**
 * Submit, wait, keep, as a Cloudflare Workflow. It survives restarts at any point: at most one submit, no lost task, and the
 * task's files in the bucket.
 *
 * The Worker's env has `COMETAPI_KEY`, `COMETAPI_BASE_URL` for another service of the family, the R2 bucket that `bucket`
 * names, and `COMETAPI_HOOK_URL` where the service may tell of news: a route of the Worker that calls `receiveHook`.
 *
 * The bucket also holds a mark for each instance (`<prefix>.comet-tasks/<instance's id>.json`), made before the submit. An
 * instance whose submit's outcome is unknown ends with "submit_unknown" instead of a second bill; one that is restarted goes
 * on with the task that it had. Do not delete a mark while its instance may still be restarted.
 */
export class CometWorkflow<Env = unknown> extends WorkflowEntrypoint<Env, CometWorkflowParams> {
  run(event: Readonly<WorkflowEvent<CometWorkflowParams>>, step: WorkflowStep): Promise<CometWorkflowResult>;
}

export interface CometWorkflowParams {
  submit: DurableCall;
  /** The R2 binding's name. */
  bucket: string;
  /**
   * Stands before every key.
   * @default ""
   */
  prefix?: string;
  /**
   * Milliseconds from the first reading until the instance fails with "deadline".
   * @default 900_000, or 1_800_000 for videos
   */
  timeoutMs?: number;
}

/** Fits the engine's limit of 1 MiB: the service's own object (`raw`) stays out. */
export interface CometWorkflowResult {
  task: SettledTask;
  /** Empty unless the task succeeded. */
  assets: PersistedAsset[];
}

/** A picture in the same bucket. Bytes do not fit into an instance's parameters. */
export interface StoredImage {
  r2Key: string;
}

type Picture<T> = T extends readonly unknown[] ? (ImageInput | StoredImage)[] : T | StoredImage;
type Durable<P> = P extends unknown
  ? {
      [Name in keyof P]: Name extends "image" | "images" | "mask" | "inputReference"
        ? Picture<P[Name]>
        : P[Name];
    }
  : never;

/** A submit whose pictures are URLs, data URIs, or lie in the bucket. */
export type DurableCall = SubmitCall extends infer Call
  ? Call extends { kind: infer Kind; params: infer Params }
    ? { kind: Kind; params: Durable<Params> }
    : never
  : never;

/**
 * Answers the service's calls to `COMETAPI_HOOK_URL`. The secret in each call's URL is checked, and its body is not believed:
 * it wakes the workflow, which reads the task itself. After a submit whose answer was lost, the call gives the task back.
 */
export function receiveHook(
  request: Request,
  env: unknown,
  names: { workflow: string; bucket: string; prefix?: string },
): Promise<Response>;
