/** All tasks of the page: what is being sent, what the store knows, and what the page noted. Cards show it. */
import { isCometError } from "comet-tasks/slim";
import { ask } from "./ask.js";
import { Card } from "./card.js";
import { marked, isPlain, submit } from "./orders.js";
import { AMBIGUOUS, KINDS, explain } from "./words.js";

/**
 * @typedef {import("comet-tasks").Task} Task
 * @typedef {import("comet-tasks").CometError} CometError
 * @typedef {import("./notes.js").Note} Note
 * @typedef {import("./orders.js").Order} Order
 * @typedef {import("./connection.js").Connection} Connection
 * @typedef {{ list: HTMLElement, empty: HTMLElement, say(news: string): void, marks(): string, onChange(order: Order): void }} Place
 *   `marks`: what a sandbox shall do with the next task
 */

/** So long the cards may take of a frame; those that are left over have the next one. */
const MOST_OF_A_FRAME_MS = 4;

export class Board {
  /** @type {Connection | undefined} */
  #connection;
  #place;
  /** @type {Map<string, Card>} by the note's key */
  #cards = new Map();
  /** @type {Map<string, { task: Task, seenAt: number }>} by id */
  #tasks = new Map();
  /** What ended a submit (by the note's key) or a wait (by the task's id). @type {Map<string, unknown>} */
  #errors = new Map();
  /** The orders of this page, with the bytes that its notes leave out. @type {Map<string, Order>} */
  #orders = new Map();
  /** How often each task was asked for. @type {Map<string, number>} */
  #asked = new Map();
  /** Cards that do not show yet what is known. @type {Set<Card>} */
  #stale = new Set();

  /** @param {Place} place */
  constructor(place) {
    this.#place = place;
    setInterval(() => this.#cards.forEach((card) => card.tick()), 1000);
  }

  /** @param {Connection} connection */
  show(connection) {
    this.#connection = connection;
    for (const memory of [this.#tasks, this.#errors]) memory.clear();
    for (const card of this.#cards.values()) card.root.remove();
    this.#cards.clear();
    this.#stale.clear();
    connection.notes.subscribe(() => this.#update());
    connection.store.subscribe((tasks) => this.#take(tasks));
    connection.store.resume();
    this.#update();
    this.#complete(connection);
  }

  /** A page that was closed between noting a handle and storing it, or a browser that cleared its data: nothing is lost. @param {Connection} connection */
  async #complete({ store, notes }) {
    const stored = new Set((await store.all()).map(({ handle }) => handle.id));
    for (const { handle, stopped } of notes.all()) {
      if (handle && !stopped && !stored.has(handle.id)) await store.add(handle);
    }
  }

  /** @param {import("comet-tasks").ClientEvent} event */
  hear(event) {
    if (event.type !== "reading" || !event.id) return;
    this.#asked.set(event.id, (this.#asked.get(event.id) ?? 0) + 1);
  }

  /** A wait ended without a result. @param {CometError} error */
  fail(error) {
    if (!error.handle)
      return this.#place.say("This browser keeps nothing: tasks are forgotten when the page is closed.");
    this.#errors.set(error.handle.id, error);
    this.#update();
  }

  /** @param {string} id */
  titleOf(id) {
    return this.#connection?.notes.all().find(({ handle }) => handle?.id === id)?.title ?? id;
  }

  /**
   * Submits. Resolves when the answer is there; whatever it is, a card shows it.
   * @param {Order} order
   */
  async start(order) {
    const sentBy = this.#now();
    const { call, ...about } = order;
    // Noted before it is sent: a page that is closed meanwhile can say later that there may be a task.
    const note = sentBy.notes.add({ ...about, startedAt: Date.now(), ...(isPlain(call) && { call }) });
    this.#orders.set(note.key, order);
    this.#cards.get(note.key)?.root.scrollIntoView({ block: "nearest" });
    try {
      const handle = await submit(sentBy.client, marked(call, this.#place.marks()));
      await this.#sent(sentBy, note, handle);
    } catch (error) {
      // An answer that leaves doubt may still name the task: then it is waited for like any other.
      const handle = isCometError(error) ? error.handle : undefined;
      if (!handle) this.#errors.set(note.key, error);
      await this.#sent(sentBy, note, handle);
      if (!handle) this.#announce(note, explain(error).status);
    }
  }

  /** @param {Connection} sentBy @param {Note} note @param {import("comet-tasks").TaskHandle} [handle] */
  async #sent(sentBy, note, handle) {
    // The settings may have been changed meanwhile, and with them the connection.
    const now = this.#now();
    const { store, notes } = now.session === sentBy.session ? now : sentBy;
    notes.change(note.key, { handle });
    if (!handle) return;
    // A store that was closed meanwhile gets it when it is opened again: the note has the handle.
    await store.add(handle).catch(() => {});
    this.#announce(note, "is sent");
  }

  /**
   * The answer to a task that asks. It keeps the id, and its handle takes the place of the one before.
   * @param {Note} note @param {{ prompt?: string, mask?: File }} answer
   */
  async answer(note, { prompt, mask }) {
    const { client, store, notes } = this.#now();
    const taskId = note.handle?.id ?? "";
    const params = { taskId, ...(prompt && { prompt }), ...(mask && { mask }) };
    const handle = await submit(client, marked({ kind: "modal", params }, this.#place.marks()));
    await store.add(handle);
    notes.change(note.key, { handle });
  }

  /** Nobody waits for it any more, in any tab; the note stays. @param {Note} note */
  async stopWaiting(note) {
    const { store, notes } = this.#now();
    notes.change(note.key, { stopped: true });
    if (note.handle) await store.remove(note.handle.id);
  }

  /** @param {Note} note */
  async waitAgain(note) {
    const { store, notes } = this.#now();
    if (!note.handle) return;
    this.#errors.delete(note.handle.id);
    notes.change(note.key, { stopped: false });
    await store.add(note.handle);
    store.resume();
  }

  /** @param {Note} note */
  async remove(note) {
    const { store, notes } = this.#now();
    const card = this.#cards.get(note.key);
    const neighbour = card?.root.nextElementSibling ?? card?.root.previousElementSibling;
    notes.remove(note.key);
    (neighbour?.querySelector("button") ?? this.#place.list.parentElement)?.focus();
    if (note.handle) await store.remove(note.handle.id);
  }

  /** @param {Note} note @param {import("./media.js").Asset[]} kept */
  noteKept(note, kept) {
    this.#now().notes.change(note.key, { kept });
  }

  /**
   * The same order as a new task. Where the first may exist, it is asked for first: this is the one way to be billed twice.
   * @param {Note} note @param {boolean} isDoubtful
   */
  async again(note, isDoubtful) {
    const order = this.orderOf(note);
    if (!order) return;
    if (isDoubtful && !(await ask("Send it again?", AMBIGUOUS, "Send it again"))) return;
    this.start(order);
  }

  /** Back into the form, to be changed. @param {Note} note */
  change(note) {
    const order = this.orderOf(note);
    if (order) this.#place.onChange(order);
  }

  /** @param {Note} note @returns {Order | undefined} undefined: it had a picture, which only the page that sent it has */
  orderOf({ key, way, title, shape, call }) {
    return this.#orders.get(key) ?? (call && { way, title, shape, call });
  }

  get connection() {
    return this.#now();
  }

  #now() {
    if (!this.#connection) throw new Error("The board is not connected yet.");
    return this.#connection;
  }

  /** @param {readonly Task[]} tasks */
  #take(tasks) {
    const seenAt = Date.now();
    const noted = new Map(
      this.#now()
        .notes.all()
        .map((note) => [note.handle?.id, note]),
    );
    for (const task of tasks) {
      const { id } = task.handle;
      const before = this.#tasks.get(id)?.task;
      if (before === task) continue;
      this.#tasks.set(id, { task, seenAt });
      if (before) this.#errors.delete(id);
      const note = noted.get(id);
      if (note && before && before.status !== task.status) this.#announceStatus(note, task);
    }
    const known = new Set(tasks.map(({ handle }) => handle.id));
    for (const id of this.#tasks.keys()) if (!known.has(id)) this.#tasks.delete(id);
    this.#update();
  }

  /** Brings the cards in line with the notes. */
  #update() {
    const { list, empty } = this.#place;
    const notes = this.#now().notes.all();
    const keys = new Set(notes.map(({ key }) => key));
    for (const [key, card] of this.#cards) {
      if (keys.has(key)) continue;
      card.root.remove();
      this.#cards.delete(key);
      this.#stale.delete(card);
    }
    notes.forEach((note, place) => {
      const card = this.#cards.get(note.key) ?? new Card(this, note);
      this.#cards.set(note.key, card);
      if (list.children[place] !== card.root) list.insertBefore(card.root, list.children[place] ?? null);
      if (card.update(this.#stateOf(note))) this.#refresh(card);
    });
    empty.hidden = notes.length > 0;
  }

  /** @param {Card} card */
  #refresh(card) {
    // Not in the frame that has the news: to read a reply for fifty tasks takes its time, too.
    if (this.#stale.size === 0) requestAnimationFrame(() => requestAnimationFrame(() => this.#draw()));
    this.#stale.add(card);
  }

  /** A reply may be news of fifty tasks: as many cards as a frame has time for, the upper ones first. */
  #draw() {
    const end = performance.now() + MOST_OF_A_FRAME_MS;
    for (const card of this.#stale) {
      this.#stale.delete(card);
      card.show();
      if (performance.now() >= end) break;
    }
    if (this.#stale.size > 0) requestAnimationFrame(() => this.#draw());
  }

  /** @param {Note} note @returns {import("./card.js").State} */
  #stateOf(note) {
    const id = note.handle?.id ?? "";
    const { task, seenAt = 0 } = this.#tasks.get(id) ?? {};
    const error = this.#errors.get(note.handle ? id : note.key);
    const isOrphan = this.#now().notes.isOrphan(note) && !error;
    return { note, task, seenAt, error, isOrphan, asked: () => this.#asked.get(id) ?? 0 };
  }

  /** For people who do not see the cards. Percentages stay out: they would talk without end. @param {Note} note @param {Task} task */
  #announceStatus(note, task) {
    const words = { running: "is being made", succeeded: "is done", action_required: "asks you something" };
    const news = /** @type {Record<string, string>} */ (words)[task.status];
    if (news || task.status !== "queued") this.#announce(note, news ?? "was not made");
  }

  /** @param {Note} note @param {string} news */
  #announce({ way, title }, news) {
    this.#place.say(`${KINDS[way]} “${title.slice(0, 60)}”: ${news}`);
  }
}
