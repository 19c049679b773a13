// Makes the demo from www/ and the packed package: a folder `public` (the page) and a folder `worker` (the Worker).
//
// Page and Worker say `import … from "comet-tasks"`, as a user's would, and esbuild resolves that through the exports map of the
// tarball that users get, installed in www/node_modules. An import map could do it in the page, but only as an inline script, which
// the page's content security policy refuses; and one bundled file loads faster than a dozen.
import { cp, mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import * as esbuild from "esbuild";
import { build } from "./build.mjs";
import { withLock } from "./lock.mjs";
import { main, root, run } from "./shell.mjs";

const www = join(root, "www");

/** @type {import("esbuild").BuildOptions} */
const common = {
  bundle: true,
  format: "esm",
  // The repository's own tsconfig.json points "comet-tasks" at pkg/src for the type checker; the demo takes the packed one.
  tsconfigRaw: "{}",
  logLevel: "warning",
};

// `wrangler` runs this file before it serves or deploys www/.
await main(import.meta, () => buildSite(join(www, "dist")));

/**
 * Brings the package up to date, packs it, and bundles the demo with it.
 * @param {string} folder is emptied first
 */
export async function buildSite(folder) {
  await build();
  await withLock("site", async () => {
    await installPackage();
    await bundle(folder);
  });
}

async function installPackage() {
  const folder = await mkdtemp(join(root, ".tools/pack-"));
  const modules = join(www, "node_modules");
  try {
    await run("npm", ["pack", "./pkg", "--pack-destination", folder], { quiet: true });
    const [tarball] = await readdir(folder);
    await run("tar", ["-xzf", join(folder, tarball), "-C", folder]);
    await mkdir(modules, { recursive: true });
    await rm(join(modules, "comet-tasks"), { recursive: true, force: true });
    await rename(join(folder, "package"), join(modules, "comet-tasks"));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Bundles the demo with whatever `comet-tasks` is in www/node_modules. @param {string} folder */
export async function bundle(folder) {
  const source = join(www, "public");
  const publicFolder = join(folder, "public");
  await rm(folder, { recursive: true, force: true });
  await mkdir(publicFolder, { recursive: true });
  for (const file of ["index.html", "icon.svg"]) await cp(join(source, file), join(publicFolder, file));
  const wasm = "comet_tasks.wasm"; // a file of its own: it is compiled while it arrives
  await cp(join(www, "node_modules/comet-tasks/dist", wasm), join(publicFolder, wasm));
  await esbuild.build({
    entryPoints: ["app.js", "style.css"].map((file) => join(source, file)),
    outdir: publicFolder,
    ...common,
    target: ["es2022", "safari16.4"],
    minify: true,
    sourcemap: true,
  });
  await esbuild.build({
    entryPoints: [join(www, "worker.js")],
    outfile: join(folder, "worker/worker.js"),
    ...common,
    target: "es2022",
    conditions: ["workerd", "worker"],
    // A module that is imported as a file stays one: workerd compiles it before the first request.
    loader: { ".wasm": "copy" },
  });
}
