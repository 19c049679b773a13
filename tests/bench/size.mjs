// What a page downloads: the client in a bundle of its own, in brotli. Informational: `npm run size` has the budget.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";
import { folder } from "./setup.mjs";
import { figure, told } from "./table.mjs";

/** @returns {Promise<import("./table.mjs").Section>} */
export async function size() {
  const installed = process.env.COMET_TASKS_INSTALLED ?? "";
  const { resolve } = createRequire(join(installed, "bench.js"));
  const wasm = brotli(await readFile(resolve("comet-tasks/comet_tasks.wasm")));
  const slim = await bundled('export * from "comet-tasks/slim"', installed);
  const fal = await bundled('export { createFalClient } from "@fal-ai/client"', folder);
  const text = `${figure((slim + wasm) / fal)}× (${slim + wasm} B, ${fal} B)`;
  return {
    title: "Size of a bundle (esbuild, brotli 11)",
    lines: [told("comet-tasks/slim and its wasm, against @fal-ai/client", text)],
  };
}

/** @param {string} contents @param {string} resolveDir */
async function bundled(contents, resolveDir) {
  const esbuild = await import("esbuild");
  const { outputFiles } = await esbuild.build({
    stdin: { contents, resolveDir },
    ...{ bundle: true, minify: true, write: false, format: "esm", target: "es2022" },
    ...{ platform: "browser", legalComments: "none", logLevel: "error" },
  });
  return brotli(outputFiles[0].contents);
}

/** @param {Uint8Array} bytes */
function brotli(bytes) {
  return brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length;
}
