// A sandbox with a clock that the test moves, and short words for what tests do with it.

import { readFileSync } from "node:fs";
import { createSandbox } from "../../pkg/src/sandbox.js";

/** @typedef {import("../../pkg/src/sandbox.js").SandboxOptions} SandboxOptions */

export const ORIGIN = "https://service.test";
export const START = 1_773_314_942_177;
export const PNG = "data:image/png;base64,iVBORw0KGgo=";

/** @type {{ cases: { id: string, body: string | null, status: number }[] }} */
const wire = JSON.parse(readFileSync(new URL("../fixtures/wire.json", import.meta.url), "utf8"));

/** The recorded body of a case in tests/fixtures/wire.json. @param {string} id @returns {any} */
export function wireBody(id) {
  return JSON.parse(wire.cases.find((wireCase) => wireCase.id === id)?.body ?? "null");
}

/**
 * The JSON type of each field, to compare shapes: `{ a: 1, b: [""] }` is `{ a: "number", b: ["string"] }`.
 * @param {any} value @returns {any}
 */
export function shapeOf(value) {
  if (value === null) return "null";
  if (Array.isArray(value)) return value.map(shapeOf);
  if (typeof value !== "object") return typeof value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, shapeOf(field)]));
}

/** @param {SandboxOptions} [options] */
export function createKit(options = {}) {
  const clock = { now: START };
  const sandbox = createSandbox({ now: () => clock.now, ...options });

  /** @param {string} path absolute URLs are taken as they are @param {RequestInit} [init] */
  const ask = (path, init) => sandbox.fetch(new Request(new URL(path, ORIGIN), init));

  /** @param {string} path @param {unknown} body @param {Record<string, string>} [headers] */
  const post = (path, body, headers = {}) =>
    ask(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers },
      body: JSON.stringify(body),
    });

  /** @param {string} path @returns {Promise<any>} */
  const read = async (path) => (await ask(path)).json();

  /** @param {string} id */
  const task = (id) => read(`/mj/task/${id}/fetch`);

  /** Submits and returns the id. @param {string} route of /mj/submit @param {object} body @returns {Promise<string>} */
  const submit = async (route, body) => (await (await post(`/mj/submit/${route}`, body)).json()).result;

  /** @param {number} seconds */
  const pass = (seconds) => {
    clock.now += seconds * 1000;
  };

  /** Submits, lets the time pass that any task takes, and returns the id. @param {string} route @param {object} body */
  const finish = async (route, body) => {
    const id = await submit(route, body);
    pass(1000);
    return id;
  };

  /** A picture that has been upscaled: the parent that most buttons need. */
  const upscaled = async () => {
    const taskId = await finish("imagine", { prompt: "a boat" });
    return finish("action", { taskId, customId: "MJ::JOB::upsample::2::x" });
  };

  /** @param {Record<string, string>} fields */
  const createVideo = (fields) => {
    const form = new FormData();
    Object.entries(fields).forEach(([name, value]) => form.append(name, value));
    return ask("/v1/videos", { method: "POST", body: form });
  };

  /** @param {string} [prompt] @param {string} [model] @returns {Promise<string>} */
  const video = async (prompt = "a kite", model = "veo3-fast") =>
    (await (await createVideo({ prompt, model })).json()).id;

  return { clock, sandbox, ask, post, read, task, submit, pass, finish, upscaled, createVideo, video };
}
