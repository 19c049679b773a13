// `npm run matrix`: the packed package in every runtime, browser, bundler and compiler of tests/matrix/lines.mjs.
//
// `npm run matrix -- Vite Deno` runs the lines with these words in their names, and leaves the README as it is.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "./build.mjs";
import { pack } from "./pack.mjs";
import { setup } from "./setup.mjs";
import { Stop, main, root, run, step } from "./shell.mjs";

/** @typedef {import("../tests/matrix/lines.mjs").Line} Line */
/** @typedef {{ name: string, version: string, result: string, ms: number, excuse?: Line["excuse"] }} Outcome */

const folder = join(root, "tests/matrix");
const PASS = "pass";

await main(import.meta, async () => {
  const words = process.argv.slice(2);
  const outcomes = await matrix({ words });
  if (words.length === 0) await publish(outcomes);
});

/**
 * Runs all lines, prints the table, and fails when a line without an excuse does not pass.
 * @param {{ words?: string[] }} [options] only lines whose names have one of the words
 */
export async function matrix({ words = [] } = {}) {
  await setup({ for: "matrix" });
  await build();
  await installTools();
  const { lines } = await import("../tests/matrix/lines.mjs");
  const isWanted = (/** @type {Line} */ { name }) =>
    words.length === 0 || words.some((word) => name.includes(word));
  return judge(await runLines(lines.filter(isWanted)));
}

/** The few lines of `npm test`, with the tools of the repository itself. */
export async function smokeMatrix() {
  const { smokeLines } = await import("../tests/matrix/lines.mjs");
  judge(await runLines(smokeLines));
}

async function installTools() {
  const lock = await readFile(join(folder, "package-lock.json"));
  const wanted = createHash("sha256").update(lock).digest("hex");
  const stamp = join(folder, "node_modules/.installed-lockfile");
  if (existsSync(stamp) && (await readFile(stamp, "utf8")) === wanted) return;
  // Not `npm ci`: it refuses a lock without the optional packages of machines that nobody here has.
  const install = ["install", "--include=dev", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"];
  await step("npm install in tests/matrix: the tools of the matrix, 1.7 GB (two minutes or more)", () =>
    run("npm", install, { cwd: folder }),
  );
  await writeFile(stamp, wanted);
}

/** @param {Line[]} lines @returns {Promise<Outcome[]>} */
async function runLines(lines) {
  const { tarball, remove } = await pack();
  try {
    const { createSandbox } = await import("../pkg/src/sandbox.js");
    const outcomes = [];
    for (const line of lines) outcomes.push(await runLine(line, { tarball, createSandbox }));
    return outcomes;
  } finally {
    await remove();
    await rm(join(folder, "run"), { recursive: true, force: true });
  }
}

/** @param {Line} line @param {import("../tests/matrix/lines.mjs").Context} context @returns {Promise<Outcome>} */
async function runLine({ name, version, run: start, excuse }, context) {
  const began = performance.now();
  const { NODE_ENV } = process.env;
  let result = PASS;
  try {
    await start(context);
  } catch (error) {
    result = error instanceof Error ? error.message : String(error);
  } finally {
    // Vite sets it, for this process and all that it starts: npm would then leave out what is for development.
    if (NODE_ENV === undefined) delete process.env.NODE_ENV;
    else process.env.NODE_ENV = NODE_ENV;
  }
  const ms = performance.now() - began;
  const outcome = { name, version: await version().catch(() => "not installed"), result, ms, excuse };
  console.log(row(outcome));
  return outcome;
}

/** @param {Outcome} outcome */
function row({ name, version, result, ms }) {
  return `${name.padEnd(44)}${version.padEnd(32)}${(ms / 1000).toFixed(1).padStart(6)} s  ${result}`;
}

/** @param {Outcome[]} outcomes */
function judge(outcomes) {
  const failed = outcomes.filter(({ result, excuse }) => result !== PASS && !excuse);
  const passed = outcomes.filter(({ result }) => result === PASS).length;
  console.log(`\n${passed} of ${outcomes.length} lines pass`);
  if (failed.length > 0) throw new Stop(`Not passed: ${failed.map(({ name }) => name).join("; ")}.`);
  return outcomes;
}

/** Writes the table into the README: lines of one tool that end alike are one row. @param {Outcome[]} outcomes */
async function publish(outcomes) {
  /** @type {Map<string, string[]>} */
  const rows = new Map();
  for (const { name, version, result, excuse } of outcomes) {
    const [tool, ...where] = name.split(", ");
    const said = result === PASS ? PASS : `[${excuse?.reason}](${excuse?.issue})`;
    const key = `| ${tool} | ${version} | … | ${said} |`;
    rows.set(key, [...(rows.get(key) ?? []), where.join(", ")]);
  }
  const lines = [...rows].map(([key, where]) => key.replace("… ", where[0] && `${where.join(", ")} `));
  const head = ["| | version | where | result |", "|---|---|---|---|"];
  const passed = outcomes.filter(({ result }) => result === PASS).length;
  const date = new Date().toISOString().slice(0, 10);
  const table = [`${passed} of ${outcomes.length} lines passed on ${date}:`, "", ...head, ...lines].join(
    "\n",
  );
  const file = join(root, "README.md");
  const readme = await readFile(file, "utf8");
  const between = /(<!-- matrix -->\n)[\s\S]*?(\n<!-- \/matrix -->)/;
  if (!between.test(readme)) throw new Stop("README.md has no <!-- matrix --> to put the table into.");
  await writeFile(
    file,
    readme.replace(between, (_, start, end) => `${start}\n${table}\n${end}`),
  );
}
