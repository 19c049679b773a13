// Gets what a script needs, once: node modules, the Rust toolchain, the wasm-bindgen tools, the browsers.
// Only Node's own modules are imported here, because it runs before there are any others.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findBrowser, installOtherBrowsers } from "./browser.mjs";
import { withLock } from "./lock.mjs";
import { Stop, capture, root, run, step } from "./shell.mjs";

const tools = join(root, ".tools");
const toolsTarget = join(tools, "target");

/** The program that makes the glue, and the one that runs `cargo test` for wasm32. */
export const bindgen = join(tools, "bin/bindgen");
export const testRunner = join(tools, "bin/wasm-bindgen-test-runner");

/**
 * Installs what is missing for a purpose, and nothing when nothing is.
 * @param {{ for: "build" | "start" | "test" | "matrix" | "format" }} purpose
 */
export async function setup({ for: purpose }) {
  checkNode();
  await withLock("setup", async () => {
    await installNodeModules();
    await installToolchain();
    if (purpose === "format") return;
    await installBindgen();
    if (purpose === "test") await installTestRunner();
  });
  if (purpose === "test" || purpose === "matrix") await findBrowser();
  if (purpose === "matrix") await installOtherBrowsers();
}

/**
 * Runs cargo of the pinned toolchain, whichever `cargo` comes first on the PATH.
 * @param {string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, cwd?: string, quiet?: boolean }} [options]
 */
export async function cargo(args, options) {
  await run("rustup", ["run", (await toolchain()).channel, "cargo", ...args], options);
}

/**
 * What a program of the pinned toolchain prints.
 * @param {"cargo" | "rustc"} program
 * @param {string[]} args
 * @param {{ env?: NodeJS.ProcessEnv }} [options]
 */
export async function toolOutput(program, args, options) {
  const command = ["run", (await toolchain()).channel, program, ...args];
  const { code, stdout, output } = await capture("rustup", command, options);
  if (code !== 0) throw new Stop(`\`${program} ${args.join(" ")}\` failed:\n${output}`);
  return stdout;
}

/** The version of wasm-bindgen that the crate is compiled with, from Cargo.lock. */
export async function bindgenVersion() {
  const lock = await readFile(join(root, "Cargo.lock"), "utf8");
  const version = /^name = "wasm-bindgen"\nversion = "(.+)"$/m.exec(lock)?.[1];
  if (!version)
    throw new Stop("Cargo.lock names no wasm-bindgen; restore it with `git checkout Cargo.lock`.");
  return version;
}

function checkNode() {
  const version = process.versions.node;
  if (Number.parseInt(version, 10) >= 20) return;
  throw new Stop(`Node ${version} is too old for this repository; install Node 20 or newer from nodejs.org.`);
}

async function installNodeModules() {
  const stamp = join(root, "node_modules/.installed-lockfile");
  const wanted = await fingerprint(join(root, "package-lock.json"));
  if (await stampIs(stamp, wanted)) return;
  await step("npm ci: node_modules does not match package-lock.json", () =>
    // All here is for development, which a NODE_ENV of "production" would leave out.
    run("npm", ["ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"], {
      missing: "npm was not found; install Node 20 or newer with npm from nodejs.org.",
    }),
  );
  await writeFile(stamp, wanted);
}

async function installToolchain() {
  const { channel, components, targets } = await toolchain();
  const { code, stdout } = await capture("rustup", [
    "component",
    "list",
    "--installed",
    "--toolchain",
    channel,
  ]);
  if (code === 127) throw new Stop("rustup was not found; install it from rustup.rs and open a new shell.");
  const installed = code === 0 ? stdout.split("\n") : [];
  const has = (/** @type {string} */ name) => installed.some((line) => line.startsWith(name));
  if (components.every(has) && targets.every((target) => has(`rust-std-${target}`))) return;
  await step(
    `rustup: Rust ${channel} lacks ${[...components, ...targets].join(", ")} or is not installed`,
    () =>
      run("rustup", [
        ...["toolchain", "install", channel, "--profile", "minimal", "--no-self-update"],
        ...["--component", components.join(","), "--target", targets.join(",")],
      ]),
  );
}

/** rust-toolchain.toml, read with patterns: it has three lines that matter. */
async function toolchain() {
  const text = await readFile(join(root, "rust-toolchain.toml"), "utf8");
  const list = (/** @type {string} */ key) =>
    [...(new RegExp(`^${key} = \\[(.*)\\]`, "m").exec(text)?.[1] ?? "").matchAll(/"(.+?)"/g)].map(
      ([, item]) => item,
    );
  const channel = /^channel = "(.+)"/m.exec(text)?.[1];
  if (!channel) throw new Stop("rust-toolchain.toml names no channel; restore it with `git checkout`.");
  return { channel, components: list("components"), targets: list("targets") };
}

/** The library behind the wasm-bindgen command is built in a third of the command's own time. */
async function installBindgen() {
  const version = await bindgenVersion();
  const source = join(root, "tools/bindgen/main.rs");
  const stamp = `${bindgen}.stamp`;
  const wanted = `${version} ${await fingerprint(source)}`;
  if (existsSync(bindgen) && (await stampIs(stamp, wanted))) return;
  const crate = join(tools, "bindgen");
  await mkdir(join(crate, "src"), { recursive: true });
  await mkdir(join(tools, "bin"), { recursive: true });
  await copyFile(source, join(crate, "src/main.rs"));
  await writeFile(join(crate, "Cargo.toml"), bindgenManifest(version));
  await step(`wasm-bindgen ${version}: the version in Cargo.lock is not built yet (about 25 s)`, () =>
    cargo(["build", "--manifest-path", join(crate, "Cargo.toml")], { env: toolEnvironment() }),
  );
  await copyFile(join(toolsTarget, "debug/bindgen"), bindgen);
  await writeFile(stamp, wanted);
}

/** @param {string} version */
function bindgenManifest(version) {
  return `[package]
name = "bindgen"
version = "0.0.0"
edition = "2024"

[dependencies]
wasm-bindgen-cli-support = "=${version}"

[workspace]
`;
}

async function installTestRunner() {
  const version = await bindgenVersion();
  const stamp = `${testRunner}.stamp`;
  if (existsSync(testRunner) && (await stampIs(stamp, version))) return;
  await step(
    `wasm-bindgen-test-runner ${version}: the version in Cargo.lock is not built yet (about 40 s)`,
    () =>
      cargo(
        [
          ...["install", "wasm-bindgen-cli", "--version", version, "--no-default-features"],
          ...["--bin", "wasm-bindgen-test-runner", "--debug", "--force", "--root", tools],
        ],
        { env: toolEnvironment() },
      ),
  );
  await writeFile(stamp, version);
  await rm(toolsTarget, { recursive: true, force: true }); // half a gigabyte that no later run reads
}

/** Both tools share one target directory, so that what they have in common is compiled once. */
function toolEnvironment() {
  const { RUSTFLAGS, CARGO_ENCODED_RUSTFLAGS, ...env } = process.env;
  return { ...env, CARGO_TARGET_DIR: toolsTarget, CARGO_PROFILE_DEV_DEBUG: "0" };
}

/** @param {string} file */
async function fingerprint(file) {
  return createHash("sha256")
    .update(await readFile(file))
    .digest("hex");
}

/** @param {string} file @param {string} wanted */
async function stampIs(file, wanted) {
  return existsSync(file) && (await readFile(file, "utf8")) === wanted;
}
