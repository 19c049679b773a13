// The demo's page with fifty live tasks, on a processor that is made four times slower: how long its frames take.
import { launch, open } from "../js/browser/page.mjs";
import { serve } from "../../tools/serve.mjs";
import { atMost, told } from "./table.mjs";

const TASKS = 50;
const SLOWER = 4;
const SECONDS = 15;

/** @returns {Promise<import("./table.mjs").Section>} */
export async function page() {
  const site = await serve({ env: {} });
  const browser = await launch();
  try {
    const { page } = await open(browser, site.url);
    await page.locator("#timeline > summary").click();
    for (let i = 0; i < TASKS; i++) {
      await page.getByLabel("Prompt", { exact: true }).fill(`A boat, number ${i} sandbox:slow`);
      await page.getByRole("button", { name: "Make picture" }).click();
    }
    await page.waitForFunction(
      (count) =>
        document.querySelectorAll(".card[data-state=queued], .card[data-state=running]").length >= count,
      TASKS / 2,
    );
    const session = await page.context().newCDPSession(page);
    await session.send("Emulation.setCPUThrottlingRate", { rate: SLOWER });
    await session.send("Performance.enable", { timeDomain: "threadTicks" });
    const before = await busy(session);
    const { frames, live } = await page.evaluate(measure, SECONDS * 1000);
    const work = (1000 * ((await busy(session)) - before)) / frames.length;
    frames.sort((a, b) => a - b);
    const at = (/** @type {number} */ share) =>
      frames[Math.min(frames.length - 1, Math.floor(frames.length * share))];
    return {
      title: `The page, ${TASKS} tasks sent, ${live} live, processor ${SLOWER} times slower, ${frames.length} frames`,
      lines: [
        atMost("99 of 100 frames take", at(0.99), 50, { unit: " ms" }),
        told("the page's own work in a frame, on the whole", `${work.toFixed(1)} ms of processor time`),
        told("half of the frames take", `${at(0.5).toFixed(1)} ms`),
        told("the longest takes", `${at(1).toFixed(1)} ms`),
      ],
    };
  } finally {
    await browser.close();
    await site.close();
  }
}

/** The seconds that the page's main thread has worked: what other programs take of the machine is not in it. @param {import("playwright-core").CDPSession} session */
async function busy(session) {
  const { metrics } = await session.send("Performance.getMetrics");
  return metrics.find(({ name }) => name === "TaskDuration")?.value ?? 0;
}

/** In the page: the time from frame to frame. @param {number} ms */
async function measure(ms) {
  const live = document.querySelectorAll(".card[data-state=queued], .card[data-state=running]").length;
  /** @type {number[]} */
  const frames = [];
  let last = await new Promise(requestAnimationFrame);
  for (const end = last + ms; last < end;) {
    const now = await new Promise(requestAnimationFrame);
    frames.push(now - last);
    last = now;
  }
  return { frames, live };
}
