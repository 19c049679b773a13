// What the browser tests share: Chromium, a page that writes down everything it does, and the demo's three ways.
import { strict as assert } from "node:assert";
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

/** @typedef {import("playwright-core").Page} Page */

export const results = fileURLToPath(new URL("../../../test-results/", import.meta.url));

export async function launch() {
  await mkdir(results, { recursive: true });
  return chromium.launch({
    executablePath: process.env.CHROME || "/usr/bin/chromium",
    args: [
      ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--no-first-run"],
      ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
    ],
  });
}

/**
 * Opens the demo. `record` fills while the page lives.
 * @param {import("playwright-core").Browser | import("playwright-core").BrowserContext} place
 * @param {string} url
 * @param {{ speed?: "1" | "15" | "60" }} [options]
 */
export async function open(place, url, { speed } = {}) {
  const page = await place.newPage(
    "newContext" in place ? { viewport: { width: 1280, height: 860 } } : undefined,
  );
  if (speed) {
    await page.addInitScript((speed) => {
      if (!localStorage.getItem("comet-tasks-demo-settings"))
        localStorage.setItem("comet-tasks-demo-settings", JSON.stringify({ speed }));
    }, speed);
  }
  /** @type {{ requests: import("playwright-core").Request[], errors: string[] }} */
  const record = { requests: [], errors: [] };
  page.on("request", (request) => record.requests.push(request));
  page.on("pageerror", (error) => record.errors.push(String(error)));
  // A violation of the content security policy is logged as an error too.
  page.on("console", (message) => {
    if (message.type() === "error") record.errors.push(message.text());
  });
  await page.goto(url);
  await knowsItsServer(page);
  return { page, record };
}

/** Loads the page again, and waits as long as for a new one. @param {import("playwright-core").Page} page */
export async function reload(page) {
  await page.reload();
  await knowsItsServer(page);
}

/** @param {import("playwright-core").Page} page */
function knowsItsServer(page) {
  return page.locator("#badge").waitFor();
}

/**
 * What the sandbox shall do wrong with the next tasks: the value of an option in the settings; "" for nothing.
 * @param {Page} page @param {string} fail
 */
export async function makeItFail(page, fail) {
  await openSettings(page);
  await page.getByLabel("Make the next tasks fail").selectOption(fail);
}

/** @param {Page} page */
export async function openSettings(page) {
  const details = page.locator("details", { has: page.locator("#settings") });
  if ((await details.getAttribute("open")) === null) await details.locator("summary").click();
}

/** Waits until the task with this title looks so. @param {Page} page @param {string} title @param {string} look */
export async function waitFor(page, title, look) {
  const found = page.locator(`.card[data-state=${look}]`, { has: card(page, title) });
  await found.waitFor({ timeout: 60_000 });
  return found;
}

/** @param {Page} page @param {string} prompt */
export async function makePicture(page, prompt) {
  await choose(page, "Picture");
  await page.getByLabel("Prompt").fill(prompt);
  return press(page, prompt);
}

/** @param {Page} page @param {string} prompt */
export async function makeVideo(page, prompt) {
  await choose(page, "Midjourney video");
  const picture = { name: "start.png", mimeType: "image/png", buffer: await drawPng(page) };
  await page
    .getByLabel("Drop or paste a picture here, or choose one", { exact: true })
    .setInputFiles(picture);
  await choose(page, "High");
  await page.getByLabel("What should happen?").fill(prompt);
  return press(page, prompt);
}

/** @param {Page} page @param {string} prompt */
export async function makeVeo(page, prompt) {
  await choose(page, "Veo video");
  const picture = { name: "first.png", mimeType: "image/png", buffer: await drawPng(page) };
  await page.getByLabel("First frame", { exact: true }).setInputFiles(picture);
  await page.getByLabel("Prompt").fill(prompt);
  return press(page, prompt);
}

/** @param {Page} page @param {string} name of a radio button */
export async function choose(page, name) {
  await page.getByRole("radio", { name, exact: true }).check();
}

/** @param {Page} page @param {string} title */
async function press(page, title) {
  await page.getByRole("button", { name: /^Make / }).click();
  return card(page, title);
}

/** @param {Page} page @param {string} title */
export function card(page, title) {
  return page.getByRole("article", { name: title, exact: true });
}

/** @param {Page} page */
export async function drawPng(page) {
  const base64 = await page.evaluate(() => {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 64;
    const context = canvas.getContext("2d");
    if (!context) throw new Error("no 2d context");
    context.fillStyle = "teal";
    context.fillRect(8, 8, 48, 48);
    return canvas.toDataURL("image/png").split(",")[1];
  });
  return Buffer.from(base64, "base64");
}

/** @param {import("playwright-core").Locator} shown @param {string} [selector] */
export async function assertPicture(shown, selector = "img:not(.preview)") {
  const image = shown.locator(selector);
  await image.waitFor({ timeout: 60_000 });
  const width = await image.evaluate(async (element) => {
    if (!(element instanceof HTMLImageElement)) throw new Error("not an image");
    await element.decode();
    return element.naturalWidth;
  });
  assert.ok(width > 0, "the picture has pixels");
}

/** @param {Page} page @param {import("playwright-core").Locator} shown */
export async function assertVideo(page, shown) {
  const video = shown.locator("video");
  await video.waitFor({ timeout: 60_000 });
  const handle = await video.elementHandle();
  await page.waitForFunction(
    (element) => element instanceof HTMLVideoElement && element.readyState >= 2 && element.duration > 1,
    handle,
  );
}

/**
 * Nothing that the page sends names a key, whatever the header is called.
 * @param {import("playwright-core").Request[]} requests
 * @param {string} [key]
 */
export async function assertNoKeySent(requests, key) {
  for (const request of requests) {
    const headers = await request.allHeaders();
    assert.equal(headers["authorization"], undefined, request.url());
    assert.equal(headers["mj-api-secret"], undefined, request.url());
    if (!key) continue;
    const sent = `${request.url()} ${JSON.stringify(headers)} ${request.postDataBuffer()?.toString("latin1") ?? ""}`;
    assert.ok(!sent.includes(key), `${request.url()} carries the key`);
  }
}

/**
 * No reply of the page's own server shows the key: no header, no JSON, no page, no script.
 * @param {import("playwright-core").Request[]} requests
 * @param {string} key
 */
export async function assertNoKeyShown(requests, key) {
  for (const request of requests) {
    const response = await request.response();
    if (!response || request.url().startsWith("blob:")) continue;
    assert.ok(
      !JSON.stringify(await response.allHeaders()).includes(key),
      `${request.url()} shows the key in a header`,
    );
    const isRedirect = response.status() >= 300 && response.status() < 400;
    if (isRedirect || ["image", "media"].includes(request.resourceType())) continue;
    const body = await response.body();
    assert.ok(!body.includes(key), `${request.url()} shows the key in its body`);
  }
}
