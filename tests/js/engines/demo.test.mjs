// The demo's main path in the two other engines. A script beside the page drives it: no driver is needed.
import { strict as assert } from "node:assert";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { test } from "node:test";
import { serve } from "../../../tools/serve.mjs";
import { visit } from "../../matrix/engines.mjs";

const here = new URL("./", import.meta.url);
const page = await readFile(new URL("../../../www/public/index.html", here), "utf8");
const files = {
  "driven.html": page.replace("</body>", '<script type="module" src="drive.js"></script></body>'),
  "drive.js": await readFile(new URL("drive.js", here), "utf8"),
};

for (const engine of /** @type {const} */ (["Firefox", "WebKitGTK"])) {
  test(`makes_all_three_goes_on_from_one_and_finds_them_after_a_reload_in_${engine}`, async () => {
    const site = await serve({ env: {}, files });
    const listener = await listen();
    try {
      const address = `${site.url}/driven?report=${encodeURIComponent(listener.url)}`;
      assert.equal(await visit(engine, address, listener.reported), "done");
    } finally {
      listener.close();
      await site.close();
    }
  });
}

/** Where the page goes when it is done: no policy forbids that, as one forbids to send. */
async function listen() {
  /** @type {(outcome: string) => void} */
  let report = () => {};
  /** @type {Promise<string>} */
  const reported = new Promise((resolve) => (report = resolve));
  const server = createServer((request, reply) => {
    const outcome = new URL(request.url ?? "/", "http://host").searchParams.get("outcome");
    if (outcome) report(outcome);
    reply.end();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const address = server.address();
  if (typeof address !== "object" || !address) throw new Error("the listener has no port");
  return {
    url: `http://127.0.0.1:${address.port}/`,
    reported,
    close: () => server.close().closeAllConnections(),
  };
}
