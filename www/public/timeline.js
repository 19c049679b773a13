/** A drawing of what the package asks and when, from `onEvent` alone: requests, the sleeps between them, and what was read. */
import { find } from "./dom.js";

/**
 * @typedef {import("comet-tasks").ClientEvent} ClientEvent
 * @typedef {{ kind: "request" | "sleep", operation: string, from: number, to: number | null, batch: number, failed?: boolean }} Span
 * @typedef {{ at: number, id: string, status: string }} Reading
 */

const WINDOW_MS = 45_000;
const LABELS = 92;
const ROW = 18;
const MOST_TASKS = 6;
const SVG = "http://www.w3.org/2000/svg";

/**
 * @param {HTMLDetailsElement} root
 * @param {(id: string) => string} titleOf a task
 */
export function mountTimeline(root, titleOf) {
  const summary = find(root, ".summary", HTMLElement);
  const drawing = find(root, "svg", SVGSVGElement);
  /** @type {Span[]} */
  let spans = [];
  /** @type {Reading[]} */
  let readings = [];
  const total = { requests: 0, waiting: 0 };

  const draw = () => {
    const now = Date.now();
    spans = spans.filter(({ to }) => (to ?? now) > now - WINDOW_MS);
    readings = readings.filter(({ at }) => at > now - WINDOW_MS);
    const text = inWords(total, spans, now);
    if (summary.textContent !== text) summary.textContent = text;
    if (root.open) drawing.replaceChildren(...render(spans, readings, titleOf, now, drawing));
  };
  // Four times a second is enough to read; it is a chart, not an animation.
  setInterval(() => {
    if (document.visibilityState === "visible" && (spans.length > 0 || readings.length > 0)) draw();
  }, 250);
  root.addEventListener("toggle", draw);
  draw();
  return {
    /** @param {ClientEvent} event */
    take(event) {
      if (event.type === "request") total.requests++;
      if (event.type === "sleep") total.waiting = event.waiting;
      if (event.type === "reading" && event.id) {
        readings.push({ at: event.at, id: event.id, status: event.status });
      }
      takeSpan(spans, event);
    },
    clear() {
      [spans, readings] = [[], []];
      Object.assign(total, { requests: 0, waiting: 0 });
      draw();
    },
  };
}

/** @param {Span[]} spans @param {ClientEvent} event */
function takeSpan(spans, event) {
  const { operation, at } = event;
  const sleep = spans.filter(({ kind, to }) => kind === "sleep" && (to ?? 0) > at).at(-1);
  if (event.type === "request") {
    if (sleep) sleep.to = at;
    spans.push({ kind: "request", operation, from: at, to: null, batch: event.batch ?? 1 });
  } else if (event.type === "sleep") {
    if (sleep) sleep.to = at;
    spans.push({ kind: "sleep", operation, from: at, to: at + event.ms, batch: 1 });
  } else if (event.type === "response" || event.type === "retry" || event.type === "settled") {
    const open = spans.find((span) => span.to === null && span.operation === operation);
    if (!open) return;
    open.to = at;
    open.failed = event.type !== "response" || event.status >= 400;
  }
}

/** For those who do not see the drawing, and while it is closed. @param {{ requests: number, waiting: number }} total @param {Span[]} spans @param {number} now */
function inWords({ requests, waiting }, spans, now) {
  if (requests === 0) return "nothing was asked yet";
  const asked = `${requests} request${requests === 1 ? "" : "s"} so far`;
  const sleep = spans.filter(({ kind, to }) => kind === "sleep" && to !== null && to > now).at(-1);
  if (!sleep?.to) return asked;
  const seconds = Math.max(1, Math.round((sleep.to - now) / 1000));
  return `${asked} · asks again in ${seconds} s${waiting > 1 ? ` for ${waiting} tasks` : ""}`;
}

/**
 * @param {Span[]} spans @param {Reading[]} readings @param {(id: string) => string} titleOf @param {number} now
 * @param {SVGSVGElement} drawing
 */
function render(spans, readings, titleOf, now, drawing) {
  const start = now - WINDOW_MS;
  const width = Math.max(240, drawing.clientWidth);
  // The last sixth is the future: how long it will sleep.
  const x = (/** @type {number} */ at) =>
    LABELS + Math.max(0, Math.min(1, (at - start) / (WINDOW_MS * 1.2))) * (width - LABELS);
  const ids = [...new Set(readings.map(({ id }) => id))].slice(-MOST_TASKS);
  const height = (ids.length + 2) * ROW + 4;
  drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
  drawing.setAttribute("height", String(height));
  const parts = [text(0, 13, "requests"), text(0, ROW + 13, "sleeps")];
  for (const { kind, from, to, batch, failed } of spans) {
    const length = Math.max(kind === "request" ? 3 : 1, x(to ?? now) - x(from));
    const tall = kind === "request" ? Math.min(14, 7 + batch) : 6;
    const y = (kind === "request" ? 9 : ROW + 9) - tall / 2;
    parts.push(
      shape("rect", { x: x(from), y, width: length, height: tall, rx: 1.5, class: failed ? "failed" : kind }),
    );
  }
  ids.forEach((id, row) => parts.push(text(0, (row + 2) * ROW + 13, short(titleOf(id)))));
  for (const { at, id, status } of readings) {
    const row = ids.indexOf(id);
    if (row < 0) continue;
    parts.push(shape("circle", { cx: x(at), cy: (row + 2) * ROW + 9, r: 3.5, class: `reading ${status}` }));
  }
  parts.push(shape("line", { x1: x(now), x2: x(now), y1: 0, y2: height, class: "now" }));
  return parts;
}

/** @param {string} title */
function short(title) {
  return title.length > 15 ? `${title.slice(0, 14)}…` : title;
}

/** @param {string} name @param {Record<string, string | number>} attributes */
function shape(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}

/** @param {number} x @param {number} y @param {string} content */
function text(x, y, content) {
  const element = shape("text", { x, y });
  element.textContent = content;
  return element;
}
