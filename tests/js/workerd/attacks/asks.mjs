// Words for the attacks: requests that pass, and the one respect in which each attack differs.

/**
 * @typedef {import("../gateway-kit.mjs").Ask} Ask
 * @typedef {import("../gateway-kit.mjs").Told} Told
 * @typedef {import("../gateway-kit.mjs").Arrived} Arrived
 * @typedef {{ grid: string, picture: string, zoom: string, question: string, video: string, veo: string, customId: string }} Tasks ids
 * @typedef {{ alice: Tasks, bob: Tasks, origin: string }} Facts
 *
 * An attack is its control, changed once. It is refused with `status` and nothing arrives at the service; or, with `holds`, it is
 * answered, and `holds` says what must be true of the answer and of all that arrived. `service` is what the service answers in the
 * attack, for those that come from there. `guard` names what stands against it, in guards.mjs.
 * @typedef {object} Attack
 * @property {string} name
 * @property {string} guard
 * @property {"plain" | "strict"} [gateway] strict: two named origins, one model, few routes, small bodies
 * @property {(facts: Facts) => Ask} control
 * @property {(ask: Ask, facts: Facts) => Ask} [attack]
 * @property {(request: Request, facts: Facts) => Response} [service]
 * @property {number | number[]} [status]
 * @property {(told: Told, arrived: Arrived[], facts: Facts) => void} [holds]
 */

export const BASE = "/api/comet";
export const PICTURE = "data:image/png;base64,iVBORw0KGgo=";
export const PAGE = "https://app.example";

/** @param {string} name */
const signedIn = (name) => ({ authorization: `Bearer page-${name}` });

/** @param {string} path @returns {Ask} */
export function get(path) {
  return { method: "GET", path: BASE + path, headers: signedIn("alice") };
}

/** @param {string} path @param {object} body @returns {Ask} */
export function post(path, body) {
  const headers = { ...signedIn("alice"), "content-type": "application/json" };
  return { method: "POST", path: BASE + path, headers, body: JSON.stringify(body) };
}

/** @typedef {{ name: string, value: string, filename?: string, type?: string }} Part */

/** @param {Part[]} parts @returns {Ask} */
export function form(...parts) {
  const boundary = "----boundary7";
  const text = parts.map(({ name, value, filename, type }) => {
    const file = filename === undefined ? "" : `; filename="${filename}"`;
    const kind = type === undefined ? "" : `\r\nContent-Type: ${type}`;
    return `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${file}${kind}\r\n\r\n${value}\r\n`;
  });
  const headers = { ...signedIn("alice"), "content-type": `multipart/form-data; boundary=${boundary}` };
  return { method: "POST", path: `${BASE}/v1/videos`, headers, body: `${text.join("")}--${boundary}--\r\n` };
}

/** @type {Part[]} */
export const VIDEO = [
  { name: "prompt", value: "a kite" },
  { name: "model", value: "veo3-fast" },
  { name: "input_reference", value: "\x89PNG\r\n\x1a\n0000", filename: "a.png", type: "image/png" },
];
export const video = () => form(...VIDEO);
export const imagine = () => post("/mj/submit/imagine", { prompt: "a boat" });
/** @param {Facts} facts */
export const read = ({ alice }) => get(`/mj/task/${alice.grid}/fetch`);

/** @param {string} name @returns {(ask: Ask) => Ask} */
export const by = (name) => header("authorization", `Bearer page-${name}`);

/** @param {string} name @param {string} value @returns {(ask: Ask) => Ask} */
export function header(name, value) {
  return (ask) => ({ ...ask, headers: { ...ask.headers, [name]: value } });
}

/** @param {string} name @returns {(ask: Ask) => Ask} */
export function without(name) {
  return (ask) => {
    const { [name]: _, ...headers } = ask.headers ?? {};
    return { ...ask, headers };
  };
}

/** @param {string} word @returns {(ask: Ask) => Ask} */
export const method = (word) => (ask) => ({ ...ask, method: word });

/** @param {(path: string, facts: Facts) => string} change @returns {(ask: Ask, facts: Facts) => Ask} */
export const path = (change) => (ask, facts) => ({ ...ask, path: change(ask.path, facts) });

/** @param {object} members @returns {(ask: Ask) => Ask} */
export function also(members) {
  return (ask) => ({ ...ask, body: JSON.stringify({ ...JSON.parse(String(ask.body)), ...members }) });
}

/** @param {(body: string, facts: Facts) => string | Uint8Array} change @returns {(ask: Ask, facts: Facts) => Ask} */
export const body = (change) => (ask, facts) => ({ ...ask, body: change(String(ask.body), facts) });

/** @param {Part} part @returns {() => Ask} */
export const withPart = (part) => () => form(...VIDEO, part);
/** @param {(part: Part) => Part} change @returns {() => Ask} */
export const eachPart = (change) => () => form(...VIDEO.map(change));
