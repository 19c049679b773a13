import { strict as assert } from "node:assert";
import { join } from "node:path";
import { test } from "node:test";
import { serve } from "../../../tools/serve.mjs";
import { startDemo } from "./demo.mjs";
import {
  assertNoKeySent,
  assertNoKeyShown,
  assertPicture,
  assertVideo,
  card,
  makePicture,
  makeVeo,
  makeVideo,
  open,
  results,
} from "./page.mjs";
import { startStandIn } from "./stand-in.mjs";

const PICTURE = "A lighthouse in a winter storm, seen from the sea, film grain";
const VIDEO = "The sails fill and the boat turns into the wind";
const VEO = "A paper boat drifts down a rain gutter, close-up, low sun";

const demo = startDemo();

test("makes_a_picture_a_midjourney_video_and_a_veo_video_and_shows_them", async () => {
  const { page, record } = await demo.open({ speed: "60" });
  await page.screenshot({ path: join(results, "empty-light-desktop.png"), fullPage: true });
  const picture = await makePicture(page, PICTURE);
  const video = await makeVideo(page, VIDEO);
  const veo = await makeVeo(page, VEO);
  await picture.locator("img").waitFor(); // the preview; or the result, where the machine was too slow to catch one
  await page.screenshot({ path: join(results, "running-light-desktop.png"), fullPage: true });

  await assertPicture(picture);
  await assertVideo(page, video);
  await assertVideo(page, veo);
  await shoot(page);
  await assertNoKeySent(record.requests);
  assert.deepEqual(record.errors, []);
  await page.close();
});

test("goes_on_with_a_task_after_a_reload", async () => {
  const { page, record } = await demo.open();
  const shown = await makePicture(page, PICTURE);
  await shown.getByRole("button", { name: "Stop waiting" }).waitFor(); // the handle is known, and stored
  await page.reload();
  await assertPicture(card(page, PICTURE));
  const submits = record.requests.filter((request) => request.method() === "POST");
  assert.equal(submits.length, 1);
  assert.deepEqual(record.errors, []);
  await page.close();
});

test("stops_waiting_at_once_and_can_wait_again", async () => {
  const { page, record } = await demo.open();
  const shown = await makeVideo(page, VIDEO);
  await shown.getByRole("button", { name: "Stop waiting" }).click();
  await shown.getByText("The service goes on making it").waitFor();
  const wait = shown.getByRole("button", { name: "Wait again" });
  assert.ok(
    await wait.evaluate((element) => element === document.activeElement),
    "the keyboard keeps its place",
  );
  await wait.click();
  await assertVideo(page, shown);
  assert.deepEqual(record.errors, []);
  await page.close();
});

test("says_beside_the_field_what_is_missing_and_sends_nothing", async () => {
  const { page, record } = await demo.open();
  await page.getByRole("button", { name: "Make picture" }).click();
  const prompt = page.getByLabel("Prompt");
  assert.equal(await prompt.getAttribute("aria-invalid"), "true");
  assert.ok(await prompt.evaluate((element) => element === document.activeElement));
  await page.getByText("Say in a few words what you would like to see.").waitFor();
  assert.deepEqual(
    record.requests.filter((request) => request.method() === "POST"),
    [],
  );
  await page.close();
});

test("the_key_reaches_the_service_through_the_worker_and_never_the_page", async () => {
  const key = "sk-test-7d1f0c2b9e";
  const service = await startStandIn(key);
  const keyed = await serve({ env: { COMETAPI_KEY: key, COMETAPI_BASE_URL: service.url } });
  try {
    const { page, record } = await open(demo.browser, keyed.url);
    await page.getByText("Live", { exact: true }).waitFor();
    const picture = await makePicture(page, PICTURE);
    const video = await makeVideo(page, VIDEO);
    const veo = await makeVeo(page, VEO);
    await assertPicture(picture);
    await assertVideo(page, video);
    await assertVideo(page, veo);

    const bearers = service.headers.map((headers) => headers.authorization).filter(Boolean);
    assert.equal(service.sandbox.submits, 3);
    assert.ok(bearers.length > 3 && bearers.every((header) => header === `Bearer ${key}`));
    // The page fetches files by itself, from the same host as its own: cookies know no ports.
    const passedOn = service.headers.filter((headers) => headers.authorization);
    assert.ok(passedOn.every((headers) => headers.cookie === undefined));
    await assertNoKeySent(record.requests, key);
    await assertNoKeyShown(record.requests, key);
    assert.ok(!(await page.content()).includes(key));
    assert.deepEqual(record.errors, []);
    await page.close();
  } finally {
    await keyed.close();
    await service.close();
  }
});

/** @param {import("playwright-core").Page} page */
async function shoot(page) {
  await page.mouse.move(0, 0);
  for (const [size, width] of /** @type {const} */ ([
    ["desktop", 1280],
    ["phone", 360],
  ])) {
    await page.setViewportSize({ width, height: 860 });
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert.equal(overflow, 0, `nothing sticks out at ${width} px`);
    for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: join(results, `done-${colorScheme}-${size}.png`), fullPage: true });
    }
  }
}
