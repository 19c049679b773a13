// What the tests of the demo's page begin with: Chromium, and the demo without a key, for all tests of a file.
import { after, before } from "node:test";
import { serve } from "../../../tools/serve.mjs";
import { launch, open } from "./page.mjs";

export function startDemo() {
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
  return {
    get browser() {
      return browser;
    },
    get url() {
      return site.url;
    },
    /** A tab of its own, with cookies and storage of its own. @param {Parameters<typeof open>[2]} [options] */
    open: (options) => open(browser, site.url, options),
  };
}
