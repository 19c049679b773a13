// Lines that run nothing: what the package's types and manifest say to each tool.
import { createProject, execute, binary, versionOf } from "./kit.mjs";

/** @typedef {import("./lines.mjs").Line} Line */

/** attw takes the entries that have no CommonJS form as what they are: ES modules, on purpose. @returns {Line} */
export function attwLine() {
  return {
    name: "attw",
    version: () => versionOf("@arethetypeswrong/cli"),
    async run({ tarball }) {
      const attw = [await binary("@arethetypeswrong/cli", "attw"), tarball, "--no-emoji", "--no-color"];
      const dual = ["--entrypoints", "."];
      const rest = ["--exclude-entrypoints", ".", "./comet_tasks.wasm", "--profile", "esm-only"];
      for (const args of [dual, rest]) await execute(process.execPath, [...attw, ...args]);
    },
  };
}

/** @returns {Line} */
export function publintLine() {
  return {
    name: "publint",
    version: () => versionOf("publint"),
    async run({ tarball }) {
      await execute(process.execPath, [await binary("publint"), "run", tarball, "--strict"]);
    },
  };
}

const LIBS = {
  dom: { lib: ["es2022", "dom"], types: [] },
  webworker: { lib: ["es2022", "webworker"], types: [] },
  workers: { lib: ["es2022"], types: ["@cloudflare/workers-types"] },
};

const USER = `
import { createClient, findButton, init, isCometError, parseWebhook, type Task } from "comet-tasks";
import { createClient as createSlim, init as initSlim } from "comet-tasks/slim";
import { createSandbox } from "comet-tasks/sandbox";
import { createGateway } from "comet-tasks/gateway";
import { createStore } from "comet-tasks/store";

export async function film(signal: AbortSignal): Promise<string> {
  const sandbox = createSandbox({ speed: 60 });
  const client = createClient({ apiKey: async () => "sk-1", fetch: async (input, init) => fetch(input, init) });
  try {
    const picture = await client.run({ kind: "imagine", params: { prompt: "a" } }, { signal });
    const button = picture.status === "succeeded" ? findButton(picture, "U1") : undefined;
    if (!button) return picture.status;
    const handle = await client.submitAction({ taskId: picture.handle.id, customId: button.customId });
    for await (const task of client.watch(handle)) show(task);
    const settled = await client.poll(handle, { throwOnFailure: false });
    return settled.status === "failed" ? settled.failure.message : settled.images.join();
  } catch (error) {
    return isCometError(error) && error.ambiguous ? error.code : String(sandbox.submits);
  } finally {
    client.close();
  }
}

export const read = async (request: Request): Promise<Task> => parseWebhook(request);
const show = (task: Task): string =>
  task.status === "running" ? String(task.estimate?.medianMs ?? task.progress) : task.rawStatus;
export const ready: Promise<void>[] = [init(), initSlim(new Uint8Array())];
export const slim = createSlim({ baseUrl: "https://gateway.example" });
export const store = createStore(slim, { name: "mine" });
const secret = "0123456789abcdef0123456789abcdef";
export const gateway = createGateway({ apiKey: "sk-1", secret, authorize: () => ({ subject: "anna" }) });
export const serve = (request: Request): Promise<Response> => gateway.fetch(request);
// @ts-expect-error the three of a continuation go together
createClient().submitVideo({ action: "extend", index: 1 });
`;
const COMMON = `
import comet = require("comet-tasks");
export const client: comet.Client = comet.createClient();
export const failed = (error: unknown): boolean => error instanceof comet.CometError;
`;

/** @param {"typescript59" | "typescript6" | "typescript7"} compiler @param {"node16" | "nodenext" | "bundler"} resolution @returns {Line} */
export function tscLine(compiler, resolution) {
  const major = compiler.slice("typescript".length).replace("59", "5.9");
  const name = `TypeScript ${major}, ${resolution}`;
  const module = resolution === "bundler" ? "esnext" : resolution;
  const strict = {
    strict: true,
    skipLibCheck: false,
    noEmit: true,
    target: "es2022",
    resolveJsonModule: true,
  };
  const files = ["user.ts", ...(resolution === "bundler" ? [] : ["common.cts"])];
  const configs = Object.entries(LIBS).map(([lib, options]) => [
    `tsconfig.${lib}.json`,
    { compilerOptions: { ...strict, module, moduleResolution: resolution, ...options }, files },
  ]);
  return {
    name,
    version: () => versionOf(compiler),
    async run({ tarball }) {
      const sources = { "user.ts": USER, "common.cts": COMMON };
      const cwd = await createProject(name, tarball, { ...sources, ...Object.fromEntries(configs) });
      const tsc = await binary(compiler, "tsc");
      for (const [config] of configs) await execute(process.execPath, [tsc, "-p", String(config)], { cwd });
    },
  };
}
