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
  if (process.getuid?.() !== 0 || !onPath("apt-get")) throw new Stop(`The tests need a browser: ${remedy}`);
  await step(
    "apt-get install chromium chromium-driver: the tests run in a browser (a minute or two)",
    async () => {
      const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
      await run("apt-get", ["update", "-q"], { env });
      await run(
        "apt-get",
        ["install", "-y", "-q", "--no-install-recommends", "chromium", "chromium-driver"],
        { env },
      );
    },
  );
  const installed = look();
  if (!installed) throw new Stop(`apt-get installed no chromium and chromedriver on the PATH; ${remedy}`);
  return installed;
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
