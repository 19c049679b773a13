// `npm run mutants [guard …]`: takes away what stands against the attacks on the gateway, one guard at a time, and demands that
// each attack on it is seen. tests/js/workerd/attacks/guards.mjs says what is taken away.
import { copyFile, cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { build, gatherSources } from "./build.mjs";
import { bundleInto } from "./bundle.mjs";
import { install, remove } from "./install.mjs";
import { bindgen, cargo } from "./setup.mjs";
import { Stop, capture, main, root, run } from "./shell.mjs";

const tests = "tests/js/workerd/gateway-attacks.test.mjs";
const scratch = join(root, ".tools/mutants");
const crate = join(scratch, "crate");
const sources = join(scratch, "sources");
const target = "wasm32-unknown-unknown";

/** @typedef {import("../tests/js/workerd/attacks/guards.mjs").Edit} Edit */

await main(import.meta, () => mutants(process.argv.slice(2)));

/** @param {string[]} [wanted] all, when none is named */
export async function mutants(wanted = []) {
  await build();
  const folder = await install();
  try {
    const { guards } = await import("../tests/js/workerd/attacks/guards.mjs");
    const chosen = guards.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
    const survivors = [];
    for (const guard of chosen) survivors.push(...(await withoutGuard(guard, folder)));
    console.log(`${chosen.length} guards taken away, ${survivors.length} attacks not seen`);
    if (survivors.length > 0) throw new Stop(`Not seen:\n${survivors.join("\n")}`);
  } finally {
    remove(folder);
  }
}

/**
 * Returns the attacks that were not seen.
 * @param {{ name: string, edits: Edit[] }} guard
 * @param {string} folder in which the package is installed
 */
async function withoutGuard({ name, edits }, folder) {
  await gatherSources(sources);
  const [ours, theirs] = [edits.filter(isRust), edits.filter((edit) => !isRust(edit))];
  if (ours.length > 0) await buildMutant(ours);
  for (const edit of theirs) await apply(edit, join(sources, edit.file.replace("pkg/src/", "")));
  await bundleInto(sources, join(folder, "node_modules/comet-tasks/dist"));
  const env = { ...process.env, COMET_TASKS_INSTALLED: folder };
  const pattern = `\\[${name}\\]$`;
  const { output } = await capture(
    process.execPath,
    ["--test", "--test-reporter=tap", `--test-name-pattern=${pattern}`, tests],
    { env },
  );
  const seen = [...output.matchAll(/^(not )?ok \d+ - (.*)$/gm)].filter(([, , title]) =>
    title?.endsWith(`[${name}]`),
  );
  const survivors = seen.filter(([, not]) => !not).map(([, , title]) => `${title}`);
  console.log(`${name}: ${seen.length - survivors.length} of ${seen.length} attacks seen`);
  return seen.length === 0 ? [`${name}: no attack ran\n${output.slice(-2000)}`] : survivors;
}

/** @param {Edit} edit */
function isRust({ file }) {
  return file.endsWith(".rs");
}

/** The edge module without a guard; not optimised, since nobody waits for it. @param {Edit[]} edits */
async function buildMutant(edits) {
  await mkdir(crate, { recursive: true });
  await rm(join(crate, "src"), { recursive: true, force: true });
  for (const name of ["src", "examples", "Cargo.toml", "Cargo.lock", "README.md", "rust-toolchain.toml"]) {
    await cp(join(root, name), join(crate, name), { recursive: true }).catch(() => {});
  }
  for (const edit of edits) await apply(edit, join(crate, edit.file));
  const { RUSTFLAGS, ...inherited } = process.env;
  const env = { ...inherited, CARGO_TARGET_DIR: join(scratch, "target"), CARGO_PROFILE_DEV_DEBUG: "0" };
  const args = ["build", "--quiet", "--lib", "--locked", "--target", target];
  const only = ["--no-default-features", "--features", "edge"];
  await cargo([...args, ...only, "--manifest-path", join(crate, "Cargo.toml")], { env });
  const made = join(scratch, "bindgen");
  await run(bindgen, [join(scratch, "target", target, "debug/comet_tasks.wasm"), made]);
  const glue = await readFile(join(made, "comet_tasks.js"), "utf8");
  const head = "export function createGlue({ WebAssembly, queueMicrotask, setTimeout, clearTimeout }) {";
  await writeFile(
    join(sources, "edge/glue.js"),
    `${head}\nconst document = undefined;\n${glue}\nreturn wasm_bindgen;\n}\n`,
  );
  await copyFile(join(made, "comet_tasks_bg.wasm"), join(sources, "comet_tasks_edge.wasm"));
}

/** @param {Edit} edit @param {string} path */
async function apply({ from, to }, path) {
  const text = await readFile(path, "utf8");
  if (text.split(from).length !== 2) throw new Stop(`${dirname(path)}: not there once: ${from}`);
  await writeFile(
    path,
    text.replace(from, () => to),
  );
}
