import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { folder } from "../installed.mjs";

/** A Worker with a client, or a workflow. @param {string} file */
export const clientModules = (file) => workerModules(file, "comet_tasks.wasm");
/** A Worker with a gateway. @param {string} file */
export const gatewayModules = (file) => workerModules(file, "comet_tasks_edge.wasm");

/**
 * A Worker as a user's bundler makes it, from the installed package: the wasm stays a module of its own.
 * @param {string} file beside this one, a path, or a URL
 * @param {string} wasm what it imports
 */
async function workerModules(file, wasm) {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(file, import.meta.url))],
    nodePaths: [join(folder, "node_modules")],
    conditions: ["workerd"],
    tsconfigRaw: {},
    bundle: true,
    format: "esm",
    write: false,
    external: ["*.wasm", "cloudflare:*"],
    logLevel: "error",
  });
  const contents = await readFile(join(folder, "node_modules/comet-tasks/dist", wasm));
  return [
    { type: /** @type {const} */ ("ESModule"), path: "worker.mjs", contents: outputFiles[0]?.text ?? "" },
    { type: /** @type {const} */ ("CompiledWasm"), path: wasm, contents },
  ];
}
