// For everybody: axe in every state, the whole way by keyboard, every size and colour, little to load.
import { strict as assert } from "node:assert";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { brotliCompressSync } from "node:zlib";
import { startDemo } from "./demo.mjs";
import { card, choose, makeItFail, makePicture, makeVeo, makeVideo, results, waitFor } from "./page.mjs";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const BUDGET = 100 * 1024;
const TITLE = "A lighthouse in a winter storm, seen from the sea, film grain";

const demo = startDemo();

test("loads_within_its_budget", async () => {
  const { page, record } = await demo.open();
  await page.waitForLoadState("networkidle");
  /** @type {Record<string, number>} */
  const sizes = {};
  for (const request of record.requests) {
    const { pathname } = new URL(request.url());
    const body = await (await request.response())?.body();
    sizes[pathname] = body ? brotliCompressSync(body).length : 0;
  }
  const total = Object.values(sizes).reduce((sum, bytes) => sum + bytes, 0);
  console.log("bytes in brotli:", JSON.stringify({ ...sizes, total }));
  assert.ok("/comet_tasks.wasm" in sizes, "the wasm is a file of its own");
  assert.ok(total <= BUDGET, `${total} bytes, ${BUDGET} allowed`);
  await page.close();
});

test("axe_finds_nothing_in_any_state_light_or_dark_and_nothing_sticks_out", async () => {
  const { page } = await demo.open({ speed: "60" });
  await check(page, "empty");
  for (const way of ["Midjourney video", "Veo video"]) {
    await choose(page, way);
    await page.getByRole("button", { name: "Make video" }).click();
    await check(page, `refused-${way.split(" ")[0].toLowerCase()}`);
  }
  await page.locator("#code > summary").click();
  await choose(page, "Picture");
  await page.getByLabel("Prompt", { exact: true }).fill(TITLE);
  await check(page, "code");
  await page.locator("#code > summary").click();

  await makeItFail(page, "lost");
  await makePicture(page, "A kite");
  await waitFor(page, "A kite", "trouble");
  await makeItFail(page, "fail");
  await makePicture(page, "A fox");
  await waitFor(page, "A fox", "trouble");
  await check(page, "settings-and-trouble");
  await card(page, "A kite").getByRole("button", { name: "Send again …" }).click();
  await check(page, "asked-first");
  await page.keyboard.press("Escape");
  await makeItFail(page, "");
  await page.getByRole("radio", { name: /^The service, directly/ }).check();
  await check(page, "direct");
  await page.getByRole("radio", { name: /^Sandbox/ }).check();
  await page.locator("details:has(#settings) > summary").click();

  await page.locator("#timeline > summary").click();
  await makePicture(page, `${TITLE} sandbox:never`);
  await makePicture(page, "A boat sandbox:never");
  await card(page, "A boat sandbox:never").getByRole("button", { name: "Stop waiting" }).click();
  await waitFor(page, `${TITLE} sandbox:never`, "running");
  await check(page, "running-and-stopped");
  for (const title of ["A kite", "A fox", "A boat sandbox:never"]) {
    await card(page, title).getByRole("button", { name: "Remove" }).click();
  }
  const grid = await makePicture(page, TITLE);
  await makeVideo(page, "The sails fill and the boat turns into the wind");
  await makeVeo(page, "A paper boat drifts down a rain gutter, close-up, low sun");
  await grid.getByRole("button", { name: "Upscale 1" }).click();
  const upscaled = card(page, `Upscale 1 · ${TITLE}`);
  await upscaled.getByText("More ways to go on").click();
  await upscaled.getByRole("button", { name: "Repaint a part …" }).click();
  await waitFor(page, `Repaint a part · ${TITLE}`, "asks");
  await waitFor(page, "A paper boat drifts down a rain gutter, close-up, low sun", "done");
  await waitFor(page, "The sails fill and the boat turns into the wind", "done");
  await check(page, "asks-and-done");
  await page.close();
});

test("the_whole_way_goes_by_keyboard", async () => {
  const { page } = await demo.open({ speed: "60" });
  await page.keyboard.press("Tab");
  assert.equal(await focused(page), "Skip to your tasks");
  await tabTo(page, "way");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowLeft");
  await tabTo(page, "prompt");
  await page.keyboard.type("A kite");
  await page.keyboard.press("Control+Enter");
  const shown = await waitFor(page, "A kite", "done");
  await shown.getByRole("button", { name: "Remove" }).focus();
  await tabTo(page, "Upscale 1");
  await page.keyboard.press("Enter");
  await waitFor(page, "Upscale 1 · A kite", "done");
  await shown.getByRole("button", { name: "Remove" }).press("Enter");
  await shown.waitFor({ state: "detached" });
  assert.notEqual(
    await page.evaluate(() => document.activeElement?.tagName),
    "BODY",
    "the keyboard keeps its place",
  );
  await page.close();
});

test("what_happens_is_told_to_screen_readers", async () => {
  const { page } = await demo.open({ speed: "60" });
  const news = page.getByRole("status").filter({ hasText: "Picture “A kite”: is done" });
  await makePicture(page, "A kite");
  await news.waitFor({ state: "attached", timeout: 30_000 });
  await page.close();
});

test("nothing_moves_for_those_who_want_it_still", async () => {
  const { page } = await demo.open({ speed: "60" });
  await page.emulateMedia({ reducedMotion: "reduce" });
  await makePicture(page, "A kite sandbox:never");
  await waitFor(page, "A kite sandbox:never", "running");
  const moving = await page.evaluate(
    () => document.getAnimations().filter((each) => each.playState === "running").length,
  );
  assert.equal(moving, 0);
  await makeVideo(page, "The sails fill");
  const video = (await waitFor(page, "The sails fill", "done")).locator("video");
  const began = await video.evaluate(async (element) => {
    const clip = /** @type {HTMLVideoElement} */ (element);
    // One that plays by itself does so from here on.
    if (clip.readyState < HTMLMediaElement.HAVE_ENOUGH_DATA) {
      await new Promise((resolve) => (clip.oncanplaythrough = resolve));
    }
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    return { plays: !clip.paused, hasPlayed: clip.played.length };
  });
  assert.deepEqual(began, { plays: false, hasPlayed: 0 });
  await page.close();
});

test("only_cards_in_sight_move", async () => {
  const { page } = await demo.open({ speed: "60" });
  const titles = Array.from({ length: 12 }, (_, i) => `Boat ${i} sandbox:never`);
  for (const title of titles) await makePicture(page, title);
  // The lowest, which is the oldest, and the topmost.
  for (const title of [titles[0], titles[11]]) await waitFor(page, title, "running");
  const moving = () =>
    page.evaluate(() => {
      // Without end: a picture that fades in does so once.
      const running = document
        .getAnimations()
        .filter(
          ({ playState, effect }) => playState === "running" && effect?.getTiming().iterations === Infinity,
        );
      const targets = running.map(({ effect }) => /** @type {KeyframeEffect} */ (effect).target);
      return [
        ...new Set(targets.map((target) => target?.closest(".card")?.querySelector("h3")?.textContent)),
      ];
    });
  const above = await moving();
  assert.ok(above.includes(titles[11]) && !above.includes(titles[0]), above.join());
  await card(page, titles[0]).scrollIntoViewIfNeeded();
  await page.waitForFunction(
    () => document.querySelector(".card.unseen") === document.querySelector(".card"),
  );
  const below = await moving();
  assert.ok(below.includes(titles[0]) && !below.includes(titles[11]), below.join());
  await page.reload();
  await page.evaluate(() => scrollTo(0, 0));
  await waitFor(page, titles[0], "running");
  await page.waitForFunction(() =>
    [...document.querySelectorAll(".card")].at(-1)?.classList.contains("unseen"),
  );
  // What reads the page aloud asks for the style of all.
  await page
    .locator(".status")
    .evaluateAll((lines) => lines.map((line) => getComputedStyle(line, "::before").opacity));
  assert.ok(!(await moving()).includes(titles[0]));
  await page.close();
});

/**
 * Axe, light and dark, at both ends of the sizes; a picture of each for those who look.
 * @param {import("playwright-core").Page} page
 * @param {string} state
 */
async function check(page, state) {
  // Evaluated and not inserted: the page's policy refuses inline scripts, and rightly so.
  await page.evaluate(axe);
  await page.mouse.move(0, 0);
  for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
    for (const [size, width] of /** @type {const} */ ([
      ["phone", 360],
      ["desktop", 1280],
    ])) {
      await page.setViewportSize({ width, height: 860 });
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      assert.ok(overflow <= 0, `${state}: ${overflow} px stick out at ${width} px`);
      const path = join(results, `${state}-${colorScheme}-${size}.png`);
      await page.screenshot({ path, fullPage: true });
      if (size === "phone" && colorScheme === "dark") continue; // colours and sizes were seen apart
      assert.deepEqual(await findings(page), [], `${state}, ${colorScheme}, ${size}`);
    }
  }
  await page.emulateMedia({ colorScheme: "light", reducedMotion: null });
}

/** @param {import("playwright-core").Page} page @returns {Promise<string[]>} */
function findings(page) {
  return page.evaluate(async () => {
    const { axe } = /** @type {any} */ (window);
    const { violations } = await axe.run(document, { resultTypes: ["violations"] });
    return violations.flatMap((/** @type {any} */ { id, nodes }) =>
      nodes.map((/** @type {any} */ { target, failureSummary }) => `${id}: ${target} ${failureSummary}`),
    );
  });
}

/** @param {import("playwright-core").Page} page */
function focused(page) {
  return page.evaluate(() => {
    const { activeElement } = document;
    const name = activeElement?.getAttribute("aria-label") ?? activeElement?.getAttribute("name");
    return name ?? activeElement?.textContent?.trim() ?? "";
  });
}

/** @param {import("playwright-core").Page} page @param {string} name */
async function tabTo(page, name) {
  for (let presses = 0; presses < 60; presses++) {
    await page.keyboard.press("Tab");
    if ((await focused(page)) === name) return;
  }
  assert.fail(`no way to ${name} by keyboard`);
}
