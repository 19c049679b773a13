// The browsers: started with an address, ended when the page has reported. No driver is needed for that.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { Failure, execute } from "./kit.mjs";

/** @typedef {"Chromium" | "Firefox" | "WebKitGTK"} Engine */

const CHROMIUM = [
  ...["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-quic"],
  ...["--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
];
/** Nothing that calls home, and no first-run page. */
const FIREFOX = [
  ...["app.update.auto", "app.normandy.enabled", "browser.aboutwelcome.enabled"],
  ...["browser.safebrowsing.malware.enabled", "browser.safebrowsing.phishing.enabled"],
  ...["datareporting.policy.dataSubmissionEnabled", "extensions.update.enabled"],
  ...["network.captive-portal-service.enabled", "network.connectivity-service.enabled"],
];

/**
 * Opens an address and waits for `reported`, then ends the browser.
 * @template T
 * @param {Engine} engine
 * @param {string} url
 * @param {Promise<T>} reported
 */
export async function visit(engine, url, reported) {
  const home = await mkdtemp(join(tmpdir(), "comet-tasks-browser-"));
  const [program, ...args] = await commandOf(engine, home);
  const env = { ...process.env, HOME: home, XDG_RUNTIME_DIR: home, MOZ_REMOTE_SETTINGS_DEVTOOLS: "1" };
  // A group of its own: browsers are many processes.
  const child = spawn(program, [...args, url], { env, stdio: "ignore", detached: true });
  const ended = new Promise((resolve) => child.once("close", resolve));
  const died = new Promise((_, reject) => {
    child.once("error", reject);
    child.once("close", (code) =>
      reject(new Failure(`${engine} ended with ${code} before the page reported`)),
    );
  });
  died.catch(() => {});
  try {
    return await Promise.race([reported, died]);
  } finally {
    if (child.pid && child.exitCode === null) process.kill(-child.pid, "SIGKILL");
    await ended;
    await rm(home, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** @param {Engine} engine @param {string} home */
async function commandOf(engine, home) {
  const program = programOf(engine);
  if (engine === "Chromium") return [program, ...CHROMIUM, `--user-data-dir=${home}`];
  if (engine === "Firefox") {
    const preferences = FIREFOX.map((name) => `user_pref("${name}", false);\n`);
    await writeFile(join(home, "user.js"), preferences.join(""));
    return [program, "--headless", "--no-remote", "--profile", home];
  }
  return [...display(), program];
}

/** A screen for a browser that has no headless mode. */
function display() {
  return [onPath("xvfb-run") ?? missing("WebKitGTK"), "-a"];
}

/** @param {Engine} engine */
export async function versionOfEngine(engine) {
  const command = [...(engine === "WebKitGTK" ? display() : []), programOf(engine)];
  const said = await execute(command[0], [...command.slice(1), "--version"]);
  return /\d+(\.\d+)+/.exec(said)?.[0] ?? "unknown";
}

/** @param {Engine} engine */
function programOf(engine) {
  const given = { Chromium: "CHROME", Firefox: "FIREFOX", WebKitGTK: "MINIBROWSER" }[engine];
  const names = {
    Chromium: ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"],
    Firefox: ["firefox-esr", "firefox"],
    WebKitGTK: ["MiniBrowser"],
  }[engine];
  const found =
    process.env[given] || onPath(...names) || (engine === "WebKitGTK" ? miniBrowser() : undefined);
  return found ?? missing(engine);
}

/** Debian keeps it away from the PATH. */
function miniBrowser() {
  const versions = ["4.1", "6.0", "4.0"].flatMap((version) => [
    `/usr/lib/x86_64-linux-gnu/webkit2gtk-${version}/MiniBrowser`,
    `/usr/lib/x86_64-linux-gnu/webkitgtk-${version}/MiniBrowser`,
  ]);
  return versions.find((path) => existsSync(path));
}

/** @param {Engine} engine @returns {never} */
function missing(engine) {
  const packages = {
    Chromium: "chromium",
    Firefox: "firefox-esr",
    WebKitGTK: "webkit2gtk-driver xvfb",
  }[engine];
  throw new Failure(`${engine} was not found; on Debian and Ubuntu: apt-get install ${packages}`);
}

/** @param {...string} names */
function onPath(...names) {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return names
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find((path) => existsSync(path));
}
