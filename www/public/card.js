/** One task on the page. A card shows what it is told; board.js decides. */
import { button, find, fromTemplate } from "./dom.js";
import { assetsOf, showPreview, showResults } from "./media.js";
import { ACTION_REQUIRED, KINDS, STOPPED, clock, describe, explain } from "./words.js";

/**
 * @typedef {import("comet-tasks").Task} Task
 * @typedef {"sending" | "queued" | "running" | "done" | "asks" | "stopped" | "trouble"} State how the card looks
 * @typedef {{ title: string, way: import("./form.js").Way, shape: import("./form.js").Shape, startedAt: number, endedAt?: number }} About
 * @typedef {{ label: string, run: () => void }} Action
 */

let count = 0;

export class Card {
  /** @type {State} */
  #state = "sending";
  #about;
  #remove;
  #heading;
  #stage;
  #progress;
  #actions;

  /** @param {About} about @param {() => void} onRemove */
  constructor(about, onRemove) {
    this.root = find(fromTemplate("card-template"), ".card", HTMLElement);
    this.#about = about;
    this.#remove = { label: "Remove", run: onRemove };
    this.#heading = find(this.root, "h3", HTMLElement);
    this.#stage = find(this.root, ".stage", HTMLElement);
    this.#progress = find(this.root, "progress", HTMLProgressElement);
    this.#actions = find(this.root, ".actions", HTMLElement);
    this.#name();
    this.#show("sending", "Being sent", "", []);
  }

  #name() {
    this.root.dataset.shape = this.#about.shape;
    this.#text(".kind", KINDS[this.#about.way]);
    this.#heading.textContent = this.#heading.title = this.#about.title;
    this.#heading.id = `task-${++count}`;
    const parts = [find(this.root, "article", HTMLElement), this.#progress];
    for (const part of parts) part.setAttribute("aria-labelledby", this.#heading.id);
  }

  get #isOpen() {
    return this.#state === "sending" || this.#state === "queued" || this.#state === "running";
  }

  /** Called each second. */
  tick() {
    const end = this.#isOpen ? Date.now() : this.#about.endedAt;
    this.#text(".time", end ? clock(end - this.#about.startedAt) : "");
  }

  /** @param {() => void} stop */
  wait(stop) {
    this.#progress.removeAttribute("value");
    this.#show("queued", "Sent", "", [{ label: "Stop waiting", run: stop }]);
  }

  /** @param {Task} task */
  update(task) {
    this.#setState(task.status === "running" ? "running" : "queued");
    this.#text(".status", describe(task));
    if (task.status === "running" && task.progress !== null) this.#progress.value = task.progress;
    else this.#progress.removeAttribute("value");
    if (task.preview) showPreview(this.#stage, task.preview);
  }

  /**
   * @param {Task} task
   * @param {import("comet-tasks").Client} client fetches a clip that has no URL
   * @param {() => void} again
   */
  async settle(task, client, again) {
    if (task.status === "action_required") {
      return this.#show("asks", describe(task), ACTION_REQUIRED, [this.#remove]);
    }
    this.#show("running", "Fetching the result", "", []);
    const assets = await assetsOf(client, task).catch(() => null);
    if (!assets) {
      const actions = [{ label: "Fetch again", run: again }, this.#remove];
      return this.#show("trouble", "It is made, but could not be fetched", "The service has it.", actions);
    }
    this.#show("done", "Done", "", [this.#remove]);
    const link = document.createElement("a");
    this.#actions.prepend(link);
    showResults(this.#stage, assets, this.#about.title, (asset) => pointAt(link, asset));
  }

  /** @param {() => void} waitAgain */
  stopped(waitAgain) {
    this.#show("stopped", "Not waiting", STOPPED, [{ label: "Wait again", run: waitAgain }, this.#remove]);
  }

  /** @param {unknown} error @param {(() => void)} [waitAgain] */
  fail(error, waitAgain) {
    const { status, next, mayWait } = explain(error);
    const again = mayWait && waitAgain ? [{ label: "Wait again", run: waitAgain }] : [];
    this.#stage.replaceChildren();
    this.#show("trouble", status, next, [...again, this.#remove]);
  }

  /** @param {State} state @param {string} status @param {string} next @param {Action[]} actions */
  #show(state, status, next, actions) {
    this.#setState(state);
    this.#progress.hidden = !this.#isOpen;
    this.#text(".status", status);
    this.#text(".next", next);
    find(this.root, ".next", HTMLElement).hidden = !next;
    this.#offer(actions);
    this.tick();
  }

  /** @param {Action[]} list */
  #offer(list) {
    const hadFocus = this.#actions.contains(document.activeElement);
    this.#actions.replaceChildren(...list.map(({ label, run }) => button(label, run)));
    for (const child of this.#actions.children) child.setAttribute("aria-describedby", this.#heading.id);
    // The pressed button is gone now: keep the place of whoever uses the keyboard.
    if (hadFocus) this.#actions.querySelector("button")?.focus();
  }

  /** @param {State} state */
  #setState(state) {
    this.#state = this.root.dataset.state = state;
  }

  /** @param {string} selector @param {string} text */
  #text(selector, text) {
    find(this.root, selector, HTMLElement).textContent = text;
  }
}

/** @param {HTMLAnchorElement} link @param {import("./media.js").Asset} asset */
function pointAt(link, { kind, url }) {
  const what = kind === "video" ? "video" : "picture";
  link.href = url;
  link.target = "_blank";
  link.rel = "noopener noreferrer";
  link.textContent = `Open ${what}`;
}
