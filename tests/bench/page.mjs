// The demo's page with fifty live tasks, on a processor that is made four times slower: how long its frames take.
import { launch, open } from "../js/browser/page.mjs";
import { serve } from "../../tools/serve.mjs";
import { atMost, told } from "./table.mjs";

const TASKS = 50;
const SLOWER = 4;
const SECONDS = 15;
const LIVE = ".card[data-state=queued], .card[data-state=running]";

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
    await page.locator(".card[data-state=sending]").first().waitFor({ state: "detached" });
    const live = await page.locator(LIVE).count();
    const session = await page.context().newCDPSession(page);
    await session.send("Emulation.setCPUThrottlingRate", { rate: SLOWER });
    await session.send("Performance.enable", { timeDomain: "threadTicks" });
    const before = await busy(session);
    const { frames, long } = await page.evaluate(measure, SECONDS * 1000);
    const work = (1000 * ((await busy(session)) - before)) / frames.length;
    const busiest = await tracedWork(session, () => page.evaluate(measure, SECONDS * 500));
    const left = await page.locator(LIVE).count();
    return {
      title: `The page, ${TASKS} tasks sent, ${live} live, ${left} at the end, processor ${SLOWER} times slower, ${frames.length} frames`,
      lines: [
        atMost("99 of 100 frames take", at(frames, 0.99), 50, { unit: " ms" }),
        atMost("the page's own work in 99 of 100 frames", at(busiest, 0.99), 50, {
          unit: " ms of processor time",
        }),
        told("the page's own work in a frame, on the whole", `${work.toFixed(1)} ms of processor time`),
        told("half of the frames take", `${at(frames, 0.5).toFixed(1)} ms`),
        told("the longest takes", `${at(frames, 1).toFixed(1)} ms`),
        told("frames that the browser itself calls long, over 50 ms", String(long)),
      ],
    };
  } finally {
    await browser.close();
    await site.close();
  }
}

/** The value that this share of them stays under. @param {number[]} values @param {number} share */
function at(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

/** The seconds that the page's main thread has worked: what other programs take of the machine is not in it. @param {import("playwright-core").CDPSession} session */
async function busy(session) {
  const { metrics } = await session.send("Performance.getMetrics");
  return metrics.find(({ name }) => name === "TaskDuration")?.value ?? 0;
}

/**
 * The processor time of the page's main thread from frame to frame, by the browser's own trace. The time from frame to frame
 * has in it what else the machine does, above all on two processors with the server and the driver; this has not.
 * @param {import("playwright-core").CDPSession} session
 * @param {() => Promise<unknown>} run
 */
async function tracedWork(session, run) {
  /** @type {any[]} */
  const events = [];
  session.on("Tracing.dataCollected", ({ value }) => events.push(...value));
  const categories = { includedCategories: ["toplevel", "devtools.timeline"], excludedCategories: ["*"] };
  await session.send("Tracing.start", { transferMode: "ReportEvents", traceConfig: categories });
  await run();
  const complete = new Promise((resolve) => session.once("Tracing.tracingComplete", resolve));
  await session.send("Tracing.end");
  await complete;
  return workByFrame(events);
}

/** A frame begins with the task that calls back for it. @param {any[]} events @returns {number[]} milliseconds */
function workByFrame(events) {
  const callbacks = events.filter(({ name }) => name === "FireAnimationFrame");
  const { pid, tid } = callbacks[0];
  const ours = events.filter((event) => event.pid === pid && event.tid === tid && event.ph === "X");
  const starts = callbacks.filter((event) => event.pid === pid).map(({ ts }) => ts);
  /** @type {number[]} */
  const work = [];
  let end = 0;
  for (const { ts, dur, tdur } of ours.sort((a, b) => a.ts - b.ts || b.dur - a.dur)) {
    if (ts < end) continue; // a part of the task before
    end = ts + dur;
    if (starts.some((start) => start >= ts && start < end)) work.push(0);
    if (work.length > 0) work[work.length - 1] += (tdur ?? 0) / 1000;
  }
  return work;
}

/**
 * In the page: the time from frame to frame, and the browser's own count of long frames. The probe asks for each frame, so
 * that none is left out because nothing moved.
 * @param {number} ms
 */
async function measure(ms) {
  let long = 0;
  const observer = new PerformanceObserver((list) => (long += list.getEntries().length));
  observer.observe({ type: "long-animation-frame" });
  /** @type {number[]} */
  const frames = [];
  let last = await new Promise(requestAnimationFrame);
  for (const end = last + ms; last < end;) {
    const now = await new Promise(requestAnimationFrame);
    frames.push(now - last);
    last = now;
  }
  observer.disconnect();
  return { frames, long };
}
