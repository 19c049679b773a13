// The tarball that npm would publish.
import { createHash } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root, run } from "./shell.mjs";

/** Packs pkg/ into a folder that `remove` removes. @param {string} [repository] */
export async function pack(repository = root) {
  const folder = await mkdtemp(join(tmpdir(), "comet-tasks-pack-"));
  await run("npm", ["pack", "./pkg", "--pack-destination", folder], { cwd: repository, quiet: true });
  const [name] = await readdir(folder);
  return { tarball: join(folder, name), remove: () => rm(folder, { recursive: true }) };
}

/** @param {Uint8Array} bytes */
export function sha256(bytes) {
  return createHash("sha256").update(bytes).digest("hex");
}
