// What every line needs: a fresh project with the packed package, a program's output, a tool of this folder.
import { spawn } from "node:child_process";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

export const here = fileURLToPath(new URL("./", import.meta.url));
const require = createRequire(import.meta.url);

/** What a line that failed says. */
export class Failure extends Error {}

/**
 * A folder with the tarball installed, `app/` and some files more. It is below this one, so that the tools are found.
 * @param {string} name
 * @param {string} tarball
 * @param {Record<string, string | object>} [files] text, or an object to be written as JSON
 */
export async function createProject(name, tarball, files = {}) {
  const folder = join(here, "run", name.toLowerCase().replace(/[^a-z0-9]+/g, "-"));
  await rm(folder, { recursive: true, force: true });
  await cp(join(here, "app"), folder, { recursive: true });
  const manifest = { private: true, type: "module" };
  for (const [path, content] of Object.entries({ "package.json": manifest, ...files })) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), typeof content === "string" ? content : JSON.stringify(content));
  }
  const options = ["--no-save", "--offline", "--no-audit", "--no-fund", "--loglevel=error"];
  await execute("npm", ["install", ...options, tarball], { cwd: folder });
  return folder;
}

/**
 * Runs a program to its end; resolves to its output, rejects with a Failure that ends with it.
 * @param {string} program
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, timeoutMs?: number }} [options]
 * @returns {Promise<string>}
 */
export function execute(program, args, { cwd, env, timeoutMs = 240_000 } = {}) {
  const { COMETAPI_KEY, ...inherited } = process.env; // no line may reach the real service
  const child = spawn(program, args, {
    cwd,
    env: { ...inherited, CI: "1", ...env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: timeoutMs,
  });
  let stdout = "";
  let all = "";
  child.stdout.on("data", (text) => ((stdout += text), (all += text)));
  child.stderr.on("data", (text) => (all += text));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (code === 0) return resolve(stdout);
      const words = `${program} ${args.join(" ")}`.slice(0, 200);
      reject(new Failure(`${words} ended with ${code ?? signal}: ${all.trim().slice(-3000)}`));
    });
  });
}

/** The list that a program of a line printed last. @param {string} stdout @returns {string[]} */
export function lastList(stdout) {
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
}

/** A module of a tool that is installed here, or in the repository's root. @param {string} name @returns {Promise<any>} */
export function tool(name) {
  return import(name);
}

/**
 * The repository's own: of some, wrangler brings versions that are not finished.
 * @param {string} name
 * @returns {Promise<any>}
 */
export async function rootTool(name) {
  const path = createRequire(join(here, "../../package.json")).resolve(name);
  return path.endsWith(".json") ? { default: require(path) } : import(pathToFileURL(path).href);
}

/**
 * Runs webpack, or what has its interface. A warning is a failure.
 * @param {"webpack" | "@rspack/core"} name
 * @param {object} config
 */
export async function compile(name, config) {
  const { default: compilerOf } = await tool(name);
  const compiler = compilerOf({ mode: "production", ...config });
  const stats = await new Promise((resolve, reject) => {
    compiler.run((/** @type {any} */ error, /** @type {any} */ done) =>
      error ? reject(error) : resolve(done),
    );
  });
  await new Promise((resolve) => compiler.close(resolve));
  if (stats.hasErrors() || stats.hasWarnings()) throw new Failure(stats.toString());
}

/** The folder of an installed package, here or in the root. @param {string} name */
export function folderOf(name) {
  const place = require.resolve.paths(name)?.find((path) => exists(join(path, name, "package.json")));
  if (!place) throw new Failure(`${name} is not installed`);
  return join(place, name);
}

/** @param {string} name */
export async function versionOf(name) {
  return JSON.parse(await readFile(join(folderOf(name), "package.json"), "utf8")).version;
}

/** A program of an installed package. @param {string} name @param {string} [command] */
export async function binary(name, command = name) {
  const { bin } = JSON.parse(await readFile(join(folderOf(name), "package.json"), "utf8"));
  return join(folderOf(name), typeof bin === "string" ? bin : bin[command]);
}

/** @param {string} path */
function exists(path) {
  try {
    return Boolean(require.resolve(path));
  } catch {
    return false;
  }
}
