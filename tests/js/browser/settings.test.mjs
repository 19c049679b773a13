// The settings: who answers, with which key, and what the sandbox does.
import { strict as assert } from "node:assert";
import { after, before, test } from "node:test";
import { serve } from "../../../tools/serve.mjs";
import { assertNoKeySent, assertPicture, launch, makeItFail, makePicture, open } from "./page.mjs";
import { startStandIn } from "./stand-in.mjs";

const KEY = "sk-typed-3f9a0c";

/** @type {import("playwright-core").Browser} */
let browser;
/** @type {Awaited<ReturnType<typeof serve>>} */
let site;

before(async () => {
  browser = await launch();
  site = await serve({ env: {} });
});
after(async () => {
  await browser?.close();
  await site?.close();
});

test("directly_with_a_key_it_talks_to_the_service_warns_first_and_forgets_the_key", async () => {
  const service = await startStandIn(KEY);
  // The real service's address, answered by the stand-in.
  const context = await browser.newContext();
  await context.route("https://api.cometapi.com/**", async (route) => {
    const request = route.request();
    const url = request.url().replace("https://api.cometapi.com", service.url);
    await route.fulfill({ response: await route.fetch({ url }) });
  });
  try {
    const { page } = await open(context, site.url);
    await page.getByText("Settings", { exact: false }).first().click();
    await page.getByRole("radio", { name: /^The service, directly/ }).check();
    await page.getByText("A key in a page can be read by every script").waitFor();
    await page.getByText("Type the key of your account.").waitFor();
    await page.getByLabel("Key", { exact: true }).fill(`Bearer ${KEY}`);
    await page.getByLabel("Key", { exact: true }).blur();
    await page.getByText("paste it alone, without “Bearer”").waitFor();
    await page.getByLabel("Key", { exact: true }).fill(KEY);
    await page.getByLabel("Key", { exact: true }).blur();
    await page.getByText("Answers come from api.cometapi.com.").waitFor();
    await makePicture(page, "A kite");
    await page.locator(".card[data-state=done]").waitFor({ timeout: 60_000 });
    assert.equal(service.sandbox.submits, 1);
    assert.ok(service.headers.some(({ authorization }) => authorization === `Bearer ${KEY}`));

    const stored = await page.evaluate(async () => {
      const databases = await indexedDB.databases();
      const records = await Promise.all(
        databases.map(async ({ name = "" }) => {
          const request = indexedDB.open(name);
          const db = await new Promise((resolve) => (request.onsuccess = () => resolve(request.result)));
          const all = db.transaction("tasks").objectStore("tasks").getAll();
          return new Promise((resolve) => (all.onsuccess = () => resolve(all.result)));
        }),
      );
      return JSON.stringify([records, { ...localStorage }, { ...sessionStorage }, document.cookie]);
    });
    assert.ok(stored.includes("A kite"), "the task is kept");
    assert.ok(!stored.includes(KEY), "the key is not");
    const again = await open(context, site.url);
    assert.equal(await again.page.locator("#key").inputValue(), "");
    assert.equal(await again.page.locator("#badge").textContent(), "Sandbox");
    await assertNoKeySent(again.record.requests, KEY);
  } finally {
    await context.close();
    await service.close();
  }
});

test("speed_is_remembered_and_make_it_fail_is_not", async () => {
  const { page } = await open(browser, site.url);
  await makeItFail(page, "banned");
  await page.getByLabel("How fast the sandbox works").selectOption("60");
  await page
    .locator("#settings-summary")
    .getByText("sandbox · 60 times as fast · The prompt is refused")
    .waitFor();
  await page.reload();
  await page.locator("#settings-summary").getByText("sandbox · 60 times as fast", { exact: true }).waitFor();
  await assertPicture(await makePicture(page, "A kite"));
  await page.close();
});

test("a_task_that_is_being_sent_when_the_settings_change_is_not_lost", async () => {
  const { page, record } = await open(browser, site.url, { speed: "15" });
  let release = () => {};
  const held = new Promise((resolve) => (release = () => resolve(undefined)));
  await page.route("**/submit/imagine", async (route) => {
    await held;
    await route.continue();
  });
  await makePicture(page, "A kite");
  await makeItFail(page, "");
  await page.getByLabel("How fast the sandbox works").selectOption("60"); // another schedule: a new connection
  release();
  await page.locator(".card[data-state=done]").waitFor({ timeout: 60_000 });
  assert.deepEqual(record.errors, []);
  await page.close();
});

test("says_so_when_the_pages_server_does_not_answer", async () => {
  const page = await browser.newPage();
  await page.route("**/api/info", (route) => route.abort());
  await page.goto(site.url);
  await page.getByText("The server of this page does not answer.").waitFor();
  await page.close();
});
