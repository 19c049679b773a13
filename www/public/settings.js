/** Which service answers, and what the sandbox shall do. All but the key is remembered. */
import { find } from "./dom.js";

/**
 * @typedef {"sandbox" | "server" | "direct"} Service
 * @typedef {{ service: Service, baseUrl: string, key: string, speed: "1" | "15" | "60", fail: string }} Settings
 */

const STORAGE = "comet-tasks-demo-settings";
const DEFAULTS = { baseUrl: "https://api.cometapi.com", speed: "15", fail: "" };

/**
 * @param {HTMLFormElement} form
 * @param {import("./connection.js").Info | null} info
 * @param {(settings: Settings) => void} onChange
 */
export function mountSettings(form, info, onChange) {
  fill(form, remembered(info));
  label(form, info);
  const key = find(form, "[name=key]", HTMLInputElement);
  const baseUrl = find(form, "[name=baseUrl]", HTMLInputElement);
  const update = () => {
    const settings = read(form);
    const isDirect = settings.service === "direct";
    find(form, "[data-part=direct]", HTMLElement).hidden = !isDirect;
    find(form, "[data-part=sandbox]", HTMLElement).hidden = settings.service !== "sandbox";
    const problem = isDirect ? whatIsWrong(settings) : null;
    const line = find(form, "#settings-problem", HTMLElement);
    line.textContent = problem;
    line.hidden = !problem;
    summarise(form, settings);
    // Until there is a key, whatever answered before goes on doing so.
    if (!problem) onChange(settings);
    remember(settings);
  };
  form.addEventListener("change", update);
  form.addEventListener("submit", (event) => event.preventDefault());
  for (const field of [key, baseUrl])
    field.setAttribute("aria-describedby", "settings-problem direct-warning");
  update();
}

/** What the sandbox is asked to do with a task, in its prompt. @param {Settings} settings */
export function marksOf({ speed, fail }) {
  const marks = [speed !== "15" && `sandbox:speed-${speed}`, fail && `sandbox:${fail}`];
  return marks.filter(Boolean).join(" ");
}

/** @param {HTMLFormElement} form @returns {Settings} */
function read(form) {
  return /** @type {Settings} */ (Object.fromEntries(new FormData(form)));
}

/** @param {Settings} settings */
function whatIsWrong({ key, baseUrl }) {
  if (!/^https?:\/\/[^/\s]+/.test(baseUrl)) return "The service’s address must begin with https://.";
  if (!key) return "Type the key of your account. Until then, answers come from where they came before.";
  if (!/^[\x21-\x7e]+$/.test(key)) return "A key has no spaces: paste it alone, without “Bearer”.";
  return null;
}

/** What there is not cannot be chosen, and says why. @param {HTMLFormElement} form @param {import("./connection.js").Info | null} info */
function label(form, info) {
  /** @param {"sandbox" | "server"} service @param {boolean} isThere @param {string} text */
  const describe = (service, isThere, text) => {
    find(form, `#${service}-text`, HTMLElement).textContent = text;
    find(form, `[value=${service}]`, HTMLInputElement).disabled = !isThere;
  };
  if (!info) {
    describe("sandbox", false, "This page’s server does not answer.");
    return describe("server", true, "This page’s server does not answer.");
  }
  const sandbox = info.sandbox
    ? "A stand-in on this page’s server: sample files, real delays, nothing billed."
    : "Not here: its tasks would live in the memory of one machine. “npm start” has it.";
  describe("sandbox", info.sandbox !== null, sandbox);
  const server = info.service
    ? `It adds its key and passes calls on to ${info.service.host}.`
    : "Not here: this page’s server has no key.";
  describe("server", info.service !== null, server);
}

/** The line that stands there while the settings are closed. @param {HTMLFormElement} form @param {Settings} settings */
function summarise(form, settings) {
  const speed = find(form, "[name=speed]", HTMLSelectElement).selectedOptions[0].text;
  const fail = find(form, "[name=fail]", HTMLSelectElement).selectedOptions[0].text;
  const parts = {
    direct: [settings.key ? "your key, directly" : "no key yet"],
    sandbox: ["sandbox", speed.toLowerCase(), settings.fail && fail],
    server: ["through this page’s server"],
  };
  const text = parts[settings.service].filter(Boolean).join(" · ");
  find(document, "#settings-summary", HTMLElement).textContent = text;
}

/** @param {HTMLFormElement} form @param {Record<string, string>} values */
function fill(form, values) {
  for (const [name, value] of Object.entries(values)) {
    const field = form.elements.namedItem(name);
    if (field instanceof RadioNodeList || field instanceof HTMLInputElement) field.value = value;
    if (field instanceof HTMLSelectElement && [...field.options].some((option) => option.value === value)) {
      field.value = value;
    }
  }
}

/** @param {import("./connection.js").Info | null} info @returns {Record<string, string>} */
function remembered(info) {
  const service = info?.sandbox && !info.service ? "sandbox" : "server";
  try {
    // Without a key there is nothing to go to directly, and "make it fail" should not surprise anybody tomorrow.
    const stored = { ...DEFAULTS, ...JSON.parse(localStorage.getItem(STORAGE) ?? "{}") };
    const { baseUrl, speed } = stored;
    // Whoever chose the sandbox is not billed after a reload.
    const isChosen = stored.service === "sandbox" && info?.sandbox;
    return { ...DEFAULTS, baseUrl, speed, service: isChosen ? "sandbox" : service };
  } catch {
    return { ...DEFAULTS, service };
  }
}

/** @param {Settings} settings */
function remember({ service, baseUrl, speed }) {
  try {
    localStorage.setItem(STORAGE, JSON.stringify({ service, baseUrl, speed }));
  } catch {
    // Then they hold until the page is closed.
  }
}
