// `npm run bench`: comet-tasks beside the clients that people use, as ratios in one run. `npm run bench -- cpu memory` runs
// these sections alone, `--write` puts what was run into the README. Exits non-zero when a target is missed.
import { remove } from "../../tools/install.mjs";
import { Stop, main, step } from "../../tools/shell.mjs";
import { publish } from "./publish.mjs";
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
  page: async () => (await import("./page.mjs")).page(),
  memory: async () => (await import("./costs.mjs")).memory(),
  size: async () => (await import("./size.mjs")).size(),
  gateway: async () => (await import("./gateway.mjs")).gateway(),
};

await main(import.meta, bench);

async function bench() {
  const names = process.argv.slice(2).filter((argument) => argument !== "--write");
  const unknown = names.find((name) => !(name in sections));
  if (unknown) throw new Stop(`No section ${unknown}; there are ${Object.keys(sections).join(", ")}.`);
  const installed = await setup();
  process.env.COMET_TASKS_INSTALLED = installed;
  /** @type {Record<string, Section>} */
  const done = {};
  try {
    for (const name of names.length > 0 ? names : Object.keys(sections)) {
      done[name] = await step(name, sections[name]);
    }
  } finally {
    remove(installed);
  }
  print(Object.values(done));
  if (process.argv.includes("--write")) await publish(done);
  const failed = missed(Object.values(done));
  if (failed.length > 0) throw new Stop(`Missed: ${failed.length} of the targets above.`);
}
