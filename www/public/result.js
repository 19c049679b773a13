/** A finished task: its pictures or clips, the ways to keep them, and the ways to go on from them. */
import { button } from "./dom.js";
import { followUps } from "./followups.js";
import { canUseFolder, copyLink, download, keepInBucket, keepInFolder, whyNotKept } from "./keep.js";
import { assetsOf, fetchClip, showResults } from "./media.js";
import { expiry } from "./view.js";

/**
 * @typedef {import("comet-tasks").Task} Task
 * @typedef {import("./notes.js").Note} Note
 * @typedef {import("./media.js").Asset} Asset
 * @typedef {import("./board.js").Board} Board
 * @typedef {{ stage: HTMLElement, actions: HTMLElement, more: HTMLElement, heading: HTMLElement }} Parts
 */

const KEPT = "Kept in the bucket, and shown from there.";

/**
 * @param {Parts} parts @param {Board} board @param {Note} note @param {Task} task
 * @param {boolean} isFresh it was seen on its way: a clip may begin by itself
 */
export async function showResult(parts, board, note, task, isFresh) {
  const { client } = board.connection;
  if (task.images.length + task.videos.length === 0 && task.texts.length > 0)
    return showTexts(parts, task.texts);
  const assets = note.kept ?? assetsOf(task) ?? (await fetchClip(client, task).catch(() => null));
  if (!assets) {
    const again = button("Fetch it again", () => showResult(parts, board, note, task, isFresh));
    const line = paragraph("note", "It is made, but could not be fetched. The service has it.");
    parts.more.replaceChildren(line);
    parts.actions.replaceChildren(again);
    return;
  }
  let at = 0;
  /** @param {Asset[]} from @param {boolean} plays */
  const show = (from, plays) =>
    showResults(parts.stage, from, note.title, plays, at, (index) => (at = index));
  show(assets, isFresh);
  const line = paragraph("note", note.kept ? KEPT : expiry(task.expiresAt, Date.now()));
  line.setAttribute("role", "status");
  parts.actions.replaceChildren(...keepers(board, note, task, () => assets[at], line, show));
  parts.more.replaceChildren(line, ...followUps(task, note).map((group) => showGroup(board, group)));
  for (const control of [...parts.actions.children, ...parts.more.querySelectorAll("button")]) {
    control.setAttribute("aria-describedby", parts.heading.id);
  }
}

/**
 * @param {Board} board @param {Note} note @param {Task} task
 * @param {() => Asset} current @param {HTMLElement} line
 * @param {(assets: Asset[], plays: boolean) => void} show
 */
function keepers(board, note, task, current, line, show) {
  /** @param {string} label @param {() => Promise<string>} work */
  const keeper = (label, work) => {
    const element = button(label, async () => {
      element.disabled = true;
      line.textContent = await work().catch(whyNotKept);
      element.disabled = false;
    });
    return element;
  };
  const name = note.title.replace(/[^\p{L}\p{N}]+/gu, "-").slice(0, 60);
  const hasLink = !current().url.startsWith("blob:");
  const toBucket = () =>
    keepInBucket(task, board.connection.isSandbox, (kept) => {
      show(kept, false);
      board.noteKept(note, kept);
    });
  return [
    keeper("Download", () => download(current(), name)),
    ...(hasLink ? [keeper("Copy link", () => copyLink(current().url))] : []),
    ...(canUseFolder
      ? [keeper("Keep in a folder …", () => keepInFolder(board.connection.client, task))]
      : []),
    ...(board.connection.canKeep && !note.kept ? [keeper("Keep in the bucket", toBucket)] : []),
  ];
}

/** @param {Board} board @param {import("./followups.js").Group} group */
function showGroup(board, { label, items }) {
  const isLong = label === "More";
  const root = document.createElement(isLong ? "details" : "div");
  root.className = isLong ? "group long" : "group";
  const title = document.createElement(isLong ? "summary" : "span");
  title.textContent = isLong ? "More ways to go on" : label;
  const row = document.createElement("div");
  row.className = "row";
  for (const { text, name, order } of items) {
    const element = button(text, () => void board.start(order));
    if (text !== name) element.setAttribute("aria-label", name);
    row.append(element);
  }
  if (!isLong) {
    row.setAttribute("role", "group");
    row.setAttribute("aria-label", label);
    title.setAttribute("aria-hidden", "true");
  }
  root.append(title, row);
  return root;
}

/** @param {Parts} parts @param {string[]} texts */
function showTexts({ more }, texts) {
  more.replaceChildren(...texts.map((text) => paragraph("text", text)));
}

/** @param {string} name @param {string} text */
function paragraph(name, text) {
  const line = document.createElement("p");
  line.className = name;
  line.textContent = text;
  return line;
}
