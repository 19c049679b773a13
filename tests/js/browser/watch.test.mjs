// Watching a task: what the board says of it, what can go wrong, and how it goes on from there.
import { strict as assert } from "node:assert";
import { test } from "node:test";
import { startDemo } from "./demo.mjs";
import { assertPicture, card, makeItFail, makePicture, waitFor } from "./page.mjs";

const TITLE = "A lighthouse in a winter storm";

const demo = startDemo();

test("says_how_far_a_task_is_how_long_it_may_take_and_what_it_was_asked", async () => {
  const { page, record } = await demo.open({ speed: "15" });
  await makePicture(page, `${TITLE} sandbox:slow`);
  const shown = await waitFor(page, `${TITLE} sandbox:slow`, "running");
  await shown.getByText(/about .* left, nine in ten within .* · \d+ requests?/).waitFor();
  await shown.getByText(/Being made · \d+ %/).waitFor();
  await shown
    .locator(".time")
    .getByText(/^\d:\d\d$/)
    .waitFor();
  await page.locator("#timeline > summary").click();
  await page
    .locator("#timeline .summary")
    .getByText(/requests? so far/)
    .waitFor();
  for (const part of [".request", ".sleep", ".reading"])
    await page.locator(`#timeline svg ${part}`).first().waitFor();
  assert.deepEqual(record.errors, []);
  await page.close();
});

test("goes_on_from_a_finished_picture_to_an_upscaled_one_and_to_a_video_and_its_continuation", async () => {
  const { page, record } = await demo.open({ speed: "60" });
  const grid = await makePicture(page, TITLE);
  await grid.getByRole("button", { name: "Upscale 2" }).click();
  const upscaled = card(page, `Upscale 2 · ${TITLE}`);
  await assertPicture(upscaled);
  await grid.getByRole("button", { name: "Vary 1" }).click();
  await assertPicture(card(page, `Vary 1 · ${TITLE}`));
  await upscaled.getByText("More ways to go on").click();
  await upscaled.getByRole("button", { name: "Animate, little motion" }).click();
  const video = card(page, `Animate, little motion · ${TITLE}`);
  await video.getByRole("button", { name: "Extend clip 1" }).click();
  await waitFor(page, `Extend clip 1 · ${TITLE}`, "done");
  assert.deepEqual(record.errors, []);
  await page.close();
});

test("a_task_that_asks_is_answered_in_its_card", async () => {
  const { page, record } = await demo.open({ speed: "60" });
  const grid = await makePicture(page, TITLE);
  await grid.getByRole("button", { name: "Upscale 1" }).click();
  const upscaled = card(page, `Upscale 1 · ${TITLE}`);
  await upscaled.getByText("More ways to go on").click();
  await upscaled.getByRole("button", { name: "Zoom out as you say …" }).click();
  const asking = card(page, `Zoom out as you say · ${TITLE}`);
  const prompt = asking.getByLabel("Prompt for what comes next");
  assert.ok(!(await prompt.inputValue()).includes("sandbox:"), "the sandbox's marks stay out of sight");
  await prompt.fill(`${TITLE} --zoom 1.8`);
  await asking.getByRole("button", { name: "Go on" }).click();
  await assertPicture(asking);
  assert.deepEqual(record.errors, []);
  await page.close();
});

test("an_answer_that_was_lost_is_sent_again_only_after_asking", async () => {
  const { page, record } = await demo.open({ speed: "60" });
  await makeItFail(page, "lost");
  await makePicture(page, TITLE);
  const shown = await waitFor(page, TITLE, "trouble");
  await shown.getByText("A task may exist and be billed").waitFor();
  await makeItFail(page, "");
  await shown.getByRole("button", { name: "Send again …" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("this makes a second one, billed again").waitFor();
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });
  assert.equal(submits(record), 1);
  await shown.getByRole("button", { name: "Send again …" }).click();
  await dialog.getByRole("button", { name: "Send it again" }).click();
  await waitFor(page, TITLE, "done");
  assert.equal(submits(record), 2);
  await page.close();
});

test("a_page_that_was_closed_while_it_sent_says_that_there_may_be_a_task", async () => {
  const { page, record } = await demo.open({ speed: "60" });
  await page.route("**/submit/imagine", () => {}); // never answered
  await makePicture(page, TITLE);
  await waitFor(page, TITLE, "sending");
  const make = page.getByRole("button", { name: "Make picture" });
  assert.equal(await make.getAttribute("aria-disabled"), "true");
  await page.getByLabel("Prompt", { exact: true }).press("Control+Enter"); // a second press while the first is under way makes no second task
  await page.reload();
  const shown = await waitFor(page, TITLE, "trouble");
  await shown.getByText("The page was closed before the answer came").waitFor();
  await shown.getByRole("button", { name: "Send again …" }).waitFor();
  assert.equal(submits(record), 1);
  await page.close();
});

for (const [fail, words] of /** @type {const} */ ([
  ["banned", "The service refuses this prompt"],
  ["quota", "The account has no credit left"],
  ["queue-full", "The service’s queue is full"],
  ["saturated", "Too many requests just now"],
  ["no-channel", "The service is not available"],
  ["rejected", "The service refused this"],
  ["fail", "The service could not make this"],
  ["cancel", "Cancelled at the service"],
])) {
  test(`says_in_words_what_went_wrong_and_what_to_do_next: ${fail}`, async () => {
    const { page } = await demo.open({ speed: "60" });
    await page.clock.install(); // the client's own repeats come after waits
    await makeItFail(page, fail);
    await makePicture(page, TITLE);
    const shown = page.locator(".card[data-state=trouble]");
    for (let turn = 0; !(await shown.isVisible()); turn++) {
      assert.ok(turn < 200, "nothing went wrong");
      await page.clock.runFor(500);
    }
    await shown.getByText(words, { exact: true }).waitFor();
    assert.ok((await shown.locator(".next").textContent())?.trim());
    await shown.getByRole("button", { name: "Change it" }).click();
    assert.equal(await page.getByLabel("Prompt", { exact: true }).inputValue(), TITLE);
    await makeItFail(page, "");
    await page.clock.resume();
    await shown.getByRole("button", { name: "Try again" }).click();
    await waitFor(page, TITLE, "done");
    await page.close();
  });
}

/** @param {{ requests: import("playwright-core").Request[] }} record */
function submits({ requests }) {
  return requests.filter((request) => request.url().includes("/submit/")).length;
}
