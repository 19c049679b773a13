// The README's programs do what they say: each runs as its own process in a folder that has only the tarball installed,
// with the sandbox in place of the network and time that passes as fast as it is waited for.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { folder } from "./installed.mjs";

const readme = await readFile(new URL("../../README.md", import.meta.url), "utf8");
const programs = [...readme.matchAll(/<!-- run -->\s+```js\n([\s\S]*?)```/g)].map(([, code]) => code);
const plain = [...readme.matchAll(/^```js\n([\s\S]*?)```/gm)].map(([, code]) => code);

const fakeTimers = createRequire(import.meta.url).resolve("@sinonjs/fake-timers");
const preload = `
import { createSandbox } from "comet-tasks/sandbox";
import timers from ${JSON.stringify(pathToFileURL(fakeTimers).href)};
const { setImmediate } = globalThis;
const clock = timers.install({ toFake: ["setTimeout", "clearTimeout", "Date"] });
const sandbox = createSandbox({ apiKey: process.env.COMETAPI_KEY });
globalThis.fetch = async (input, init) => sandbox.fetch(new Request(input, init));
(function pass() { clock.next(); setImmediate(pass); })();
`;

/** @param {string} code @param {string} name */
async function run(code, name) {
  await writeFile(join(folder, "preload.mjs"), preload);
  await writeFile(join(folder, name), `${code}\nprocess.exit();`);
  const env = { ...process.env, COMETAPI_KEY: "sk-readme-test-key" };
  const options = { cwd: folder, env, timeout: 60_000 };
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--import", "./preload.mjs", name],
    options,
  );
  return stdout;
}

/** @param {string} word */
function program(word) {
  const found = programs.find((code) => code.includes(word));
  assert.ok(found, `no program in the README has ${word}`);
  return found;
}

test("the README's button program goes through the modal to a picture", async () => {
  assert.match(await run(program("MJ::CustomZoom"), "modal.mjs"), /^\[ 'https:.*' \]/);
});

test("the README's chain program goes from a picture to a longer video", async () => {
  assert.match(await run(program("extend"), "chain.mjs"), /\.mp4/);
});

test("the README's error program says that the task is known", async () => {
  assert.match(
    await run(program("error.ambiguous) console"), "errors.mjs"),
    /^The task is known: \d+ task_failed/,
  );
});

test("the README's loop shows the readings of a task and ends with its picture", async () => {
  assert.match(
    await run(program("client.watch("), "watch.mjs"),
    /running[\s\S]*\nsucceeded 100 \[ 'https:.*' \]\n$/,
  );
});

test("the README's steps come to the end of the task", async () => {
  assert.match(await run(program("pollOnce("), "steps.mjs"), /^succeeded task_\w{32}\n$/);
});

test("the README's sandbox program shows a submit whose answer was lost", async () => {
  assert.equal(await run(program("drop_after"), "sandbox.mjs"), "network true 1\n");
});

/** What the telemetry program imports, as far as it uses it: it prints the spans. */
const telemetry = `
export const SpanStatusCode = { ERROR: 2 };
const end = (name, from) => (until) => console.log(name, until - from);
const startSpan = (name, { startTime, attributes }) => ({ end: end([name, ...Object.keys(attributes)].join(" "), startTime) });
export const trace = { getTracer: () => ({ startSpan }) };
`;

test("the README's telemetry makes spans of requests, sleeps, readings and ends", async () => {
  const module = join(folder, "node_modules/@opentelemetry/api");
  await mkdir(module, { recursive: true });
  await writeFile(join(module, "index.mjs"), telemetry);
  await writeFile(join(module, "package.json"), '{ "exports": "./index.mjs" }');
  const spans = (await run(program("@opentelemetry/api"), "telemetry.mjs")).trim().split("\n");
  assert.match(spans[0], /^midjourney\.imagine response comet\.status comet\.ms.* \d+$/);
  assert.match(spans[1], /^poll sleep comet\.ms comet\.waiting [1-9]\d+$/);
  assert.ok(spans.some((span) => /^midjourney\.fetch reading comet\.id comet\.status.* 0$/.test(span)));
  assert.match(spans[spans.length - 1], /^midjourney\.imagine settled .*comet\.outcome.* 0$/);
});

test("the README's first program makes a picture", async () => {
  const code = plain[0].replace('baseUrl: "/api/comet"', "apiKey: process.env.COMETAPI_KEY");
  assert.match(await run(code, "page.mjs"), /running[\s\S]*succeeded 100\n\[ 'https:.*' \]/);
});

test("the README's Worker answers with a handle", async () => {
  const code = `${plain[1].replace("export default", "const worker =")}
    const request = new Request("https://worker.test/", { method: "POST", body: "a kite over a field" });
    console.log((await (await worker.fetch(request, process.env)).json()).id);`;
  assert.match(await run(code, "worker.mjs"), /^task_\w{32}\n/);
});
