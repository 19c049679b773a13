// Keeping what was made, and coming back to it.
import { strict as assert } from "node:assert";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { startDemo } from "./demo.mjs";
import { assertPicture, card, makePicture, makeVideo, open, waitFor } from "./page.mjs";

const TITLE = "A fox made of folded paper";

const demo = startDemo();

test("downloads_a_picture_under_its_title_and_copies_its_link", async () => {
  const context = await demo.browser.newContext({ permissions: ["clipboard-read", "clipboard-write"] });
  const { page, record } = await open(context, demo.url, { speed: "60" });
  const shown = await makePicture(page, TITLE);
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    shown.getByRole("button", { name: "Download" }).click(),
  ]);
  assert.match(download.suggestedFilename(), /^A-fox-made-of-folded-paper\.(png|webp|jpg)$/);
  const bytes = await readFile(await download.path());
  assert.ok(bytes.length > 1000);
  await shown.getByRole("button", { name: "Copy link" }).click();
  await shown.getByText("The link is copied.").waitFor();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  assert.deepEqual(await (await context.request.get(link)).body(), bytes);
  assert.deepEqual(record.errors, []);
  await context.close();
});

test("plays_a_clip_and_seeks_in_it", async () => {
  const { page } = await demo.open({ speed: "60" });
  const shown = await makeVideo(page, TITLE);
  await shown.getByRole("button", { name: "Show result 2 of 4" }).click();
  const at = await shown.locator("video").evaluate(async (video) => {
    if (!(video instanceof HTMLVideoElement)) throw new Error("not a video");
    video.pause();
    if (video.readyState < 1) await new Promise((resolve) => (video.onloadedmetadata = resolve));
    video.currentTime = video.duration / 2;
    await new Promise((resolve) => (video.onseeked = resolve));
    return video.currentTime / video.duration;
  });
  assert.ok(Math.abs(at - 0.5) < 0.2);
  await page.close();
});

test("keeps_files_in_a_folder_of_this_computer", async () => {
  const { page, record } = await demo.open({ speed: "60" });
  // The browser's own folder in the place of one that a person picks: the same kind of handle.
  await page.evaluate(() => {
    Object.assign(window, { showDirectoryPicker: () => navigator.storage.getDirectory() });
  });
  const shown = await makePicture(page, TITLE);
  await shown.getByRole("button", { name: "Keep in a folder …" }).click();
  await shown.getByText(/1 file kept in/).waitFor();
  const sizes = await page.evaluate(async () => {
    /** @type {number[]} */
    const found = [];
    /** @param {any} folder */
    const visit = async (folder) => {
      for await (const entry of folder.values()) {
        if (entry.kind === "directory") await visit(entry);
        else found.push((await entry.getFile()).size);
      }
    };
    await visit(await navigator.storage.getDirectory());
    return found;
  });
  assert.ok(sizes.length === 1 && sizes[0] > 1000, String(sizes));
  assert.deepEqual(record.errors, []);
  await page.close();
});

test("offers_the_bucket_only_where_the_server_has_one", async () => {
  const { page } = await demo.open({ speed: "60" });
  const shown = await makePicture(page, TITLE);
  await shown.getByRole("button", { name: "Download" }).waitFor();
  const info = await (await fetch(`${demo.url}/api/info`)).json();
  assert.equal(await shown.getByRole("button", { name: "Keep in the bucket" }).count(), info.keep ? 1 : 0);
  await page.close();
});

test("tasks_are_there_in_a_new_tab_and_removing_one_removes_it_in_all", async () => {
  const context = await demo.browser.newContext();
  const first = await open(context, demo.url, { speed: "60" });
  await makePicture(first.page, TITLE);
  await waitFor(first.page, TITLE, "done");
  const before = first.record.requests.splice(0);
  const submit = before.find((request) => request.method() === "POST");
  const { result: id } = await (await submit?.response())?.json();
  assert.ok(before.some((request) => isReadingOf(request, id)));
  const second = await open(context, demo.url);
  await assertPicture(card(second.page, TITLE));
  await makePicture(second.page, "A kite sandbox:slow");
  await waitFor(first.page, "A kite sandbox:slow", "running"); // the tab that leads asks for what the other sent
  await first.page.close();
  await waitFor(second.page, "A kite sandbox:slow", "done");
  const third = await open(context, demo.url);
  await card(third.page, TITLE).getByRole("button", { name: "Remove" }).click();
  await card(second.page, TITLE).waitFor({ state: "detached" });
  // Each of the three has led, and asked for what was still open.
  const after = [first, second, third].flatMap(({ record }) => record.requests);
  assert.ok(after.some((request) => request.url().includes("/mj/task/")));
  assert.deepEqual(
    after.filter((request) => isReadingOf(request, id)),
    [],
    "a settled task is not asked for",
  );
  await context.close();
});

/** @param {import("playwright-core").Request} request @param {string} id */
function isReadingOf(request, id) {
  return request.url().includes("/mj/task/") && `${request.url()} ${request.postData()}`.includes(id);
}

test("a_wait_that_was_stopped_is_stopped_in_all_tabs_and_after_a_reload", async () => {
  const context = await demo.browser.newContext();
  const { page } = await open(context, demo.url);
  const other = await open(context, demo.url);
  await makePicture(page, `${TITLE} sandbox:slow`);
  await card(other.page, `${TITLE} sandbox:slow`).getByRole("button", { name: "Stop waiting" }).click();
  await waitFor(page, `${TITLE} sandbox:slow`, "stopped");
  await page.reload();
  const shown = await waitFor(page, `${TITLE} sandbox:slow`, "stopped");
  await shown.getByText("The service goes on making it").waitFor();
  await shown.getByRole("button", { name: "Wait again" }).click();
  await waitFor(other.page, `${TITLE} sandbox:slow`, "running");
  await context.close();
});

test("without_a_connection_the_page_waits_and_goes_on_by_itself", async () => {
  const context = await demo.browser.newContext();
  const { page } = await open(context, demo.url, { speed: "60" });
  await makePicture(page, `${TITLE} sandbox:slow`);
  await waitFor(page, `${TITLE} sandbox:slow`, "running");
  await context.setOffline(true);
  await page.evaluate(() => fetch("/api/info").then(Promise.reject, () => {}));
  await context.setOffline(false);
  await waitFor(page, `${TITLE} sandbox:slow`, "done");
  await context.close();
});
