/** The request as code that runs where COMETAPI_KEY is set: a program for Node, or a curl command. */

/**
 * @typedef {import("./orders.js").SubmitCall} SubmitCall
 */

const DEFAULT_BASE_URL = "https://api.cometapi.com";
const ROUTES = {
  imagine: "/mj/submit/imagine",
  video: "/mj/submit/video",
  veo: "/v1/videos",
  action: "/mj/submit/action",
  modal: "/mj/submit/modal",
};

/** @param {SubmitCall} call @param {string} baseUrl the service’s */
export function asJavaScript(call, baseUrl) {
  const files = filesOf(call);
  const other = baseUrl === DEFAULT_BASE_URL ? "" : `baseUrl: ${quote(baseUrl)}, `;
  const options = `{ ${other}apiKey: process.env.COMETAPI_KEY }`;
  const params = Object.entries(call.params).map(([name, value]) => `  ${name}: ${expression(value)},`);
  const result = call.kind === "video" || call.kind === "veo" ? "videos" : "images";
  return [
    ...(files.length > 0 ? ['import { openAsBlob } from "node:fs";'] : []),
    'import { createClient } from "comet-tasks";',
    "",
    ...files.map((file) => `// ${file.name}: the file that you chose, in the folder where this runs`),
    `const client = createClient(${options});`,
    `const params = {`,
    ...params,
    "};",
    `const task = await client.run({ kind: ${quote(call.kind)}, params });`,
    `console.log(task.${result});`,
    "",
  ].join("\n");
}

/** @param {unknown} value @returns {string} */
function expression(value) {
  if (Array.isArray(value)) return `[${value.map(expression).join(", ")}]`;
  if (!(value instanceof File)) return quote(value);
  return `await openAsBlob(${quote(value.name)}, { type: ${quote(value.type)} })`;
}

/** @param {unknown} value */
function quote(value) {
  return JSON.stringify(value);
}

/** @param {SubmitCall} call @param {string} baseUrl the service’s */
export function asCurl(call, baseUrl) {
  const lines = [`curl ${inShell(baseUrl + ROUTES[call.kind])}`];
  lines.push('-H "Authorization: Bearer $COMETAPI_KEY"');
  lines.push(...(call.kind === "veo" ? formParts(call.params) : jsonBody(call)));
  return `${lines.join(" \\\n  ")}\n`;
}

/** @param {import("comet-tasks").VeoParams} params */
function formParts({ inputReference, model = "veo3-fast", ...texts }) {
  const frames = /** @type {File[]} */ ([inputReference ?? []].flat());
  return [
    ...Object.entries({ model, ...texts }).map(
      ([name, value]) => `--form-string ${inShell(`${name}=${value}`)}`,
    ),
    ...frames.map((file) => `-F ${inShell(`input_reference=@${file.name};type=${file.type}`)}`),
  ];
}

/** A picture's letters go into the JSON from the shell, through standard input: no argument may be that long. @param {SubmitCall} call */
function jsonBody({ kind, params }) {
  const { image, ...others } = /** @type {{ image?: unknown }} */ (/** @type {object} */ (params));
  const body = kind === "imagine" ? { botType: "MID_JOURNEY", ...others } : others;
  const type = "-H 'Content-Type: application/json'";
  if (!(image instanceof File))
    return [type, `-d ${inShell(quote({ ...body, ...(image ? { image } : {}) }))}`];
  const [start, end] = quote({ ...body, image: "|" }).split('"|"');
  const letters = `base64 < ${inShell(image.name)} | tr -d '\\n'`;
  const parts = [
    `printf %s ${inShell(`${start}"data:${image.type};base64,`)}`,
    letters,
    `printf %s ${inShell(`"${end}`)}`,
  ];
  return [type, `-d @- < <(${parts.join("; ")})`];
}

/** @param {string} text */
function inShell(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** @param {SubmitCall} call @returns {File[]} */
function filesOf({ params }) {
  return Object.values(params)
    .flat()
    .filter((value) => value instanceof File);
}
