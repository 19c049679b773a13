// Packs pkg/ and installs the tarball in a folder of its own.
import { rmSync } from "node:fs";
import { mkdtemp, readdir, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "./shell.mjs";

/** Returns a temporary folder with comet-tasks in its node_modules; the caller removes it. */
export async function install() {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "comet-tasks-")));
  await run("npm", ["pack", "./pkg", "--pack-destination", folder], { quiet: true });
  const [tarball] = (await readdir(folder)).filter((name) => name.endsWith(".tgz"));
  await writeFile(join(folder, "package.json"), '{ "private": true, "type": "module" }\n');
  await run("npm", ["install", "--no-save", "--offline", "--no-audit", "--no-fund", `./${tarball}`], {
    cwd: folder,
    quiet: true,
  });
  await rm(join(folder, tarball));
  return folder;
}

/**
 * Removes it at once, so that it can be the last thing a process does.
 * @param {string} folder what `install` returned
 */
export function remove(folder) {
  rmSync(folder, { recursive: true, force: true });
}
