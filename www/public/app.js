/** Puts the page together: settings make a connection, the form makes orders, the board shows what becomes of them. */
import { Board } from "./board.js";
import { mountCode } from "./code-panel.js";
import { askServer, connect, disconnect, isSame } from "./connection.js";
import { button, find } from "./dom.js";
import { mountForm } from "./form.js";
import { forgetOldSandboxes } from "./notes.js";
import { marksOf, mountSettings } from "./settings.js";
import { mountTimeline } from "./timeline.js";

/** @type {{ way: import("./orders.js").Way, text: string }[]} */
const SAMPLES = [
  { way: "picture", text: "A lighthouse in a winter storm, seen from the sea, film grain" },
  { way: "picture", text: "A fox made of folded paper, soft studio light" },
  { way: "veo", text: "A paper boat drifts down a rain gutter, close-up, low sun" },
];

const info = await askServer();
const news = find(document, "#news", HTMLElement);
/** @type {import("./connection.js").Connection | undefined} */
let connection;
/** @type {import("./settings.js").Settings | undefined} */
let settings;
/** What one tab asks, all tabs show. @type {BroadcastChannel | undefined} */
let others;

const board = new Board({
  list: find(document, "#cards", HTMLElement),
  empty: find(document, "#empty", HTMLElement),
  say: (words) => (news.textContent = words),
  marks: () => (settings && connection?.isSandbox ? marksOf(settings) : ""),
  onChange: ({ way, call }) => form.fill(way, "prompt" in call.params ? (call.params.prompt ?? "") : ""),
});
const timeline = mountTimeline(find(document, "#timeline", HTMLDetailsElement), (id) => board.titleOf(id));
const code = mountCode(
  find(document, "#code", HTMLDetailsElement),
  () => connection?.serviceUrl ?? "https://api.cometapi.com",
);
const form = mountForm(find(document, "#form", HTMLFormElement), {
  onOrder: (order) => board.start(order),
  onEdit: (order) => code.show(order),
});
mountSettings(find(document, "#settings", HTMLFormElement), info, reconnect);
find(document, "#samples", HTMLElement).append(...SAMPLES.map(sample));
if (info?.sandbox) forgetOldSandboxes(info.sandbox.session);

/** @param {import("./settings.js").Settings} next */
function reconnect(next) {
  const before = settings;
  settings = next;
  if (connection && before && isSame(before, next)) return;
  if (connection) disconnect(connection);
  others?.close();
  /** @param {import("comet-tasks").ClientEvent} event */
  const take = (event) => {
    timeline.take(event);
    board.hear(event);
  };
  /** What happened in one turn is told together: a batch of fifty readings is one message. @type {import("comet-tasks").ClientEvent[]} */
  let untold = [];
  const tell = () => {
    others?.postMessage(untold);
    untold = [];
  };
  /** @param {import("comet-tasks").ClientEvent} event */
  const onEvent = (event) => {
    take(event);
    if (untold.push(event) === 1) queueMicrotask(tell);
  };
  connection = connect(next, info, { onEvent, onError: (error) => board.fail(error) });
  others = new BroadcastChannel(`comet-tasks-demo-events:${connection.session}`);
  others.onmessage = ({ data }) => data.forEach(take);
  timeline.clear();
  board.show(connection);
  describe(connection);
}

/** @param {import("./connection.js").Connection} connection */
function describe({ isSandbox, session }) {
  const badge = find(document, "#badge", HTMLElement);
  badge.hidden = false;
  badge.textContent = isSandbox ? "Sandbox" : info || session !== "unknown" ? "Live" : "No server";
  find(document, "#cost", HTMLElement).textContent = isSandbox
    ? "The sandbox shows the same sample files for every prompt. Nothing is billed."
    : "Each press makes one task, which is billed to the account behind it.";
  find(document, "#service", HTMLElement).textContent =
    session === "unknown"
      ? "The server of this page does not answer. With a key of your own the page works without it: see the settings."
      : isSandbox
        ? "Answers come from the sandbox on this page’s server."
        : `Answers come from ${session}.`;
}

/** @param {{ way: import("./orders.js").Way, text: string }} sample */
function sample({ way, text }) {
  const item = document.createElement("li");
  item.append(button(text, () => form.fill(way, text)));
  return item;
}
