// Lines that are no browser.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  Failure,
  binary,
  createProject,
  execute,
  folderOf,
  here,
  lastList,
  rootTool,
  tool,
  versionOf,
} from "./kit.mjs";
import { check, startServer } from "./server.mjs";

/** @typedef {import("./lines.mjs").Line} Line */
/** @typedef {import("./lines.mjs").Context} Context */

/**
 * Runs `work` with the address of a sandbox, and fails with what it resolves to.
 * @param {Context} context
 * @param {(service: string) => Promise<string[]>} work
 */
export async function againstSandbox({ createSandbox }, work) {
  const server = await startServer({ createSandbox });
  try {
    check(await work(server.service));
  } finally {
    server.close();
  }
}

/** @param {"node20" | "node22" | "node24"} node @param {"import" | "require"} way @returns {Line} */
export function nodeLine(node, way) {
  const name = `Node ${node.slice(4)}, ${way}`;
  const program = () => join(folderOf(node), "bin/node");
  return programLine(name, program, [way === "import" ? "main.mjs" : "main.cjs"], () => versionOf(node));
}

/** The Node that runs the matrix. @returns {Line} */
export function thisNodeLine() {
  const program = () => process.execPath;
  return programLine("Node, import", program, ["main.mjs"], async () => process.versions.node);
}

/** @param {string} name @param {() => string | Promise<string>} program @param {string[]} args @param {Line["version"]} version @returns {Line} */
function programLine(name, program, args, version) {
  const run = async (/** @type {Context} */ context) => {
    const cwd = await createProject(name, context.tarball);
    const path = await program();
    const start = (/** @type {string} */ service) => execute(path, [...args, service], { cwd });
    await againstSandbox(context, async (service) => lastList(await start(service)));
  };
  return { name, version, run };
}

/** @returns {Line} */
export function denoLine() {
  const args = ["run", "--allow-net", "--allow-env", "--allow-read", "--no-lock"];
  return programLine(
    "Deno",
    () => nodeProgram("deno"),
    [...args, "main.mjs"],
    () => versionOf("deno"),
  );
}

/** @returns {Line} */
export function bunLine() {
  return programLine(
    "Bun",
    () => nodeProgram("bun"),
    ["main.mjs"],
    () => versionOf("bun"),
  );
}

/** @param {string} name */
function nodeProgram(name) {
  return binary(name);
}

/** As wrangler bundles it, in workerd. wrangler asks for Node 22. @returns {Line} */
export function wranglerLine() {
  return wrangled("wrangler's bundle", "worker.js");
}

/** `comet-tasks/cloudflare` beside the gateway and a client: both modules in one Worker. @returns {Line} */
export function workflowLine() {
  return wrangled("workflow and gateway", "workflow.js");
}

/** @param {string} what @param {"worker.js" | "workflow.js"} main @returns {Line} */
function wrangled(what, main) {
  const name = `Cloudflare Workers, ${what}`;
  return {
    name,
    version: async () => `wrangler ${await versionOf("wrangler")}, ${await workerdVersion()}`,
    async run(context) {
      const wrangler = { name: "matrix", main, compatibility_date: "2026-03-01" };
      const cwd = await createProject(name, context.tarball, { "wrangler.json": wrangler });
      await wouldDeploy(cwd, "--outdir", "dist");
      await runInWorkerd(context, join(cwd, "dist"), main);
    },
  };
}

/** What wrangler says of a deployment that it does not make. @param {string} cwd @param {string[]} more */
async function wouldDeploy(cwd, ...more) {
  const env = { WRANGLER_SEND_METRICS: "false", XDG_CONFIG_HOME: join(cwd, ".config") };
  const args = [await binary("wrangler"), "deploy", "--dry-run", ...more];
  return execute(join(folderOf("node22"), "bin/node"), args, { cwd, env });
}

/** The README's Worker with a workflow: its files as they stand there, and its command that says what would be deployed. @returns {Line} */
export function readmeLine() {
  const name = "Cloudflare Workers, README's workflow";
  return {
    name,
    version: async () => `wrangler ${await versionOf("wrangler")}, ${await workerdVersion()}`,
    async run({ tarball }) {
      const readme = await readFile(join(here, "../../README.md"), "utf8");
      const found = readme.matchAll(/<!-- file: (w\S+) -->\s+```js(?:onc)?\n([^]*?)```/g);
      const files = Object.fromEntries([...found].map(([, path, text]) => [path, text]));
      const said = await wouldDeploy(await createProject(name, tarball, files));
      const bindings = ["env.COMET (CometWorkflow)", "env.BUCKET (my-tasks)", "env.COMETAPI_HOOK_URL"];
      const missing = bindings.filter((binding) => !said.includes(binding));
      if (missing.length > 0) throw new Failure(`wrangler names no ${missing.join(", no ")}: ${said}`);
    },
  };
}

/** As esbuild bundles it, in workerd. @returns {Line} */
export function workerdLine() {
  const name = "Cloudflare Workers, esbuild's bundle";
  return {
    name,
    version: workerdVersion,
    async run(context) {
      const cwd = await createProject(name, context.tarball);
      /** @type {import("esbuild").BuildOptions} */
      const options = { conditions: ["workerd"], loader: { ".wasm": "copy" }, format: "esm" };
      await bundle(cwd, "worker.js", "dist/worker.js", options);
      await runInWorkerd(context, join(cwd, "dist"));
    },
  };
}

async function workerdVersion() {
  return `workerd ${(await rootTool("workerd/package.json")).default.version}`;
}

/** What a Worker with a workflow has beside its script. */
const bindings = { workflows: { FLOW: { name: "flow", className: "CometWorkflow" } }, r2Buckets: ["BUCKET"] };

/** @param {Context} context @param {string} folder with the script and what it imports @param {string} [main] */
async function runInWorkerd(context, folder, main = "worker.js") {
  const { Miniflare } = await rootTool("miniflare");
  await againstSandbox(context, async (service) => {
    const worker = new Miniflare({
      cf: false,
      compatibilityDate: "2026-03-01",
      modules: true,
      modulesRoot: folder,
      scriptPath: join(folder, main),
      modulesRules: [{ type: "CompiledWasm", include: ["**/*.wasm"] }],
      bindings: { COMETAPI_KEY: "sk-matrix-0123456789", COMETAPI_BASE_URL: service },
      ...(main === "workflow.js" && bindings),
    });
    try {
      const reply = await worker.dispatchFetch(`http://worker.example/?service=${service}`);
      return JSON.parse(await reply.text());
    } finally {
      await worker.dispose();
    }
  });
}

/** The VM that Vercel's and Next's local edge functions run in; its modules come from another realm. @returns {Line} */
export function edgeLine() {
  const name = "Edge runtime VM";
  return {
    name,
    version: () => versionOf("@edge-runtime/vm"),
    async run(context) {
      const cwd = await createProject(name, context.tarball);
      await bundle(cwd, "edge.js", "dist/edge.js", {
        conditions: ["edge-light"],
        format: "iife",
        plugins: [wasmFromHost],
      });
      const { EdgeVM } = await tool("@edge-runtime/vm");
      const wasm = await readFile(join(cwd, "node_modules/comet-tasks/dist/comet_tasks.wasm"));
      const module = new WebAssembly.Module(new Uint8Array(wasm));
      const vm = new EdgeVM({
        extend: (/** @type {object} */ scope) => Object.assign(scope, { wasm: module }),
      });
      vm.evaluate(await readFile(join(cwd, "dist/edge.js"), "utf8"));
      await againstSandbox(context, (service) => vm.evaluate(`run(${JSON.stringify(service)})`));
    },
  };
}

/** The host compiles `x.wasm?module` and hands it over. @type {import("esbuild").Plugin} */
const wasmFromHost = {
  name: "wasm-from-host",
  setup(build) {
    build.onResolve({ filter: /\.wasm\?module$/ }, ({ path }) => ({ path, namespace: "host" }));
    build.onLoad({ filter: /.*/, namespace: "host" }, () => ({ contents: "export default globalThis.wasm" }));
  },
};

/**
 * @param {string} cwd
 * @param {string} entry
 * @param {string} outfile
 * @param {import("esbuild").BuildOptions} [options]
 */
export async function bundle(cwd, entry, outfile, options) {
  const { build } = await tool("esbuild");
  const common = { bundle: true, tsconfigRaw: "{}", logLevel: "error", target: "es2022" };
  await build({ ...common, absWorkingDir: cwd, entryPoints: [entry], outfile, ...options });
}

/** A test runner that imports the package. @param {"jest" | "vitest"} runner @returns {Line} */
export function testRunnerLine(runner) {
  const name = runner === "jest" ? "Jest" : "Vitest";
  const test = `
    test("smoke", async () => {
      expect(await smoke(api, process.env.SERVICE)).toEqual([]);
    }, 60_000);`;
  /** @type {Record<string, string | object>} */
  const files = {
    // Jest's modules are CommonJS unless Node is told otherwise.
    jest: {
      "package.json": { private: true },
      "jest.config.cjs": "module.exports = { testEnvironment: 'node' };",
      "smoke.test.cjs": `const api = require("comet-tasks"); const { smoke } = require("./smoke.cjs");${test}`,
    },
    vitest: {
      "vitest.config.js": "export default {};",
      "smoke.test.js": `import { expect, test } from "vitest"; import * as api from "comet-tasks";
        import { smoke } from "./smoke.js";${test}`,
    },
  }[runner];
  return {
    name,
    version: () => versionOf(runner),
    async run(context) {
      const cwd = await createProject(name, context.tarball, files);
      if (runner === "jest") await bundle(cwd, "smoke.js", "smoke.cjs", { format: "cjs", platform: "node" });
      const args = { jest: ["--testMatch", "**/smoke.test.cjs", "--rootDir", cwd], vitest: ["run"] }[runner];
      await againstSandbox(context, async (service) => {
        const env = { SERVICE: service };
        await execute(process.execPath, [await binary(runner), ...args], { cwd, env });
        return [];
      });
    },
  };
}
