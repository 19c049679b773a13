// `npm test`: every check, the quick ones first. One that fails does not hide what the others have to say.
import { existsSync } from "node:fs";
import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findBrowser } from "./browser.mjs";
import { build } from "./build.mjs";
import { load } from "../tests/load/gateway.mjs";
import { install, remove } from "./install.mjs";
import { matrix, smokeMatrix } from "./matrix.mjs";
import { mutants } from "./mutants.mjs";
import { reproduce } from "./reproduce.mjs";
import { cargo, setup } from "./setup.mjs";
import { Stop, main, root, run } from "./shell.mjs";
import { size } from "./size.mjs";

const wasm32 = ["--locked", "--target", "wasm32-unknown-unknown", "--test", "web_*"];
const denied = ["--", "-D", "warnings"];

/** @typedef {{ name: string, work: () => Promise<void>, needs?: string, folder?: string }} Stage */
/** @typedef {{ name: string, result: "passed" | "FAILED" | "not run" | "no tests", ms: number }} Outcome */

/**
 * The cargo stages have one profile and one set of flags, so that nothing is compiled twice for the same purpose.
 * @type {Stage[]}
 */
const stages = [
  { name: "set-up", work: () => setup({ for: "test" }) },
  { name: "rustfmt", work: () => cargo(["fmt", "--check"]), needs: "set-up" },
  { name: "prettier", work: () => node("prettier/bin/prettier.cjs", "--check", "."), needs: "set-up" },
  { name: "tsc", work: () => node("typescript/bin/tsc"), needs: "set-up" },
  {
    name: "clippy",
    work: () => cargo(["clippy", "--locked", "--all-targets", "--features", "edge", ...denied]),
    needs: "set-up",
  },
  {
    name: "clippy wasm32",
    work: () => cargo(["clippy", ...wasm32, "--lib", "--examples", "--features", "edge", ...denied]),
    needs: "set-up",
  },
  { name: "cargo doc", work: documentation, needs: "set-up" },
  { name: "cargo test: core, tidy", work: () => cargo(["test", "--locked"]), needs: "set-up" },
  { name: "cargo test: Node, Chromium", work: testWeb, needs: "set-up" },
  { name: "build", work: build, needs: "set-up" },
  { name: "size", work: size, needs: "build" },
  packageTests("package", "tests/js"),
  packageTests("package in workerd", "tests/js/workerd"),
  packageTests("demo in Chromium", "tests/js/browser"),
  { name: "matrix: one of each kind", work: smokeMatrix, needs: "build" },
];

/** Tests that draw their cases draw many new ones. */
const MANY = { COMET_TEST_ALL: "1" };

/** What `npm run test:all` runs besides: minutes each. @type {Stage[]} */
const longStages = [
  { name: "the same bytes twice", work: reproduce, needs: "build" },
  packageTests("demo in Firefox, WebKitGTK", "tests/js/engines"),
  {
    name: "500 scripts of faults",
    work: () => testFiles(["tests/js/faults.test.mjs"], MANY),
    needs: "build",
  },
  { name: "cargo package", work: () => cargo(["package", "--locked", "--allow-dirty"]), needs: "set-up" },
  { name: "matrix", work: () => matrix().then(() => {}), needs: "build" },
  { name: "gateway without its guards", work: () => mutants(), needs: "build" },
  { name: "gateway under load", work: load, needs: "build" },
];

/**
 * The folder in which the packed package is installed, once for all stages.
 * @type {string | undefined}
 */
let installed;

await main(import.meta, test);

async function test() {
  /** @type {Outcome[]} */
  const outcomes = [];
  try {
    const wanted = process.argv.includes("--all") ? [...stages, ...longStages] : stages;
    for (const stage of wanted) outcomes.push(await runStage(stage, outcomes));
  } finally {
    if (installed) remove(installed);
  }
  print(outcomes);
  const failed = outcomes.filter(({ result }) => result === "FAILED").map(({ name }) => name);
  if (failed.length > 0) throw new Stop(`Failed: ${failed.join(", ")}.`);
}

/**
 * @param {Stage} stage
 * @param {Outcome[]} before
 * @returns {Promise<Outcome>}
 */
async function runStage({ name, work, needs, folder }, before) {
  if (folder && !existsSync(join(root, folder))) return { name, result: "no tests", ms: 0 };
  if (needs && before.find((outcome) => outcome.name === needs)?.result !== "passed") {
    return { name, result: "not run", ms: 0 };
  }
  console.log(`\n━━ ${name}`);
  const start = performance.now();
  const ms = () => performance.now() - start;
  try {
    await work();
    return { name, result: "passed", ms: ms() };
  } catch (error) {
    console.error(error instanceof Stop ? error.message : error);
    return { name, result: "FAILED", ms: ms() };
  }
}

/** @param {Outcome[]} outcomes */
function print(outcomes) {
  console.log("\n━━ summary");
  const total = outcomes.reduce((sum, { ms }) => sum + ms, 0);
  for (const { name, result, ms } of [...outcomes, { name: "total", result: "", ms: total }]) {
    console.log(`${name.padEnd(30)}${(ms / 1000).toFixed(1).padStart(8)} s  ${result}`);
  }
}

async function documentation() {
  const env = { ...process.env, RUSTDOCFLAGS: "-D warnings" };
  await cargo(["doc", "--locked", "--no-deps", "--lib"], { env });
}

/** The wasm-bindgen tests. webdriver.json says how the browser is started; which one, only this machine knows. */
async function testWeb() {
  const { chrome, chromedriver } = await findBrowser();
  const capabilities = JSON.parse(await readFile(join(root, "webdriver.json"), "utf8"));
  capabilities["goog:chromeOptions"].binary = chrome;
  const file = join(root, ".tools/webdriver.json");
  await writeFile(file, JSON.stringify(capabilities));
  const env = { ...process.env, CHROMEDRIVER: chromedriver, WASM_BINDGEN_TEST_WEBDRIVER_JSON: file };
  await cargo(["test", ...wasm32], { env });
}

/**
 * @param {string} name
 * @param {string} folder
 * @returns {Stage}
 */
function packageTests(name, folder) {
  return { name, work: () => testFolder(folder), needs: "build", folder };
}

/**
 * The test files of one folder, against the packed and installed package.
 * @param {string} folder
 */
async function testFolder(folder) {
  const names = await readdir(join(root, folder)).catch(() => []);
  const files = names.filter((name) => name.endsWith(".test.mjs")).map((name) => `${folder}/${name}`);
  if (files.length === 0) throw new Stop(`${folder} holds no test.`);
  await testFiles(files.sort());
}

/** @param {string[]} files @param {Record<string, string>} [own] environment */
async function testFiles(files, own) {
  installed ??= await install();
  const { chrome, chromedriver } = await findBrowser();
  const { COMETAPI_KEY, ...env } = process.env; // no test may reach the real service
  // Pages and their tasks mostly wait: two at once take little more than one.
  const options = ["--test-reporter=spec", "--test-timeout=300000", "--test-concurrency=2"];
  await run(process.execPath, ["--test", ...options, ...files], {
    env: { ...env, ...own, COMET_TASKS_INSTALLED: installed, CHROME: chrome, CHROMEDRIVER: chromedriver },
  });
}

/**
 * A program of node_modules.
 * @param {string} script
 * @param {...string} args
 */
async function node(script, ...args) {
  await run(process.execPath, [join(root, "node_modules", script), ...args]);
}
