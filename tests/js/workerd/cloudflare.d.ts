// What of Cloudflare's own modules is used here: their types cannot stand beside those of Node and of pages.
declare module "cloudflare:workers" {
  export interface WorkflowEvent<Payload> {
    payload: Payload;
    timestamp: Date;
    instanceId: string;
  }
  export interface WorkflowStep {
    do(name: string, config: object, work: () => Promise<any>): Promise<any>;
    sleep(name: string, ms: number): Promise<void>;
    waitForEvent(name: string, options: { type: string; timeout: number }): Promise<unknown>;
  }
  export class WorkflowEntrypoint<Env = unknown, _Params = unknown> {
    constructor(ctx: unknown, env: Env);
    env: Env;
  }
  export class DurableObject<Env = unknown> {
    constructor(ctx: any, env: Env);
    ctx: any;
    env: Env;
  }
}
declare module "cloudflare:workflows" {
  export class NonRetryableError extends Error {
    constructor(message: string, name?: string);
  }
}
