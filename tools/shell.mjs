// What every script needs: run a program, say what takes long, fail with one sentence.
import { spawn } from "node:child_process";
import { realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The repository's root, with a closing slash. */
export const root = fileURLToPath(new URL("../", import.meta.url));

/** A failure that the reader can act on: printed as it is, without a stack. */
export class Stop extends Error {}

/**
 * Runs `script` when the module was started as a program, and not when it was imported.
 * @param {ImportMeta} meta
 * @param {() => Promise<void>} script
 */
export async function main(meta, script) {
  const started = process.argv[1];
  if (!started || realpathSync(started) !== fileURLToPath(meta.url)) return;
  try {
    await script();
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    console.error(`\n${error.message}`);
    process.exitCode = 1;
  }
}

/**
 * Runs a program in the root with its output shown, and fails with one sentence when it fails.
 * @param {string} program
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, missing?: string, quiet?: boolean }} [options]
 *   `missing` is what to say when the program does not exist; `quiet` hides the output of a success.
 */
export async function run(program, args, { quiet = false, ...options } = {}) {
  const { code, output } = await execute(program, args, options, quiet ? "pipe" : "inherit");
  if (code === 0) return;
  if (quiet) process.stderr.write(output);
  throw new Stop(`\`${[program, ...args].join(" ")}\` failed (exit code ${code}); its output is above.`);
}

/**
 * Runs a program and returns its exit code and output; a program that does not exist has the code 127.
 * @param {string} program
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 */
export async function capture(program, args, options = {}) {
  return execute(program, args, { missing: undefined, ...options }, "pipe");
}

/**
 * @param {string} program
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, missing?: string }} options
 * @param {"pipe" | "inherit"} output
 * @returns {Promise<{ code: number, stdout: string, output: string }>}
 */
function execute(program, args, { cwd = root, env = process.env, missing }, output) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env, stdio: ["ignore", output, output] });
    let stdout = "";
    let all = "";
    child.stdout?.setEncoding("utf8").on("data", (text) => ((stdout += text), (all += text)));
    child.stderr?.setEncoding("utf8").on("data", (text) => (all += text));
    child.on("error", (/** @type {NodeJS.ErrnoException} */ error) => {
      if (error.code !== "ENOENT") reject(error);
      else if (missing) reject(new Stop(missing));
      else resolve({ code: 127, stdout, output: `${program}: not found\n` });
    });
    child.on("close", (code) => resolve({ code: code ?? 1, stdout, output: all }));
  });
}

/**
 * Says what is done and why, then how long it took; every ten seconds that it is still going on.
 * @template T
 * @param {string} what
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function step(what, work) {
  const start = performance.now();
  const elapsed = () => `${((performance.now() - start) / 1000).toFixed(1)} s`;
  console.error(`→ ${what}`);
  const ticker = setInterval(() => console.error(`  … ${what.split(":")[0]}, ${elapsed()}`), 10_000);
  try {
    return await work();
  } finally {
    clearInterval(ticker);
    console.error(`  ${elapsed()}`);
  }
}
