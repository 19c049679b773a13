// `npm run build`: from the crate and pkg/src to pkg/dist, the files that the npm package ships.
//
// wasm-pack is not used: it writes its own package.json, knows one target at a time and no exports map.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, cp, mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, dirname, join, relative } from "node:path";
import { bundleInto } from "./bundle.mjs";
import { wrapGlue } from "./glue.mjs";
import { lettersOf } from "./inline.mjs";
import { withLock } from "./lock.mjs";
import { bindgen, bindgenVersion, cargo, setup, toolOutput } from "./setup.mjs";
import { capture, main, root, run, step, Stop } from "./shell.mjs";

const target = "wasm32-unknown-unknown";
const dist = join(root, "pkg/dist");
/** The modules, the glue that goes with each, and their inline forms, as they go into the package. */
export const wasmFolder = join(root, ".tools/wasm");
const distStamp = join(root, ".tools/dist.stamp");
/** `COMET_STABLE_STD=1 npm run build`: the standard library as rustup ships it; 17.5 KB more in brotli. */
const stableStd = process.env.COMET_STABLE_STD === "1";
/**
 * The standard library is compiled anew, for size, and a panic is a bare trap: its message would bring all of formatting
 * with it. Cargo calls these flags unstable; the pinned toolchain takes them under RUSTC_BOOTSTRAP=1.
 */
const smallStd = {
  cargo: ["-Zbuild-std=std,panic_abort", "-Zbuild-std-features=optimize_for_size", "-Zjson-target-spec"],
  rustc: ["-Zunstable-options", "-Cpanic=immediate-abort", "-Zlocation-detail=none", "-Zfmt-debug=none"],
};
const copied = ["README.md", "LICENSE-MIT", "LICENSE-APACHE"];

/**
 * The wasm modules, all of the one crate. `files` is where each one's module, glue and inline form are in dist.
 * @typedef {{ features: string, files: { wasm: string, glue: string, inline: string } }} Module
 * @type {Module[]}
 */
const modules = [
  { features: "npm,client", files: { wasm: "comet_tasks.wasm", glue: "glue.js", inline: "wasm-inline.js" } },
  {
    features: "npm,edge",
    files: { wasm: "comet_tasks_edge.wasm", glue: "edge/glue.js", inline: "edge/wasm-inline.js" },
  },
];

await main(import.meta, () => (process.argv[2] === "--check" ? check() : build()));

/** Brings pkg/dist up to date; returns at once when it is. */
export async function build() {
  await setup({ for: "build" });
  await withLock("build", async () => {
    if (await isBuilt()) return;
    // Taken first: a file that is edited during the build must make the next one build again.
    const sources = await distSources();
    await buildWasm();
    await assemble();
    await writeFile(distStamp, `${sources} ${await hash("pkg/dist")}`);
  });
}

/** Refuses to pack what the present sources did not make: npm runs this before it packs. */
async function check() {
  if (await isBuilt()) return;
  throw new Stop("pkg/dist is missing or older than its sources; run `npm run build` in the root first.");
}

async function isBuilt() {
  const stamp = await readFile(distStamp, "utf8").catch(() => "");
  return stamp === `${await distSources()} ${await hash("pkg/dist")}`;
}

async function distSources() {
  return `${await wasmSources()} ${await hash("pkg/src", "pkg/package.json", "tools/bundle.mjs", ...copied)}`;
}

async function wasmSources() {
  const code = await hash("src", "Cargo.toml", "Cargo.lock", "rust-toolchain.toml", ".cargo");
  const std = stableStd ? "stable std" : "own std";
  return `${std} ${code} ${await hash("tools/build.mjs", "tools/glue.mjs", "tools/inline.mjs", "tools/bindgen/main.rs", "package-lock.json")}`;
}

/** The modules with their glue and inline form, in a folder of their own: a change of JavaScript leaves them. */
async function buildWasm() {
  const stamp = join(wasmFolder, "stamp");
  const wanted = await wasmSources();
  if ((await readFile(stamp, "utf8").catch(() => "")) === wanted) return;
  await rm(wasmFolder, { recursive: true, force: true });
  for (const module of modules) await buildModule(module);
  await writeFile(stamp, wanted);
}

/** @param {Module} module */
async function buildModule({ features, files }) {
  for (const file of Object.values(files)) await mkdir(dirname(join(wasmFolder, file)), { recursive: true });
  const compiled = await compile(features);
  const scratch = join(wasmFolder, "bindgen");
  await step("wasm-bindgen", () => run(bindgen, [compiled, scratch]));
  const wasm = join(wasmFolder, files.wasm);
  const names = await step("wasm-opt -Oz", () => optimize(join(scratch, "comet_tasks_bg.wasm"), wasm));
  const glue = await readFile(join(scratch, "comet_tasks.js"), "utf8");
  await writeFile(join(wasmFolder, files.glue), await wrapGlue(glue, names));
  const letters = JSON.stringify(lettersOf(await readFile(wasm)));
  await writeFile(join(wasmFolder, files.inline), `export default ${letters};\n`);
  await rm(scratch, { recursive: true });
}

/** Compiles the crate; returns the module's path, which the next one will have, too. @param {string} features */
async function compile(features) {
  const { directory, flags } = await cargoFacts();
  const { RUSTFLAGS, ...inherited } = process.env; // a stranger's flags would end in the package
  const env = { ...inherited, CARGO_ENCODED_RUSTFLAGS: flags.join("\x1f") };
  const wanted = stableStd ? target : await smallTarget();
  const args = [
    "build",
    "--release",
    "--locked",
    "--lib",
    "--no-default-features",
    "--features",
    features,
    "--target",
    wanted,
  ];
  await step(`cargo build --release --target ${target} --features ${features}`, () =>
    cargo([...args, ...(stableStd ? [] : smallStd.cargo)], {
      env: stableStd ? env : { ...env, RUSTC_BOOTSTRAP: "1" },
    }),
  );
  const compiled = join(directory, basename(wanted, ".json"), "release/comet_tasks.wasm");
  // The linker only warns when two sides of a call disagree on its signature, and puts a trap in its place.
  const [mismatch] = /signature_mismatch:\w+/.exec(await readFile(compiled, "latin1")) ?? [];
  if (mismatch) throw new Stop(`The module holds a call that cannot work: ${mismatch}.`);
  return compiled;
}

/**
 * The target as the compiler describes it, but that functions return two values on the stack, as every engine since 2020
 * can: a text is two, an address and a length, and through memory each costs some ten bytes more at every call.
 */
async function smallTarget() {
  const args = ["-Zunstable-options", "--print", "target-spec-json", "--target", target];
  const spec = await toolOutput("rustc", args, { env: { ...process.env, RUSTC_BOOTSTRAP: "1" } });
  const file = join(root, ".tools/wasm32-multivalue.json");
  const changed = { ...JSON.parse(spec), "llvm-abiname": "experimental-mv", features: "+multivalue" };
  await writeFile(file, JSON.stringify(changed));
  return file;
}

/** Where cargo builds, and the flags that keep this machine's paths out of the module and its memory small. */
async function cargoFacts() {
  const { packages, target_directory: directory } = JSON.parse(
    await toolOutput("cargo", ["metadata", "--format-version=1"]),
  );
  const manifests = packages.map(
    (/** @type {{ manifest_path: string }} */ { manifest_path }) => manifest_path,
  );
  const folders = new Set(manifests.map((/** @type {string} */ manifest) => dirname(dirname(manifest))));
  const flags = [homedir(), ...folders].map((folder) => `--remap-path-prefix=${folder}=`);
  // 128 KiB are plenty for code whose one recursion is 64 deep; the default is 1 MiB of memory for every client.
  flags.push("-Clink-arg=-zstack-size=131072");
  // Loops count as they are written: counters that spare an addition cost bytes.
  flags.push("-Cllvm-args=-disable-lsr");
  return { directory, flags: stableStd ? flags : [...flags, ...smallStd.rustc] };
}

/**
 * No feature flags: wasm-opt reads the module's own target_features. `--all-features` makes what engines refuse.
 * Returns the short names that it gave to imports and exports, of which wasm-bindgen's are 40 letters long and half hashes.
 * @param {string} module
 * @param {string} result
 */
async function optimize(module, result) {
  const program = join(root, "node_modules/binaryen/bin/wasm-opt");
  const passes = [
    // Functions with one caller stay apart unless they are tiny: more bytes, but 1.4 KB less in brotli.
    ...["-Oz", "--one-caller-inline-max-function-size=30", "--always-inline-max-function-size=6"],
    // Nothing lies in the first KiB but the last of the stack, so that an address and an offset cannot wrap around.
    "--low-memory-unused",
    // Both save bytes that brotli saves better; a second run finds what the first has made possible.
    ...["--skip-pass=local-cse", "--skip-pass=memory-packing", "-Oz"],
    // Hints that no engine needs, and that make equal instructions differ.
    "--dealign",
    // What is of one kind stands together, and brotli finds it sooner.
    "--reorder-functions-by-name",
    ...["--minify-imports-and-exports-and-modules", "--strip-target-features"],
  ];
  const { code, stdout, output } = await capture(process.execPath, [
    program,
    ...passes,
    module,
    "-o",
    result,
  ]);
  if (code !== 0) throw new Stop(`wasm-opt failed:\n${output}`);
  const compiled = new Uint8Array(await readFile(result));
  if (!WebAssembly.validate(compiled)) throw new Stop("wasm-opt made a module that is not valid.");
  return shortNames(JSON.parse(stdout), compiled);
}

/**
 * @param {{ imports: [string, string, string][], exports: [string, string][] }} map what wasm-opt printed
 * @param {Uint8Array<ArrayBuffer>} compiled
 * @returns {Record<string, string>}
 */
function shortNames({ imports, exports }, compiled) {
  const [{ module }] = WebAssembly.Module.imports(new WebAssembly.Module(compiled));
  const names = [...imports.map(([, long, short]) => [long, short]), ...exports, [imports[0][0], module]];
  return Object.fromEntries(names);
}

/** Puts pkg/dist together beside the old one and swaps them, so that nobody sees half of it. */
async function assemble() {
  const fresh = join(root, ".tools/dist");
  const old = join(root, ".tools/dist.old");
  const sources = join(root, ".tools/sources");
  await gatherSources(sources);
  await bundleInto(sources, fresh);
  if (existsSync(dist)) await rename(dist, old);
  await rename(fresh, dist);
  await rm(old, { recursive: true, force: true });
  for (const name of copied.filter((name) => existsSync(join(root, name)))) {
    await copyFile(join(root, name), join(root, "pkg", name));
  }
}

/** The sources and what was generated beside them. @param {string} folder is emptied first */
export async function gatherSources(folder) {
  await rm(folder, { recursive: true, force: true });
  await cp(join(root, "pkg/src"), folder, { recursive: true });
  for (const file of modules.flatMap(({ files }) => Object.values(files))) {
    await copyFile(join(wasmFolder, file), join(folder, file));
  }
}

/** @param {...string} paths files and folders in the root; what does not exist counts as nothing */
async function hash(...paths) {
  const sum = createHash("sha256").update(await bindgenVersion());
  for (const file of (await Promise.all(paths.map((path) => list(join(root, path))))).flat()) {
    sum.update(`${relative(root, file)}\n`).update(await readFile(file));
  }
  return sum.digest("hex");
}

/** @param {string} path @returns {Promise<string[]>} */
async function list(path) {
  if (!existsSync(path)) return [];
  const entries = await readdir(path, { withFileTypes: true }).catch(() => undefined);
  if (!entries) return [path];
  const names = entries.map((entry) => entry.name).sort();
  return (await Promise.all(names.map((name) => list(join(path, name))))).flat();
}
