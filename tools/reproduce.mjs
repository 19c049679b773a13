// `npm run reproduce`: builds the package a second time, from the same files in another folder, and compares every byte.
import { cp, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { build } from "./build.mjs";
import { pack, sha256 } from "./pack.mjs";
import { Stop, capture, main, root, run, step } from "./shell.mjs";

await main(import.meta, reproduce);

/** Fails when the two tarballs differ. */
export async function reproduce() {
  await build();
  const first = await sumOf(root); // now: the files may be edited during the second build
  const folder = await mkdtemp(join(tmpdir(), "comet-tasks-again-"));
  try {
    await copySources(folder);
    await step("the same build in another folder, from nothing (a minute or two)", () =>
      run(process.execPath, ["tools/build.mjs"], { cwd: folder, quiet: true }),
    );
    const second = await sumOf(folder);
    for (const sum of [first, second]) console.log(`${sum}  comet-tasks.tgz`);
    if (first !== second) throw new Stop(`The two builds differ: ${(await differences(folder)).join(", ")}.`);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** What git knows of, as it is now, and the tools that the set-up has built. @param {string} folder */
async function copySources(folder) {
  const { stdout } = await capture("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
  for (const file of stdout.split("\0").filter(Boolean)) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await cp(join(root, file), join(folder, file));
  }
  await cp(join(root, ".tools/bin"), join(folder, ".tools/bin"), { recursive: true });
}

/** @param {string} repository */
async function sumOf(repository) {
  const { tarball, remove } = await pack(repository);
  try {
    return sha256(await readFile(tarball));
  } finally {
    await remove();
  }
}

/** @param {string} folder */
async function differences(folder) {
  const args = ["-rq", join(root, "pkg"), join(folder, "pkg")];
  return (await capture("diff", args)).stdout.trim().split("\n");
}
