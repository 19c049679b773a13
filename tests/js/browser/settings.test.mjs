// The settings: who answers, with which key, and what the sandbox does.
import { strict as assert } from "node:assert";
import { test } from "node:test";
import { startDemo } from "./demo.mjs";
import { serve } from "../../../tools/serve.mjs";
import {
  assertNoKeySent,
  assertNoKeyShown,
  assertPicture,
  card,
  makeItFail,
  makePicture,
  open,
  openSettings,
  reload,
} from "./page.mjs";
import { startStandIn } from "./stand-in.mjs";

const KEY = "sk-typed-3f9a0c";

const demo = startDemo();

test("directly_with_a_key_it_talks_to_the_service_warns_first_and_forgets_the_key", async () => {
  const service = await startStandIn(KEY);
  // The real service's address, answered by the stand-in.
  const context = await demo.browser.newContext();
  await context.route("https://api.cometapi.com/**", async (route) => {
    const request = route.request();
    const url = request.url().replace("https://api.cometapi.com", service.url);
    await route.fulfill({ response: await route.fetch({ url }) });
  });
  try {
    const { page } = await open(context, demo.url);
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
    const again = await open(context, demo.url);
    assert.equal(await again.page.locator("#key").inputValue(), "");
    assert.equal(await again.page.locator("#badge").textContent(), "Sandbox");
    await assertNoKeySent(again.record.requests, KEY);
  } finally {
    await context.close();
    await service.close();
  }
});

test("beside_a_key_the_sandbox_is_a_choice_that_reaches_the_service_never_and_is_remembered", async () => {
  const service = await startStandIn(KEY);
  const keyed = await serve({ env: { COMETAPI_KEY: KEY, COMETAPI_BASE_URL: service.url } });
  try {
    const { page, record } = await open(demo.browser, keyed.url);
    assert.equal(await page.locator("#badge").textContent(), "Live");
    await openSettings(page);
    await page.getByRole("radio", { name: /^Sandbox/ }).check();
    await page.getByLabel("How fast the sandbox works").selectOption("60");
    assert.equal(await page.locator("#badge").textContent(), "Sandbox");
    await assertPicture(await makePicture(page, "A kite"));
    await assertNoKeyShown(record.requests, KEY);
    record.requests.length = 0; // a reload forgets their bodies
    await reload(page);
    assert.equal(await page.locator("#badge").textContent(), "Sandbox");
    await card(page, "A kite").waitFor();
    await assertPicture(await makePicture(page, "A fox"));
    assert.equal(service.headers.length, 0, "nothing of it reached the service");

    await openSettings(page);
    await page.getByRole("radio", { name: /^The service, through/ }).check();
    assert.equal(await page.locator("#badge").textContent(), "Live");
    await card(page, "A kite").waitFor({ state: "detached" }); // what one made, the other does not know
    await makePicture(page, "A boat");
    await page.locator(".card[data-state=done]").waitFor({ timeout: 60_000 });
    assert.equal(service.sandbox.submits, 1);
    await assertNoKeySent(record.requests, KEY);
    await assertNoKeyShown(record.requests, KEY);
    assert.deepEqual(record.errors, []);
    await page.close();
  } finally {
    await keyed.close();
    await service.close();
  }
});

test("what_the_server_does_not_have_cannot_be_chosen_and_says_why", async () => {
  const { page } = await demo.open();
  await openSettings(page);
  const server = page.getByRole("radio", { name: /^The service, through this page’s server/ });
  assert.ok(await server.isDisabled());
  await page.getByText("Not here: this page’s server has no key.").waitFor();
  await page.close();
  const bare = await serve({ env: { COMETAPI_KEY: KEY, SANDBOX: "" } });
  try {
    const { page } = await open(demo.browser, bare.url);
    // Chosen once, where there was one.
    await page.evaluate(() => {
      localStorage.setItem("comet-tasks-demo-settings", JSON.stringify({ service: "sandbox" }));
    });
    await reload(page);
    assert.equal(await page.locator("#badge").textContent(), "Live");
    await openSettings(page);
    assert.ok(await page.getByRole("radio", { name: /^Sandbox/ }).isDisabled());
    await page.getByText("Not here: its tasks would live in the memory of one machine.").waitFor();
    await page.close();
  } finally {
    await bare.close();
  }
});

test("speed_is_remembered_and_make_it_fail_is_not", async () => {
  const { page } = await demo.open();
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
  const { page, record } = await demo.open({ speed: "15" });
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
  const page = await demo.browser.newPage();
  await page.route("**/api/info", (route) => route.abort());
  await page.goto(demo.url);
  await page.getByText("The server of this page does not answer.").waitFor();
  await page.close();
});
