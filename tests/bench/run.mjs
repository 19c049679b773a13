// `npm run bench`: comet-tasks beside the clients that people use, as ratios in one run. `npm run bench -- cpu memory` runs
// these sections alone. Exits non-zero when a target is missed.
import { remove } from "../../tools/install.mjs";
import { Stop, main, step } from "../../tools/shell.mjs";
import { setup } from "./setup.mjs";
import { missed, print } from "./table.mjs";

/** @typedef {import("./table.mjs").Section} Section */

/** Imported when they run: what they measure is installed by then. @type {Record<string, () => Promise<Section>>} */
const sections = {
  schedule: async () => (await import("./schedule.mjs")).schedule(),
  many: async () => (await import("./many.mjs")).many(),
  robust: async () => (await import("./robust.mjs")).robust(),
  cpu: async () => (await import("./costs.mjs")).cpu(),
  ready: async () => (await import("./costs.mjs")).ready(),
  memory: async () => (await import("./costs.mjs")).memory(),
};

await main(import.meta, bench);

async function bench() {
  const names = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
  const unknown = names.find((name) => !(name in sections));
  if (unknown) throw new Stop(`No section ${unknown}; there are ${Object.keys(sections).join(", ")}.`);
  const installed = await setup();
  process.env.COMET_TASKS_INSTALLED = installed;
  const done = [];
  try {
    for (const name of names.length > 0 ? names : Object.keys(sections)) {
      done.push(await step(name, sections[name]));
    }
  } finally {
    remove(installed);
  }
  print(done);
  const failed = missed(done);
  if (failed.length > 0) throw new Stop(`Missed: ${failed.length} of the targets above.`);
}
