/** Which service answers, and what the sandbox shall do. All but the key is remembered. */
import { find } from "./dom.js";

/**
 * @typedef {{ service: "server" | "direct", baseUrl: string, key: string, speed: "1" | "15" | "60", fail: string }} Settings
 */

const STORAGE = "comet-tasks-demo-settings";
const DEFAULTS = { service: "server", baseUrl: "https://api.cometapi.com", speed: "15", fail: "" };

/**
 * @param {HTMLFormElement} form
 * @param {import("./connection.js").Info | null} info
 * @param {(settings: Settings) => void} onChange
 */
export function mountSettings(form, info, onChange) {
  fill(form, remembered());
  label(form, info);
  const key = find(form, "[name=key]", HTMLInputElement);
  const baseUrl = find(form, "[name=baseUrl]", HTMLInputElement);
  const update = () => {
    const settings = read(form);
    const isDirect = settings.service === "direct";
    find(form, "[data-part=direct]", HTMLElement).hidden = !isDirect;
    find(form, "[data-part=sandbox]", HTMLElement).hidden = isDirect || info?.service !== "sandbox";
    const problem = isDirect ? whatIsWrong(settings) : null;
    const line = find(form, "#settings-problem", HTMLElement);
    line.textContent = problem;
    line.hidden = !problem;
    summarise(form, settings, info);
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

/** @param {HTMLFormElement} form @param {import("./connection.js").Info | null} info */
function label(form, info) {
  const [title, text] =
    info?.service === "real"
      ? ["Through this page’s server", `It adds its key and passes calls on to ${info.host}.`]
      : ["Sandbox", "A stand-in on this page’s server: sample files, real delays, nothing billed."];
  find(form, "#server-title", HTMLElement).textContent = title;
  find(form, "#server-text", HTMLElement).textContent = text;
}

/** The line that stands there while the settings are closed. @param {HTMLFormElement} form @param {Settings} settings @param {import("./connection.js").Info | null} info */
function summarise(form, settings, info) {
  const speed = find(form, "[name=speed]", HTMLSelectElement).selectedOptions[0].text;
  const fail = find(form, "[name=fail]", HTMLSelectElement).selectedOptions[0].text;
  const parts =
    settings.service === "direct"
      ? [settings.key ? "your key, directly" : "no key yet"]
      : info?.service === "sandbox"
        ? ["sandbox", speed.toLowerCase(), settings.fail && fail]
        : ["through this page’s server"];
  find(document, "#settings-summary", HTMLElement).textContent = parts.filter(Boolean).join(" · ");
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

/** @returns {Record<string, string>} */
function remembered() {
  try {
    // Without a key there is nothing to go to directly, and "make it fail" should not surprise anybody tomorrow.
    const { baseUrl, speed } = { ...DEFAULTS, ...JSON.parse(localStorage.getItem(STORAGE) ?? "{}") };
    return { ...DEFAULTS, baseUrl, speed };
  } catch {
    return DEFAULTS;
  }
}

/** @param {Settings} settings */
function remember({ baseUrl, speed }) {
  try {
    localStorage.setItem(STORAGE, JSON.stringify({ baseUrl, speed }));
  } catch {
    // Then they hold until the page is closed.
  }
}
