// A panic in a page: every wait of its client settles, the next call works, and the page hears of no error.
import { strict as assert } from "node:assert";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { LEAVE } from "../../../pkg/src/events.js";
import { wasmFolder } from "../../../tools/build.mjs";
import { folder } from "../installed.mjs";
import { withPanicIn } from "../support/patch.mjs";
import { launch } from "./page.mjs";

const ORIGIN = "http://page.test";
const dist = join(folder, "node_modules/comet-tasks/dist");
const type = (/** @type {string} */ path) => (path.endsWith(".js") ? "text/javascript" : "text/html");

/** The page, the package's files, the wasm that panics when a wait is left, and a service that answers for task 1 alone. */
async function serve(/** @type {import("playwright-core").Page} */ page) {
  const wasm = new Uint8Array(await readFile(join(dist, "comet_tasks.wasm")));
  const broken = withPanicIn(wasm, await readFile(join(wasmFolder, "glue.js"), "utf8"), "hear", LEAVE);
  await page.route(`${ORIGIN}/**`, async (route) => {
    const { pathname } = new URL(route.request().url());
    if (pathname === "/broken.wasm") {
      return route.fulfill({ contentType: "application/wasm", body: Buffer.from(broken) });
    }
    // The waits' own requests are under way until the end.
    if (pathname.startsWith("/mj/") && !pathname.includes("/1/")) return;
    if (pathname.startsWith("/mj/")) return route.fulfill({ json: { id: "1", status: "IN_PROGRESS" } });
    const body = pathname === "/" ? "<!doctype html>" : await readFile(join(dist, pathname));
    return route.fulfill({ contentType: type(pathname), body });
  });
}

/** Runs in the page. @param {string} entry @returns {Promise<any>} */
async function breakDown(entry) {
  /** @type {typeof import("comet-tasks")} */
  const { createClient, init } = await import(entry);
  await init("/broken.wasm");
  const client = createClient({ baseUrl: location.origin });
  const controller = new AbortController();
  const code = (/** @type {any} */ error) => error.code ?? error;
  const open = [
    client.poll("2", { intervalMs: 60_000 }).catch(code),
    client.watch("3", { intervalMs: 60_000 })[Symbol.asyncIterator]().next().catch(code),
  ];
  const left = client.poll("4", { intervalMs: 60_000, signal: controller.signal }).catch(code);
  await client.fetchTask("1");
  controller.abort("enough");
  const ended = await Promise.all([...open, left]);
  return { ended, status: (await client.fetchTask("1")).status };
}

test("a_panic_settles_every_wait_of_a_page_and_the_next_call_works", { timeout: 30_000 }, async (t) => {
  const browser = await launch();
  t.after(() => browser.close());
  const page = await browser.newPage();
  await serve(page);
  /** @type {string[]} */
  const errors = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  await page.goto(ORIGIN);
  for (const _ of ["first", "again"]) {
    const seen = await page.evaluate(breakDown, "/slim.js");
    assert.deepEqual(seen, { ended: ["panic", "panic", "enough"], status: "running" });
  }
  assert.deepEqual(errors, []);
});
