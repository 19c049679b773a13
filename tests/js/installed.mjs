// The package as users get it: the packed tarball, installed in a folder outside of the repository, where nothing of the
// repository's own node_modules can be resolved by accident.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { install, remove } from "../../tools/install.mjs";

/**
 * The folder whose node_modules holds comet-tasks. `npm test` installs one for all test files; a test file that is run
 * alone installs its own, from the present pkg/dist.
 */
export const folder = process.env.COMET_TASKS_INSTALLED || (await installForThisProcess());

/**
 * Imports an entry of the installed package, through its exports map.
 * @template {"comet-tasks" | "comet-tasks/sandbox"} Entry
 * @param {Entry} entry
 * @returns {Promise<Entry extends "comet-tasks" ? typeof import("comet-tasks") : typeof import("comet-tasks/sandbox")>}
 */
export function importInstalled(entry) {
  return import(resolve(entry));
}

// Written as `import` has it: `require` gives the default entry's other form.
const resolver = join(folder, "resolve.mjs");
await writeFile(resolver, "export default (entry) => import.meta.resolve(entry);\n");
const { default: resolve } = await import(pathToFileURL(resolver).href);

async function installForThisProcess() {
  const installed = await install();
  process.once("exit", () => remove(installed));
  return installed;
}
