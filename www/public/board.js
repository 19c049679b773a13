/** All tasks of the page: submit, wait, show. This file is how a front end uses the package. */
import { isCometError } from "comet-tasks";
import { Card } from "./card.js";
import { KINDS } from "./words.js";

/**
 * @typedef {import("comet-tasks").Client} Client
 * @typedef {import("./store.js").Entry} Entry
 * @typedef {import("./card.js").About} About
 * @typedef {{ client: Client, intervalMs?: number, store: ReturnType<typeof import("./store.js").createStore>, list: HTMLElement, empty: HTMLElement, say: (news: string) => void }} Board
 */

/** @param {Board} board */
export function createBoard(board) {
  /** @type {Set<Card>} */
  const cards = new Set();
  setInterval(() => cards.forEach((card) => card.tick()), 1000);

  /** @param {About} about */
  const addCard = (about) => {
    const card = new Card(about, () => {
      board.store.remove(about);
      cards.delete(card);
      const neighbour = card.root.nextElementSibling ?? card.root.previousElementSibling;
      card.root.remove();
      board.empty.hidden = cards.size > 0;
      (neighbour?.querySelector("button") ?? board.list.parentElement)?.focus();
    });
    cards.add(card);
    board.empty.hidden = true;
    return card;
  };
  return {
    /** @param {import("./form.js").Order} order */
    async start(order) {
      const { way, title, shape } = order;
      const about = { way, title, shape, startedAt: Date.now() };
      const card = addCard(about);
      board.list.prepend(card.root);
      card.root.scrollIntoView({ block: "nearest" });
      const entry = await submit(board, card, order, about);
      if (entry) await follow(board, card, entry);
    },
    /** Goes on with the tasks of an earlier visit. A handle is all that poll needs. */
    resume() {
      for (const entry of board.store.all()) {
        const card = addCard(entry);
        board.list.append(card.root);
        follow(board, card, entry);
      }
    },
  };
}

/**
 * The handle is stored before anything else happens: from here on a reload cannot lose the task.
 * @param {Board} board @param {Card} card @param {import("./form.js").Order} order @param {About} about
 */
async function submit(board, card, order, about) {
  announce(board, about, "being sent");
  try {
    return keep(board, about, await order.submit(board.client));
  } catch (error) {
    // An answer that leaves doubt may still name the task.
    const handle = handleOf(error);
    const entry = handle && keep(board, about, handle);
    card.fail(error, entry && (() => follow(board, card, entry)));
    announce(board, about, "could not be sent");
  }
}

/** @param {Board} board @param {About} about @param {import("comet-tasks").TaskHandle} handle @returns {Entry} */
function keep(board, about, handle) {
  const entry = Object.assign(about, { handle });
  board.store.put(entry);
  return entry;
}

/** @param {unknown} error */
function handleOf(error) {
  return isCometError(error) ? error.handle : undefined;
}

/** @param {Board} board @param {Card} card @param {Entry} entry */
async function follow(board, card, entry) {
  const stop = new AbortController();
  const again = () => follow(board, card, entry);
  card.wait(() => stop.abort());
  try {
    const task = await board.client.poll(entry.handle, {
      signal: stop.signal,
      intervalMs: board.intervalMs,
      onUpdate: (reading) => card.update(reading),
    });
    if (!entry.endedAt) {
      entry.endedAt = Date.now();
      board.store.put(entry);
    }
    await card.settle(task, board.client, again);
    announce(board, entry, task.status === "succeeded" ? "done" : "asks for a confirmation");
  } catch (error) {
    if (stop.signal.aborted) return card.stopped(again);
    card.fail(error, again);
    announce(board, entry, "trouble");
  }
}

/**
 * For people who do not see the cards. Percentages stay out: they would talk without end.
 * @param {Board} board @param {About} about @param {string} news
 */
function announce(board, about, news) {
  board.say(`${KINDS[about.way]} “${about.title.slice(0, 60)}”: ${news}`);
}
