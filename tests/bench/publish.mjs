// The README's table, made of the sections that were run.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Stop, root } from "../../tools/shell.mjs";
import { markdown } from "./table.mjs";

/** @param {Record<string, import("./table.mjs").Section>} sections by name */
export async function publish(sections) {
  const file = join(root, "README.md");
  let readme = await readFile(file, "utf8");
  const date = new Date().toISOString().slice(0, 10);
  for (const [name, section] of Object.entries(sections)) {
    const between = new RegExp(`(<!-- bench:${name} -->\n)[\\s\\S]*?(\n<!-- /bench:${name} -->)`);
    if (!between.test(readme))
      throw new Stop(`README.md has no <!-- bench:${name} --> to put the table into.`);
    const title = `${section.title}. Node ${process.versions.node}, ${date}.`;
    const table = markdown([{ ...section, title }]);
    readme = readme.replace(between, (_, start, end) => `${start}\n${table}\n${end}`);
  }
  await writeFile(file, readme);
}
