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
/** From its left end: two halves of a circle. */
const DOT = "a3.5 3.5 0 1 1 7 0a3.5 3.5 0 1 1-7 0";
const SVG = "http://www.w3.org/2000/svg";

/**
 * @param {HTMLDetailsElement} root
 * @param {(id: string) => string} titleOf a task
 */
export function mountTimeline(root, titleOf) {
  const summary = find(root, ".summary", HTMLElement);
  const drawing = new Drawing(find(root, "svg", SVGSVGElement), () => draw());
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
    if (root.open) drawing.show(spans, readings, titleOf, now);
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
 * The picture: one path for all requests, one for all sleeps, one for the readings of each status. A busy minute has a
 * thousand marks; as elements of their own the browser would style and lay out each of them, four times a second.
 */
class Drawing {
  #root;
  /** As wide as it is drawn: asking for it each time would make the browser lay out the page there and then. */
  #width = 240;
  /** @type {Map<string, SVGPathElement>} by class */
  #paths = new Map();
  /** @type {SVGTextElement[]} one for each row */
  #labels = [];

  /** @param {SVGSVGElement} root @param {() => void} onResize */
  constructor(root, onResize) {
    this.#root = root;
    new ResizeObserver(([{ contentRect }]) => {
      const width = Math.max(240, contentRect.width);
      if (width === this.#width) return; // another height: it grew a row
      this.#width = width;
      onResize();
    }).observe(root);
  }

  /** @param {Span[]} spans @param {Reading[]} readings @param {(id: string) => string} titleOf @param {number} now */
  show(spans, readings, titleOf, now) {
    const ids = [...new Set(readings.map(({ id }) => id))].slice(-MOST_TASKS);
    const height = (ids.length + 2) * ROW + 4;
    set(this.#root, "viewBox", `0 0 ${this.#width} ${height}`);
    set(this.#root, "height", String(height));
    this.#name(["requests", "sleeps", ...ids.map((id) => short(titleOf(id)))]);
    const marks = marksOf(spans, readings, ids, now, this.#width);
    marks.set("now", `M${place(now, now, this.#width)} 0V${height}`);
    for (const name of this.#paths.keys()) if (!marks.has(name)) marks.set(name, "");
    for (const [name, path] of marks) set(this.#path(name), "d", path);
  }

  /** @param {string[]} names of the rows */
  #name(names) {
    for (let row = this.#labels.length; row < names.length; row++) {
      this.#labels.push(this.#add("text", { x: "0", y: String(row * ROW + 13) }));
    }
    this.#labels.forEach((label, row) => {
      const name = names[row] ?? "";
      if (label.textContent !== name) label.textContent = name;
    });
  }

  /** @param {string} name */
  #path(name) {
    const path = this.#paths.get(name) ?? this.#add("path", { class: name });
    this.#paths.set(name, path);
    return path;
  }

  /** @template {"path" | "text"} Name @param {Name} name @param {Record<string, string>} attributes @returns {SVGElementTagNameMap[Name]} */
  #add(name, attributes) {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    this.#root.append(element);
    return element;
  }
}

/**
 * What is drawn, by class: bars for requests and sleeps, dots for readings.
 * @param {Span[]} spans @param {Reading[]} readings @param {string[]} ids whose rows are shown @param {number} now @param {number} width
 */
function marksOf(spans, readings, ids, now, width) {
  /** @type {Map<string, string>} */
  const marks = new Map();
  const add = (/** @type {string} */ name, /** @type {string} */ path) =>
    marks.set(name, (marks.get(name) ?? "") + path);
  for (const { kind, from, to, batch, failed } of spans) {
    const isRequest = kind === "request";
    const x = place(from, now, width);
    const length = Math.max(isRequest ? 3 : 1, place(to ?? now, now, width) - x);
    const tall = isRequest ? Math.min(14, 7 + batch) : 6;
    const y = (isRequest ? 9 : ROW + 9) - tall / 2;
    add(failed ? "failed" : kind, `M${x} ${y}h${length}v${tall}h${-length}z`);
  }
  for (const { at, id, status } of readings) {
    const row = ids.indexOf(id);
    if (row >= 0) add(`reading ${status}`, `M${place(at, now, width) - 3.5} ${(row + 2) * ROW + 9}${DOT}`);
  }
  return marks;
}

/** Where a time stands, to half a pixel. The last sixth is the future: how long it will sleep. @param {number} at @param {number} now @param {number} width */
function place(at, now, width) {
  const share = Math.max(0, Math.min(1, (at - now + WINDOW_MS) / (WINDOW_MS * 1.2)));
  return Math.round((LABELS + share * (width - LABELS)) * 2) / 2;
}

/** @param {string} title */
function short(title) {
  return title.length > 15 ? `${title.slice(0, 14)}…` : title;
}

/** @param {SVGElement} element @param {string} name @param {string} value */
function set(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}
