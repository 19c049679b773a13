// Making a task: pictures from everywhere, what is wrong said beside the field, and the request as code that runs.
import { strict as assert } from "node:assert";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { folder } from "../installed.mjs";
import { startDemo } from "./demo.mjs";
import { assertVideo, card, choose, drawPng, open } from "./page.mjs";
import { startStandIn } from "./stand-in.mjs";

const execute = promisify(execFile);
const KEY = "sk-code-91be";
const DROP = "Drop or paste a picture here, or choose one";

const demo = startDemo();
/** @type {Awaited<ReturnType<typeof startStandIn>>} */
let service;
/** @type {string} */
let work;

before(async () => {
  service = await startStandIn(KEY);
  // Below the folder that has the package installed, where a user's program would be.
  work = await mkdtemp(join(folder, "code-"));
});
after(async () => {
  await service?.close();
  await rm(work, { recursive: true, force: true });
});

for (const how of ["paste", "drop"]) {
  test(`a_picture_comes_in_by_${how}`, async () => {
    const { page, record } = await demo.open({ speed: "60" });
    if (how === "drop") await choose(page, "Midjourney video");
    await give(page, how, "image/png", (await drawPng(page)).toString("base64"));
    await page.locator(".drop.filled img").waitFor();
    await page.getByLabel("What should happen?").fill("The sails fill");
    await page.getByRole("button", { name: "Make video" }).click();
    await assertVideo(page, card(page, "The sails fill"));
    assert.deepEqual(record.errors, []);
    await page.close();
  });
}

test("a_picture_comes_in_by_its_address_and_one_that_is_no_address_is_refused_beside_the_field", async () => {
  const { page, record } = await demo.open({ speed: "60" });
  await choose(page, "Midjourney video");
  const address = page.getByLabel("or its address");
  await address.fill("boat.png");
  await page.getByRole("button", { name: "Make video" }).click();
  await page.locator("#image-problem").getByText("must begin with https://").waitFor();
  await address.fill("https://pictures.example/boat.png");
  await page.getByRole("button", { name: "Make video" }).click();
  await assertVideo(page, card(page, "A picture in low motion"));
  const sent = record.requests.find((request) => request.url().includes("/submit/video"));
  assert.equal(sent?.postDataJSON().image, "https://pictures.example/boat.png");
  await page.close();
});

test("a_file_that_is_no_picture_or_too_large_is_refused_beside_the_field", async () => {
  const { page } = await demo.open();
  await choose(page, "Midjourney video");
  const problem = page.locator("#image-problem");
  await give(page, "drop", "application/pdf", "AAAA");
  await problem.getByText("A PNG, JPEG or WebP picture is needed.").waitFor();
  const large = Buffer.alloc(21 * 1024 * 1024);
  await page
    .getByLabel(DROP, { exact: true })
    .setInputFiles({ name: "a.png", mimeType: "image/png", buffer: large });
  await problem.getByText("This picture has 21 MB; 20 MB is the most.").waitFor();
  await give(page, "drop", "image/png", "AAAA");
  await problem.getByText("This file could not be read as a picture.").waitFor();
  await page.close();
});

test("a_last_frame_without_a_first_is_refused_beside_the_field", async () => {
  const { page } = await demo.open();
  await choose(page, "Veo video");
  const frame = { name: "last.png", mimeType: "image/png", buffer: await drawPng(page) };
  await page.getByLabel("Last frame", { exact: true }).setInputFiles(frame);
  await page.getByLabel("Prompt", { exact: true }).fill("A kite");
  await page.getByRole("button", { name: "Make video" }).click();
  await page.locator("#frames-problem").getByText("A last frame needs a first one.").waitFor();
  await page.close();
});

for (const way of /** @type {const} */ (["Picture", "Midjourney video", "Veo video"])) {
  test(`the_code_shown_for_a_request_runs: ${way}`, async () => {
    const { page } = await demo.open();
    await page.locator("#code > summary").click();
    await choose(page, way);
    const picture = { name: "my boat.png", mimeType: "image/png", buffer: await drawPng(page) };
    await writeFile(join(work, picture.name), picture.buffer);
    if (way === "Midjourney video") await page.getByLabel(DROP, { exact: true }).setInputFiles(picture);
    if (way === "Veo video") await page.getByLabel("First frame", { exact: true }).setInputFiles(picture);
    const label = way === "Midjourney video" ? "What should happen?" : "Prompt";
    // What shells and strings stumble over.
    await page.getByLabel(label, { exact: true }).fill('It\'s "1 @ $5" \\ `now` sandbox:speed-1000');
    const code = page.locator("#code code");
    const program = await code.textContent();
    await choose(page, "curl");
    const command = await code.textContent();
    await page.close();

    // Unchanged, but for the service: the sandbox behind an address of its own.
    const options = { cwd: work, env: { ...process.env, COMETAPI_KEY: KEY } };
    const elsewhere = program?.replace("{ apiKey", `{ baseUrl: "${service.url}", apiKey`);
    await writeFile(join(work, "program.mjs"), elsewhere ?? "");
    const { stdout } = await execute(process.execPath, ["program.mjs"], options);
    assert.match(stdout, way === "Picture" ? /\[ 'http.*' \]/ : /\.mp4/);
    const shell = command?.replace("https://api.cometapi.com", service.url).replace("curl", "curl -sS");
    const reply = await execute("bash", ["-c", shell ?? ""], options);
    assert.match(reply.stdout, way === "Veo video" ? /"id":"task_/ : /"code":1,/);
  });
}

test("copies_the_code", async () => {
  const context = await demo.browser.newContext({ permissions: ["clipboard-read", "clipboard-write"] });
  const { page } = await open(context, demo.url);
  await page.getByLabel("Prompt", { exact: true }).fill("A kite");
  await page.locator("#code > summary").click();
  await page.getByRole("button", { name: "Copy", exact: true }).click();
  await page.getByRole("button", { name: "Copied" }).waitFor();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  assert.equal(copied, await page.locator("#code code").textContent());
  await context.close();
});

/**
 * Pastes into the page, or drops on the field that is there.
 * @param {import("playwright-core").Page} page @param {string} how @param {string} type @param {string} base64
 */
async function give(page, how, type, base64) {
  await page.evaluate(
    ({ how, type, base64 }) => {
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      const data = new DataTransfer();
      data.items.add(new File([bytes], "boat", { type }));
      const event =
        how === "paste"
          ? new ClipboardEvent("paste", { clipboardData: data, bubbles: true })
          : new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true });
      (how === "paste" ? document.body : document.querySelector(".drop"))?.dispatchEvent(event);
    },
    { how, type, base64 },
  );
}
