// The lines that the package must pass. One that does not makes the command fail, unless `excuse` says here why it does
// not, and where the cause is reported.
import { attwLine, publintLine, tscLine } from "./checks.mjs";
import { gatewayLine } from "./gateway.mjs";
import { nextLines } from "./next.mjs";
import {
  browserLine,
  esbuildLine,
  parcelLine,
  plainLine,
  rollupLine,
  rspackLine,
  viteBuildLine,
  viteDevLine,
  webpackLine,
} from "./pages.mjs";
import {
  bunLine,
  denoLine,
  edgeLine,
  nodeLine,
  readmeLine,
  testRunnerLine,
  thisNodeLine,
  workerdLine,
  workflowLine,
  wranglerLine,
} from "./runtimes.mjs";
import { serverLines } from "./servers.mjs";

/**
 * @typedef {{ tarball: string, createSandbox: typeof import("comet-tasks/sandbox").createSandbox }} Context
 * @typedef {{
 *   name: string,
 *   version: () => Promise<string>,
 *   run: (context: Context) => Promise<void>,
 *   excuse?: { reason: string, issue: string },
 * }} Line
 */

/** @type {import("./engines.mjs").Engine[]} */
const engines = ["Chromium", "Firefox", "WebKitGTK"];
const contexts = /** @type {const} */ ([
  "page",
  "dedicated worker",
  "service worker",
  "strict CSP",
  "CSP without wasm: the error",
]);
const ways = /** @type {const} */ (["import", "require"]);
const nodes = /** @type {const} */ (["node20", "node22", "node24"]);
const compilers = /** @type {const} */ (["typescript59", "typescript6", "typescript7"]);
const resolutions = /** @type {const} */ (["node16", "nodenext", "bundler"]);

/** @type {Line[]} */
export const lines = [
  ...nodes.flatMap((node) => [nodeLine(node, "import"), nodeLine(node, "require")]),
  denoLine(),
  bunLine(),
  gatewayLine("Deno"),
  gatewayLine("Bun"),
  wranglerLine(),
  workflowLine(),
  readmeLine(),
  edgeLine(),
  ...engines.flatMap((engine) => [
    ...contexts.map((context) => browserLine(engine, context)),
    plainLine(engine),
  ]),
  viteBuildLine("page.js"),
  viteDevLine(),
  viteBuildLine("slim.js"),
  ...ways.flatMap((way) => [webpackLine(way), rspackLine(way), esbuildLine(way), parcelLine(way)]),
  rollupLine(),
  ...serverLines,
  ...nextLines("Turbopack"),
  ...nextLines("webpack"),
  testRunnerLine("jest"),
  testRunnerLine("vitest"),
  attwLine(),
  publintLine(),
  ...compilers.flatMap((compiler) => resolutions.map((resolution) => tscLine(compiler, resolution))),
];

/** Those that `npm test` runs, with the repository's own tools: one of each family. */
export const smokeLines = [
  thisNodeLine(),
  workerdLine(),
  browserLine("Chromium", "page"),
  viteBuildLine("page.js"),
];
