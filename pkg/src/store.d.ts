// The public types of comet-tasks/store.
import type { Client, CometError, PollOptions, Task, TaskHandle } from "./index.js";

/**
 * Tasks that outlive the page: handles and last readings in IndexedDB, where a reload, a crash or tomorrow finds them.
 * However many tabs have the same store open, one asks for all (Web Locks) and the others listen (BroadcastChannel); when
 * it closes, the next takes over. A settled task is never asked for again.
 *
 * Where a browser lacks one of the three, the store does without: each tab asks for itself, or tasks live as long as the
 * page.
 */
export function createStore(client: Client, options?: StoreOptions): Store;

export interface StoreOptions {
  /**
   * Stores with different names know nothing of each other. Give each service and each user one of their own: a task is
   * asked for at whatever service the client talks to.
   * @default "default"
   */
  name?: string;
  /** How to wait: `timeoutMs`, `stalenessBudget`, `intervalMs` and so on. A wait that ends begins again with `resume()`. */
  poll?: Omit<PollOptions, "signal" | "onUpdate" | "throwOnFailure">;
  /**
   * Told, in every tab, what ended a wait before its task had settled: `error.handle` names the task, which is kept. Told
   * once with code "unsupported" and no handle when the browser keeps no data for the page.
   * @default a warning on the console
   */
  onError?: (error: CometError) => void;
}

export interface Store {
  /**
   * Keeps a task, and follows it once some tab has called `resume`. Resolves when it is stored. The handle that
   * `submitModal` gives out takes the place of the one before.
   */
  add(handle: TaskHandle): Promise<void>;
  /** Forgets a task and stops asking for it, in every tab. The service goes on with it. */
  remove(id: string): Promise<void>;
  /**
   * The last reading of each task, newest task first. One that was never read is "queued", with an empty `rawStatus`;
   * `raw` is not kept.
   */
  all(): Promise<Task[]>;
  /**
   * Follows whatever is not settled, here or in the tab that leads: call it once in each page. Calling it again begins the
   * waits that ended with an error anew; coming back to the page, or online, does that too.
   */
  resume(): void;
  /**
   * Called soon with all tasks, and at each change, whichever tab made it. What has not changed is the same object as
   * before. Returns the way to stop.
   */
  subscribe(listener: (tasks: readonly Task[]) => void): () => void;
  /** Stops everything in this tab; another takes over. What is stored stays, and the client stays open. */
  close(): void;
}
