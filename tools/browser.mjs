// The browser of the tests: Chromium and its driver.
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { Stop, run, step } from "./shell.mjs";

const remedy =
  "install Chromium and its driver (Debian, Ubuntu: `apt-get install chromium chromium-driver`), " +
  "or set CHROME and CHROMEDRIVER to the two programs.";

/**
 * The paths of Chromium and chromedriver: from CHROME and CHROMEDRIVER, from the PATH, or installed by apt.
 * @returns {Promise<{ chrome: string, chromedriver: string }>}
 */
export async function findBrowser() {
  const found = look();
  if (found) return found;
  if (!mayInstall()) throw new Stop(`The tests need a browser: ${remedy}`);
  await install(["chromium", "chromium-driver"], "the tests run in a browser");
  const installed = look();
  if (!installed) throw new Stop(`apt-get installed no chromium and chromedriver on the PATH; ${remedy}`);
  return installed;
}

/** The matrix's other browsers, where apt may install them; elsewhere its lines say which one is missing. */
export async function installOtherBrowsers() {
  const missing = [
    ...(process.env.FIREFOX || onPath("firefox-esr", "firefox") ? [] : ["firefox-esr"]),
    ...(process.env.MINIBROWSER || onPath("WebKitWebDriver", "MiniBrowser") ? [] : ["webkit2gtk-driver"]),
    ...(onPath("xvfb-run") ? [] : ["xvfb", "xauth"]),
  ];
  if (missing.length > 0 && mayInstall()) await install(missing, "the matrix runs in three browsers");
}

function mayInstall() {
  return process.getuid?.() === 0 && Boolean(onPath("apt-get"));
}

/** @param {string[]} packages @param {string} why */
async function install(packages, why) {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  await step(`apt-get install ${packages.join(" ")}: ${why} (a minute or two)`, async () => {
    await run("apt-get", ["update", "-q"], { env });
    await run("apt-get", ["install", "-y", "-q", "--no-install-recommends", ...packages], { env });
  });
}

function look() {
  const chrome =
    given("CHROME") ?? onPath("chromium", "chromium-browser", "google-chrome-stable", "google-chrome");
  const chromedriver = given("CHROMEDRIVER") ?? onPath("chromedriver");
  return chrome && chromedriver ? { chrome, chromedriver } : undefined;
}

/** @param {string} variable */
function given(variable) {
  const path = process.env[variable];
  if (path && !existsSync(path))
    throw new Stop(`${variable} is set to ${path}, which does not exist; ${remedy}`);
  return path || undefined;
}

/** @param {...string} names */
function onPath(...names) {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return names
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find((path) => existsSync(path));
}
