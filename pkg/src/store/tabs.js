/**
 * The tabs that have the same store open: one of them leads, and all hear each other. Who holds the lock leads; it goes on
 * to the next in line when its tab closes or breaks down, with no timer and no heartbeat.
 */
export class Tabs {
  #name;
  #hooks;
  #channel;
  #leads = false;
  /** Ends the present try for the lead, or the lead. @type {AbortController | undefined} */
  #attempt;

  /**
   * @param {string} name
   * @param {{ onMessage(message: any): void, onLead(): void, onFollow(): void }} hooks
   */
  constructor(name, hooks) {
    this.#name = name;
    this.#hooks = hooks;
    this.#channel = typeof BroadcastChannel === "undefined" ? undefined : new BroadcastChannel(name);
    this.#channel?.addEventListener("message", ({ data }) => hooks.onMessage(data));
  }

  get leads() {
    return this.#leads;
  }

  /** @param {object} message plain data */
  send(message) {
    this.#channel?.postMessage(message);
  }

  /** Stands in line for the lead. A tab that could not hear the others, or not know of them, leads for itself. */
  compete() {
    if (this.#attempt || this.#leads) return;
    if (this.#channel && typeof navigator !== "undefined" && navigator.locks) this.#try(navigator.locks);
    else this.#lead();
  }

  /** Takes the lead from a tab that is out of sight: browsers slow such tabs down, or stop them. */
  takeOver() {
    if (!this.#attempt || this.#leads) return;
    this.#attempt.abort();
    this.#try(navigator.locks, { steal: true });
  }

  close() {
    const attempt = this.#attempt;
    this.#attempt = undefined;
    this.#leads = false;
    attempt?.abort();
    this.#channel?.close();
  }

  /** @param {LockManager} locks @param {LockOptions} [how] */
  async #try(locks, how) {
    const attempt = new AbortController();
    this.#attempt = attempt;
    let didLead = false;
    const hold = async () => {
      if (attempt.signal.aborted) return;
      didLead = true;
      this.#lead();
      await new Promise((resolve) => attempt.signal.addEventListener("abort", resolve));
    };
    // It rejects when another tab takes the lead, when this one gives up, and where the browser refuses locks.
    await locks.request(this.#name, how ?? { signal: attempt.signal }, hold).catch(() => {});
    if (this.#attempt !== attempt) return;
    if (!didLead) return this.#lead();
    this.#leads = false;
    this.#hooks.onFollow();
    this.#try(locks);
  }

  #lead() {
    this.#leads = true;
    this.#hooks.onLead();
  }
}
