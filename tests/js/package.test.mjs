// The package as users get it: its types keep the contract, and its programs run in an empty folder.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { folder } from "./installed.mjs";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../", import.meta.url));
/** @typedef {import("node:test").TestContext} TestContext */

/** A folder with nothing in it, under the one where the package is installed. @param {TestContext} t */
async function emptyFolder(t) {
  const empty = await mkdtemp(join(folder, "user-"));
  t.after(() => rm(empty, { recursive: true }));
  return empty;
}

/* ── types ──────────────────────────────────────────────────────────── */

const KEPT = `
import * as contract from "./contract.js";
import * as ours from "comet-tasks";
import * as sandbox from "comet-tasks/sandbox";

export const createClient: typeof contract.createClient = ours.createClient;
export const init: typeof contract.init = ours.init;
export const parseWebhook: typeof contract.parseWebhook = ours.parseWebhook;
// These take tasks of this package, whose canceled ones hold a failure that the contract does not promise.
type Taking<Ours extends (...given: any) => any, Contract extends (...given: any) => any> =
  (...given: Parameters<Ours>) => ReturnType<Contract>;
export const findButton: Taking<typeof ours.findButton, typeof contract.findButton> = ours.findButton;
export const supersedes: Taking<typeof ours.supersedes, typeof contract.supersedes> = ours.supersedes;
export const createSandbox: typeof contract.createSandbox = sandbox.createSandbox;

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type Both<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
export const kept: {
  codes: Equal<ours.ErrorCode, contract.ErrorCode>;
  error: ours.CometError extends contract.CometError ? true : false;
  task: ours.Task extends contract.Task ? true : false;
  settled: ours.SettledTask extends contract.SettledTask ? true : false;
  resolved: ours.ResolvedTask extends contract.ResolvedTask ? true : false;
  handle: Both<ours.TaskHandle, contract.TaskHandle>;
  event: ours.ClientEvent extends contract.ClientEvent ? true : false;
  options: contract.ClientOptions extends ours.ClientOptions ? true : false;
  poll: contract.PollOptions extends ours.PollOptions ? true : false;
  call: Both<ours.SubmitCall, contract.SubmitCall>;
  image: Equal<ours.ImageInput, contract.ImageInput>;
} = {
  codes: true, error: true, task: true, settled: true, resolved: true, handle: true,
  event: true, options: true, poll: true, call: true, image: true,
};
`;
const USER = `
import { CometError, createClient, findButton, isCometError, type Task } from "comet-tasks";

export async function film(signal: AbortSignal): Promise<string> {
  const client = createClient({ apiKey: async () => "sk-1", onEvent: (event) => console.log(event.type) });
  try {
    const picture = await client.run({ kind: "imagine", params: { prompt: "a" } }, { signal });
    const button = picture.status === "succeeded" ? findButton(picture, "U1") : undefined;
    if (!button) return picture.status;
    const handle = await client.submitAction({ taskId: picture.handle.id, customId: button.customId });
    for await (const task of client.watch(handle)) show(task);
    const settled = await client.poll(handle, { throwOnFailure: false });
    return settled.status === "failed" ? settled.failure.message : settled.images.join();
  } catch (error) {
    return isCometError(error) && error.ambiguous ? error.code : String(error instanceof CometError);
  } finally {
    client.close();
  }
}

function show(task: Task): string {
  return task.status === "running" ? String(task.estimate?.medianMs ?? task.progress) : task.rawStatus;
}

const client = createClient();
// @ts-expect-error the three of a continuation go together
client.submitVideo({ action: "extend", index: 1 });
// @ts-expect-error a clip is one of four
client.submitVideo({ action: "extend", index: 4, taskId: "1" });
// @ts-expect-error a picture is no number
client.submitImagine({ prompt: "a", images: [1] });
// @ts-expect-error it takes a prompt
client.submitVeo({});
`;

for (const [moduleResolution, module] of [
  ["bundler", "esnext"],
  ["node16", "node16"],
  ["nodenext", "nodenext"],
]) {
  test(`the types keep the contract and serve a user with moduleResolution ${moduleResolution}`, async (t) => {
    const empty = await emptyFolder(t);
    await copyFile(join(root, "tests/fixtures/contract.d.ts"), join(empty, "contract.d.ts"));
    await writeFile(join(empty, "kept.ts"), KEPT);
    await writeFile(join(empty, "user.ts"), USER);
    await writeFile(join(empty, "package.json"), '{ "type": "module" }');
    const lib = ["es2022", "dom", "dom.iterable", "dom.asynciterable"];
    const checks = { strict: true, skipLibCheck: false, noEmit: true, types: [] };
    const compilerOptions = { ...checks, target: "es2022", lib, module, moduleResolution };
    await writeFile(
      join(empty, "tsconfig.json"),
      JSON.stringify({ compilerOptions, files: ["kept.ts", "user.ts"] }),
    );
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    const told = await run(process.execPath, [tsc], { cwd: empty }).catch((error) => error);
    assert.deepEqual([told.stdout, told.stderr, told.code], ["", "", undefined]);
  });
}

/* ── programs ───────────────────────────────────────────────────────── */

test("the manifest's entries can be imported, and every export of the types is there", async (t) => {
  const empty = await emptyFolder(t);
  const names = `
    import * as entry from "comet-tasks";
    import * as sandbox from "comet-tasks/sandbox";
    import manifest from "comet-tasks/package.json" with { type: "json" };
    console.log(JSON.stringify([Object.keys(entry).sort(), Object.keys(sandbox), manifest.name]));
  `;
  await writeFile(join(empty, "names.mjs"), names);
  const { stdout } = await run(process.execPath, ["--no-warnings", "names.mjs"], { cwd: empty });
  const [entry, sandbox, name] = JSON.parse(stdout);
  const types = await readFile(join(folder, "node_modules/comet-tasks/dist/index.d.cts"), "utf8");
  const promised = [...types.matchAll(/^export (?:declare )?(?:function|class|const) (\w+)/gm)].map(
    ([, word]) => word,
  );
  assert.deepEqual(entry, [...new Set(promised)].sort());
  assert.deepEqual([sandbox, name], [["createSandbox"], "comet-tasks"]);
});

const PROGRAM = `
import { createClient } from "comet-tasks";

const client = createClient({ baseUrl: process.argv[2], apiKey: "sk-sandbox-0123456789" });
const options = { intervalMs: 100, timeoutMs: 60_000 };
const png = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

const calls = {
  imagine: { prompt: "a lighthouse" },
  video: { image: png, prompt: "the light turns" },
  veo: { prompt: "waves", inputReference: [png, new Blob([png], { type: "image/png" })] },
};
for (const [kind, params] of Object.entries(calls)) {
  const { status, images, videos } = await client.run({ kind, params }, options);
  const files = await Promise.all([...images, ...videos].map(async (url) => {
    const reply = await fetch(url);
    return [reply.headers.get("content-type"), (await reply.arrayBuffer()).byteLength];
  }));
  console.log(JSON.stringify({ kind, status, files }));
}
client.close();
`;

test("in an empty folder imagine, video and veo come through against the sandbox", async (t) => {
  const empty = await emptyFolder(t);
  await writeFile(join(empty, "program.mjs"), PROGRAM);
  const origin = await startSandbox(t, "--speed", "120", "--key", "sk-sandbox-0123456789");
  const { stdout } = await run(process.execPath, ["program.mjs", origin], { cwd: empty, timeout: 60_000 });
  const results = stdout.trim().split("\n");
  results.forEach((line) => t.diagnostic(line));
  const [imagine, video, veo] = results.map((line) => JSON.parse(line));
  for (const { status, files } of [imagine, video, veo]) {
    assert.equal(status, "succeeded");
    assert.ok(files.length > 0 && files.every((/** @type {[string, number]} */ [, size]) => size > 100));
  }
  assert.match(imagine.files[0][0], /^image\//);
  for (const { files } of [video, veo]) assert.match(files[0][0], /^video\//);
  const { submits, requests } = await (await fetch(`${origin}/sandbox/log`)).json();
  assert.equal(submits, 3);
  assert.deepEqual(
    requests.flatMap((/** @type {any} */ { method, path }) => (method === "POST" ? [path] : [])),
    ["/mj/submit/imagine", "/mj/submit/video", "/v1/videos"],
  );
});

test("a wrong key is unauthorized at the sandbox", async (t) => {
  const empty = await emptyFolder(t);
  const program = PROGRAM.replace("sk-sandbox-0123456789", "sk-another-0123456789");
  await writeFile(join(empty, "program.mjs"), program);
  const origin = await startSandbox(t, "--key", "sk-sandbox-0123456789");
  const failed = await run(process.execPath, ["program.mjs", origin], { cwd: empty }).catch((error) => error);
  assert.match(failed.stderr, /code: 'unauthorized'/);
  assert.ok(!failed.stderr.includes("sk-another"));
});

/** The installed executable on a free port, until the test ends. @param {TestContext} t @param {...string} options */
async function startSandbox(t, ...options) {
  const program = join(folder, "node_modules/.bin/comet-tasks-sandbox");
  const child = spawn(program, ["--port", "0", ...options], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => child.kill());
  const [line] = await once(createInterface(child.stdout), "line");
  return /** @type {string} */ (/http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0]);
}
