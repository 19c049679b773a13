/** One task on the page: what is known of it, and what can be done now. board.js decides; a card shows. */
import { button, find, fromTemplate } from "./dom.js";
import { showPreview } from "./media.js";
import { showQuestion } from "./question.js";
import { showResult } from "./result.js";
import { viewOf } from "./view.js";
import { KINDS, clock } from "./words.js";

/**
 * @typedef {import("comet-tasks").Task} Task
 * @typedef {import("./notes.js").Note} Note
 * @typedef {object} State
 * @property {Note} note
 * @property {Task} [task] the last reading
 * @property {number} seenAt when this page first had that reading
 * @property {unknown} [error] what ended the submit, or the wait
 * @property {boolean} isOrphan the page that sent it was closed before the answer came
 * @property {() => number} asked how often it was asked for
 */

let count = 0;

export class Card {
  #board;
  #heading;
  #stage;
  #progress;
  #actions;
  #more;
  /** @type {State} */
  #state;
  /** What the lower part shows, so that it is not built anew under somebody's hands. */
  #shown = "";
  #wasOpen = false;
  #isSeen = true;

  /** @param {import("./board.js").Board} board @param {Note} note */
  constructor(board, note) {
    this.root = find(fromTemplate("card-template"), ".card", HTMLElement);
    this.#board = board;
    this.#heading = find(this.root, "h3", HTMLElement);
    this.#stage = find(this.root, ".stage", HTMLElement);
    this.#progress = find(this.root, "progress", HTMLProgressElement);
    this.#actions = find(this.root, ".actions", HTMLElement);
    this.#more = find(this.root, ".more", HTMLElement);
    this.#state = { note, seenAt: 0, isOrphan: false, asked: () => 0 };
    this.#name(note);
    this.root.addEventListener("contentvisibilityautostatechange", (event) =>
      this.#see(!(/** @type {ContentVisibilityAutoStateChangeEvent} */ (event).skipped)),
    );
  }

  /** @param {Note} note */
  #name({ way, title, shape }) {
    this.root.dataset.shape = shape;
    this.#text(".kind", KINDS[way]);
    this.#heading.textContent = this.#heading.title = title;
    this.#heading.id = `task-${++count}`;
    const parts = [find(this.root, "article", HTMLElement), this.#progress];
    for (const part of parts) part.setAttribute("aria-labelledby", this.#heading.id);
    const remove = find(this.root, ".remove", HTMLButtonElement);
    remove.setAttribute("aria-describedby", this.#heading.id);
    remove.addEventListener("click", () => this.#board.remove(this.#state.note));
  }

  /** Whether there is something to show. @param {State} state */
  update(state) {
    const { note, task, error, isOrphan } = this.#state;
    const isSame =
      note === state.note && task === state.task && error === state.error && isOrphan === state.isOrphan;
    this.#state = state;
    return !isSame || !this.#shown;
  }

  /** Called each second. */
  tick() {
    if (this.#isSeen) this.#showTime(viewOf(this.#state));
  }

  /**
   * The browser says whether the card is near the window, and so laid out at all. What is not would be animated all the
   * same: sixty frames a second for what nobody sees.
   * @param {boolean} isSeen
   */
  #see(isSeen) {
    this.#isSeen = isSeen;
    this.root.classList.toggle("unseen", !isSeen); // nothing begins to move there
    if (isSeen) return this.tick();
    for (const animation of this.root.getAnimations({ subtree: true })) animation.cancel();
  }

  /** @param {import("./view.js").View} view */
  #showTime({ time, detail }) {
    this.#text(".time", time === null ? "" : clock(time));
    this.#text(".detail", detail);
    find(this.root, ".detail", HTMLElement).hidden = !detail;
  }

  show() {
    const view = viewOf(this.#state);
    const { look, status, next, progress } = view;
    this.root.dataset.state = look;
    this.#text(".status", status);
    this.#text(".next", next);
    find(this.root, ".next", HTMLElement).hidden = !next;
    const isOpen = look === "sending" || look === "queued" || look === "running";
    this.#progress.hidden = !isOpen;
    if (progress === null) this.#progress.removeAttribute("value");
    else this.#progress.value = progress;
    this.#progress.style.setProperty("--done", `${progress ?? 0}%`);
    const preview = isOpen && this.#state.task?.preview;
    if (preview) showPreview(this.#stage, preview);
    this.#showRest(look, view.doubtful, view.mayWait);
    this.#wasOpen ||= isOpen;
    this.#showTime(view);
  }

  /** Buttons, results, forms: built when the look changes, and with each result. @param {import("./view.js").Look} look @param {boolean} doubtful @param {boolean} mayWait */
  #showRest(look, doubtful, mayWait) {
    const { note, task } = this.#state;
    const shown = [
      look,
      doubtful,
      mayWait,
      note.handle?.submittedAt,
      look === "done" && task?.finishedAt,
    ].join();
    if (shown === this.#shown) return;
    this.#shown = shown;
    const hadFocus =
      this.#actions.contains(document.activeElement) || this.#more.contains(document.activeElement);
    this.#more.replaceChildren();
    this.#actions.replaceChildren(...this.#actionsFor(look, doubtful, mayWait));
    if (look === "trouble") this.#stage.replaceChildren();
    if (look === "asks" && task) showQuestion(this.#more, this.#board, note, task);
    if (look === "done" && task) {
      const parts = { stage: this.#stage, actions: this.#actions, more: this.#more, heading: this.#heading };
      showResult(parts, this.#board, note, task, this.#wasOpen);
    }
    // The pressed button is gone now: keep the place of whoever uses the keyboard.
    if (hadFocus) (this.#actions.querySelector("button") ?? this.root.querySelector("button"))?.focus();
  }

  /** @param {import("./view.js").Look} look @param {boolean} doubtful @param {boolean} mayWait */
  #actionsFor(look, doubtful, mayWait) {
    const board = this.#board;
    /** @param {string} label @param {(note: Note) => unknown} run */
    const action = (label, run) => {
      const element = button(label, () => void run(this.#state.note));
      element.setAttribute("aria-describedby", this.#heading.id);
      return element;
    };
    if (look === "queued" || look === "running")
      return [action("Stop waiting", (note) => board.stopWaiting(note))];
    if (look === "stopped") return [action("Wait again", (note) => board.waitAgain(note))];
    if (look !== "trouble") return [];
    const actions = mayWait ? [action("Wait again", (note) => board.waitAgain(note))] : [];
    if (!board.orderOf(this.#state.note)) return actions;
    actions.push(action(doubtful ? "Send again …" : "Try again", (note) => board.again(note, doubtful)));
    if (this.#state.note.call?.kind !== "action")
      actions.push(action("Change it", (note) => board.change(note)));
    return actions;
  }

  /** @param {string} selector @param {string} text */
  #text(selector, text) {
    const element = find(this.root, selector, HTMLElement);
    if (element.textContent !== text) element.textContent = text;
  }
}
