// `node tools/release-notes.mjs`: what a release says: its part of CHANGELOG.md, and the checksums of what is published.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "./build.mjs";
import { pack, sha256 } from "./pack.mjs";
import { Stop, main, root } from "./shell.mjs";

const WASM = ["comet_tasks.wasm", "comet_tasks_edge.wasm"];

await main(import.meta, async () => {
  await build();
  console.log(await releaseNotes());
});

/** Markdown; fails when the changelog has nothing to say of this version. */
export async function releaseNotes() {
  const { version } = JSON.parse(await readFile(join(root, "pkg/package.json"), "utf8"));
  const changelog = await readFile(join(root, "CHANGELOG.md"), "utf8");
  const parts = changelog.split(/^## /m).slice(1);
  const part = parts.find((text) => text.startsWith(version));
  if (!part) throw new Stop(`CHANGELOG.md has no part for ${version}.`);
  const changes = part.slice(part.indexOf("\n")).trim();
  return `${changes}\n\n## Checksums\n\n\`\`\`\n${(await checksums(version)).join("\n")}\n\`\`\``;
}

/** In the form that `sha256sum --check` reads. @param {string} version */
async function checksums(version) {
  const { tarball, remove } = await pack();
  const files = [
    [tarball, `comet-tasks-${version}.tgz`],
    ...WASM.map((name) => [join(root, "pkg/dist", name), name]),
  ];
  const lines = files.map(async ([file, name]) => `${sha256(await readFile(file))}  ${name}`);
  return Promise.all(lines).finally(remove);
}
