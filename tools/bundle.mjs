// From the source files to the files of dist: few, since each costs whoever imports the package half a millisecond.
import { cp, mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { root } from "./shell.mjs";

/** What several entries share, in one copy each. */
const parts = ["create.js", "gateway/create.js", "wasm-inline.js", "edge/wasm-inline.js"];
/** Files with long texts, which a limit of the line would cut into lines, too. */
const withData = ["wasm-inline.js", "edge/wasm-inline.js", "sandbox.js"];
/** Sources that `create.js` has for all entries but the gateway, which loads no client and has a copy of what it needs. */
const inCreate = ["errors.js", "task.js"];

/**
 * Makes dist of a folder with the sources and the modules: each entry and each part is one file, with all that it alone needs.
 * @param {string} source
 * @param {string} target
 */
export async function bundleInto(source, target) {
  await rm(target, { recursive: true, force: true });
  await mkdir(target, { recursive: true });
  const manifest = JSON.parse(await readFile(join(root, "pkg/package.json"), "utf8"));
  const named = pathsIn([manifest.exports, manifest.bin]).map((path) => path.replace("./dist/", ""));
  const kept = [...new Set([...named.filter((file) => file.endsWith(".js")), ...parts])];
  for (const file of kept) await bundle(source, target, file, kept);
  const asTheyAre = (await readdir(source)).filter((file) => /\.wasm$|\.d\.ts$|\.d\.wasm\.ts$/.test(file));
  for (const file of asTheyAre.filter((file) => !INTERNAL.test(file))) {
    await cp(join(source, file), join(target, file));
  }
  await addCommonJs(source, target);
}

/** Types of what no user imports. */
const INTERNAL = /^(glue|wasm-|comet_tasks_edge\.d)/;

/** @param {string} source @param {string} target @param {string} file @param {string[]} kept */
async function bundle(source, target, file, kept) {
  const { build } = await import("esbuild"); // not before set-up has installed it
  await build({
    ...common,
    ...{ format: "esm", platform: "neutral" },
    absWorkingDir: source,
    entryPoints: [file],
    outfile: join(target, file),
    ...(withData.includes(file) && { lineLimit: 0 }),
    plugins: [apart(source, file, kept)],
  });
}

/** @type {import("esbuild").BuildOptions} */
const common = {
  bundle: true,
  // Names stay, and lines are short enough for a debugger: see DESIGN.md.
  ...{ minifyWhitespace: true, minifySyntax: true, lineLimit: 200 },
  target: "es2022",
  logLevel: "warning",
  legalComments: "none",
  tsconfigRaw: "{}",
};

/**
 * Leaves outside what is a file of dist itself, the modules, and what the host has.
 * @param {string} source
 * @param {string} file that is bundled
 * @param {string[]} kept
 * @returns {import("esbuild").Plugin}
 */
function apart(source, file, kept) {
  return {
    name: "apart",
    setup(build) {
      build.onResolve({ filter: /./ }, ({ path, kind, resolveDir }) => {
        if (kind === "entry-point") return undefined;
        if (!path.startsWith(".")) return { path, external: true };
        const wanted = relative(source, join(resolveDir, path));
        const home = inCreate.includes(wanted) && !file.startsWith("gateway") ? "create.js" : wanted;
        const isApart = home !== file && (kept.includes(home) || /\.wasm(\?module)?$/.test(home));
        if (!isApart) return undefined;
        const from = relative(dirname(file), home);
        return { path: from.startsWith(".") ? from : `./${from}`, external: true, sideEffects: false };
      });
    },
  };
}

/**
 * The default entry for `require`: one file, and its types.
 * @param {string} source
 * @param {string} target
 */
async function addCommonJs(source, target) {
  const { build } = await import("esbuild");
  await build({
    ...common,
    absWorkingDir: source,
    entryPoints: ["require.js"],
    outfile: join(target, "index.cjs"),
    format: "cjs",
    platform: "node", // says which names it exports in the form that Node's own reader finds
    plugins: [apart(source, "index.cjs", ["wasm-inline.js"])],
  });
  // One file of types, which says the same to both: TypeScript wants a name of each kind.
  await rename(join(target, "index.d.ts"), join(target, "index.d.cts"));
  await writeFile(join(target, "index.d.ts"), 'export * from "./index.cjs";\n');
}

/** Every text in it, however deep. @param {any} value @returns {string[]} */
function pathsIn(value) {
  return typeof value === "string" ? [value] : Object.values(value).flatMap(pathsIn);
}
