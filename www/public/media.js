/** The upper half of a card: nothing yet, a preview, then the picture or the clips. */
import { button, prefersStillness } from "./dom.js";

/** @typedef {{ kind: "image" | "video", url: string }} Asset */

/** @param {HTMLElement} stage @param {string} url */
export function showPreview(stage, url) {
  const shown = stage.querySelector("img");
  if (shown) {
    if (shown.src !== url) shown.src = url;
    return;
  }
  const image = document.createElement("img");
  image.alt = "Unfinished preview";
  image.className = "preview";
  image.loading = "lazy"; // of a card that nobody sees, no preview is fetched
  image.decoding = "async";
  image.src = url;
  // Previews come and go at the service; a missing one is no news.
  image.addEventListener("error", () => image.remove());
  stage.replaceChildren(image);
}

/**
 * The results that have an address.
 * @param {import("comet-tasks").Task} task
 * @returns {Asset[] | null}
 */
export function assetsOf({ videos, images }) {
  if (videos.length > 0) return videos.map((url) => ({ kind: "video", url }));
  return images.length > 0 ? images.map((url) => ({ kind: "image", url })) : null;
}

/**
 * A clip without an address is fetched through the Worker, which adds the key that a <video> could not send.
 * @param {import("comet-tasks").Client} client
 * @param {import("comet-tasks").Task} task
 * @returns {Promise<Asset[]>}
 */
export async function fetchClip(client, task) {
  const clip = await (await client.downloadContent(task.handle)).blob();
  // The route may name no type, and a blob without one does not play everywhere.
  const playable = clip.type.startsWith("video/") ? clip : new Blob([clip], { type: "video/mp4" });
  return [{ kind: "video", url: URL.createObjectURL(playable) }];
}

/**
 * Shows one result; for several, a row of numbers changes it.
 * @param {HTMLElement} stage @param {Asset[]} assets @param {string} title
 * @param {boolean} plays a clip begins by itself
 * @param {number} first which of them
 * @param {(index: number) => void} onShow
 */
export function showResults(stage, assets, title, plays, first, onShow) {
  const picker = document.createElement("div");
  picker.className = "picker";
  picker.setAttribute("role", "group");
  picker.setAttribute("aria-label", "Results");
  /** @param {Asset} asset @param {number} index */
  const show = (asset, index) => {
    stage.replaceChildren(
      asset.kind === "video" ? video(stage, asset.url, title, plays) : image(stage, asset.url, title),
    );
    if (assets.length > 1) stage.append(picker);
    [...picker.children].forEach((child, i) => child.setAttribute("aria-pressed", String(i === index)));
    onShow(index);
  };
  assets.forEach((asset, i) => {
    const number = button(String(i + 1), () => show(asset, i));
    number.setAttribute("aria-label", `Show result ${i + 1} of ${assets.length}`);
    picker.append(number);
  });
  show(assets[first], first);
}

/** @param {HTMLElement} stage @param {string} url @param {string} title */
function image(stage, url, title) {
  const element = document.createElement("img");
  element.alt = title;
  element.loading = "lazy";
  element.decoding = "async";
  element.src = url;
  element.addEventListener("load", () => fit(stage, element.naturalWidth, element.naturalHeight));
  element.addEventListener("error", () => element.replaceWith(gone()));
  return element;
}

/** @param {HTMLElement} stage @param {string} url @param {string} title @param {boolean} plays */
function video(stage, url, title, plays) {
  const element = document.createElement("video");
  Object.assign(element, { controls: true, loop: true, muted: true, playsInline: true });
  element.preload = plays ? "auto" : "metadata";
  element.setAttribute("aria-label", title);
  element.autoplay = plays && !prefersStillness();
  element.src = url;
  element.addEventListener("loadedmetadata", () => fit(stage, element.videoWidth, element.videoHeight));
  element.addEventListener("error", () => element.replaceWith(gone()));
  return element;
}

/**
 * The card was laid out for the shape that was asked for; what came may be another.
 * @param {HTMLElement} stage @param {number} width @param {number} height
 */
function fit(stage, width, height) {
  if (!width || !height) return;
  stage.style.aspectRatio = `${width} / ${height}`;
  const card = stage.closest("[data-shape]");
  if (card instanceof HTMLElement) card.dataset.shape = shapeOf(width / height);
}

/** @param {number} ratio */
function shapeOf(ratio) {
  if (ratio > 1.2) return "wide";
  return ratio < 0.85 ? "tall" : "square";
}

function gone() {
  const line = document.createElement("p");
  line.className = "gone";
  line.textContent =
    "The file could not be loaded. Its address may have expired: reload the page to ask for a new one.";
  return line;
}
