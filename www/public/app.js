import { createClient } from "comet-tasks";
import { createBoard } from "./board.js";
import { button, find } from "./dom.js";
import { mountForm } from "./form.js";
import { createStore } from "./store.js";

/** @type {{ way: import("./form.js").Way, text: string }[]} */
const SAMPLES = [
  { way: "picture", text: "A lighthouse in a winter storm, seen from the sea, film grain" },
  { way: "picture", text: "A fox made of folded paper, soft studio light" },
  { way: "veo", text: "A paper boat drifts down a rain gutter, close-up, low sun" },
];

const info = await askService();
describeService(info);

// No key here: the Worker behind this path has it.
const client = createClient({ baseUrl: "/api/comet" });
const news = find(document, "#news", HTMLElement);
const board = createBoard({
  client,
  // Against the service the package's own schedule is best; the sandbox's tasks are over before that would ask.
  intervalMs: info?.speed ? 1000 : undefined,
  store: createStore(info?.session ?? "unknown"),
  list: find(document, "#cards", HTMLElement),
  empty: find(document, "#empty", HTMLElement),
  say: (words) => (news.textContent = words),
});
const form = mountForm(find(document, "#form", HTMLFormElement), (order) => board.start(order));
find(document, "#samples", HTMLElement).append(...SAMPLES.map(sample));
board.resume();

/** @typedef {{ service: "sandbox" | "real", session: string, speed?: number, host?: string }} Info */

/** @returns {Promise<Info | null>} */
async function askService() {
  try {
    const reply = await fetch("/api/info");
    return reply.ok ? await reply.json() : null;
  } catch {
    return null;
  }
}

/** @param {Info | null} info */
function describeService(info) {
  const service = find(document, "#service", HTMLElement);
  const cost = find(document, "#cost", HTMLElement);
  const badge = find(document, "#badge", HTMLElement);
  if (!info) {
    service.textContent = "The server of this page does not answer.";
    return;
  }
  badge.hidden = false;
  if (info.service === "sandbox") {
    badge.textContent = "Sandbox";
    cost.textContent = "The sandbox shows the same sample files for every prompt. Nothing is billed.";
    service.textContent = `Answers come from the sandbox, ${info.speed} times as fast as life. To see trouble, put sandbox:fail, sandbox:banned or sandbox:lost into a prompt.`;
  } else {
    badge.textContent = "Live";
    cost.textContent = "Each press makes one task, which is billed to the account behind this page.";
    service.textContent = `Answers come from ${info.host}; the key stays on the server.`;
  }
}

/** @param {{ way: import("./form.js").Way, text: string }} sample */
function sample({ way, text }) {
  const item = document.createElement("li");
  item.append(button(text, () => form.fill(way, text)));
  return item;
}
