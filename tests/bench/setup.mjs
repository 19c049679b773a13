// What the bench needs beyond the repository's own set-up: the peers, as their published packages, and ours, packed and
// installed.
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "../../tools/build.mjs";
import { install } from "../../tools/install.mjs";
import { withLock } from "../../tools/lock.mjs";
import { root, run, step } from "../../tools/shell.mjs";

export const folder = join(root, "tests/bench");

/** Builds and installs what is missing; returns the folder in which comet-tasks is installed. */
export async function setup() {
  await build();
  await withLock("bench", installPeers);
  return install();
}

async function installPeers() {
  const lock = await readFile(join(folder, "package-lock.json"));
  const wanted = createHash("sha256").update(lock).digest("hex");
  const stamp = join(folder, "node_modules/.installed-lockfile");
  if ((await readFile(stamp, "utf8").catch(() => "")) === wanted) return;
  await step("npm ci in tests/bench: the peers to measure against", () =>
    run("npm", ["ci", "--include=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], {
      cwd: folder,
    }),
  );
  await writeFile(stamp, wanted);
}
