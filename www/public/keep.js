/** Keeping what was made: a file to download, a folder of this computer, or the bucket of this page's server. */
import { isCometError } from "comet-tasks/slim";

/**
 * @typedef {import("comet-tasks").Client} Client
 * @typedef {import("comet-tasks").Task} Task
 * @typedef {import("./media.js").Asset} Asset
 */

/** Only some browsers let a page write into a folder. */
export const canUseFolder = "showDirectoryPicker" in window;

/**
 * Saves through the browser's downloads. Where the file's host does not let pages read it, it opens in a tab of its own.
 * @param {Asset} asset @param {string} name without extension
 */
export async function download({ url, kind }, name) {
  try {
    const reply = await fetch(url);
    if (!reply.ok) throw new Error(`HTTP ${reply.status}`);
    const file = await reply.blob();
    const extension = /^(?:image|video)\/(\w+)/.exec(file.type)?.[1] ?? (kind === "video" ? "mp4" : "png");
    const address = URL.createObjectURL(file);
    follow(address, `${name}.${extension.replace("jpeg", "jpg")}`);
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
    return "Downloaded.";
  } catch {
    open(url, "_blank", "noopener,noreferrer");
    return "This file’s host does not let pages read it: it was opened in a tab, where it can be saved.";
  }
}

/** @param {string} address @param {string} name */
function follow(address, name) {
  const link = document.createElement("a");
  Object.assign(link, { href: address, download: name });
  link.click();
}

/** @param {string} url */
export async function copyLink(url) {
  await navigator.clipboard.writeText(new URL(url, location.href).href);
  return "The link is copied.";
}

/** @param {Client} client @param {Task} task */
export async function keepInFolder(client, task) {
  /** @type {FileSystemDirectoryHandle} */
  let folder;
  try {
    folder = await /** @type {any} */ (window).showDirectoryPicker({ mode: "readwrite" });
  } catch {
    return ""; // the person closed the picker
  }
  const assets = await client.persist(task, folder);
  return `${count(assets.length)} kept in “${folder.name}”.`;
}

/**
 * The server fetches the files itself: nothing passes through this page.
 * @param {Task} task
 * @param {boolean} isSandbox
 * @param {(assets: Asset[]) => void} onKept is given the files where they are now, where they do not expire
 */
export async function keepInBucket(task, isSandbox, onKept) {
  const reply = await fetch("/api/keep", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ from: isSandbox ? "sandbox" : "service", handle: task.handle }),
  });
  const answer = await reply.json().catch(() => ({}));
  if (!reply.ok) throw new Error(answer.error?.message ?? `The server answered ${reply.status}.`);
  onKept(answer.assets);
  return `${count(answer.assets.length)} kept in the bucket, and shown from there.`;
}

/** @param {number} files */
function count(files) {
  return files === 1 ? "1 file" : `${files} files`;
}

/** @param {unknown} error */
export function whyNotKept(error) {
  if (isCometError(error) && error.code === "expired")
    return "The links have expired, and the service gave no new ones.";
  return `It could not be kept: ${error instanceof Error ? error.message : String(error)}`;
}
