/** What can be asked for, as plain data: the call of the package that it is, and how it will look on the page. */

/**
 * @typedef {import("comet-tasks").Client} Client
 * @typedef {import("comet-tasks").SubmitCall} SubmitCall
 * @typedef {import("comet-tasks").TaskHandle} TaskHandle
 * @typedef {"picture" | "video" | "veo"} Way
 * @typedef {"square" | "wide" | "tall"} Shape how the result will probably stand
 * @typedef {{ way: Way, title: string, shape: Shape, call: SubmitCall }} Order
 */

/** @type {{ [Kind in SubmitCall["kind"]]: (client: Client, params: any) => Promise<TaskHandle> }} */
const SUBMITS = {
  imagine: (client, params) => client.submitImagine(params),
  video: (client, params) => client.submitVideo(params),
  veo: (client, params) => client.submitVeo(params),
  action: (client, params) => client.submitAction(params),
  modal: (client, params) => client.submitModal(params),
};

/** @param {Client} client @param {SubmitCall} call */
export function submit(client, call) {
  return SUBMITS[call.kind](client, call.params);
}

/**
 * The sandbox reads marks in prompts: how fast the task runs, and how it shall fail.
 * @param {SubmitCall} call @param {string} marks "" for none
 * @returns {SubmitCall}
 */
export function marked(call, marks) {
  if (!marks || call.kind === "action") return call;
  const prompt = [call.params.prompt, marks].filter(Boolean).join(" ");
  return /** @type {SubmitCall} */ ({ kind: call.kind, params: { ...call.params, prompt } });
}

/** @param {string} prompt */
export function withoutMarks(prompt) {
  return prompt.replace(/\s*sandbox:[a-z0-9-]+/g, "");
}

/** Whether the order can be kept as JSON: bytes of a picture are not. @param {SubmitCall} call */
export function isPlain({ params }) {
  return Object.values(params).every((value) => typeof value !== "object");
}
