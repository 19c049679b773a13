// Promise 3: when the wasm breaks down, for whatever reason, every promise of its client settles, and the client works on.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { LEAVE } from "../../pkg/src/events.js";
import { wasmFolder } from "../../tools/build.mjs";
import { folder } from "./installed.mjs";
import { stopClock, turn } from "./support/clock.mjs";
import { withLittleMemory, withPanicIn, withoutEndIn } from "./support/patch.mjs";
import { BASE_URL, accepted, json, reading } from "./support/replies.mjs";
import { watch } from "./support/trace.mjs";

/** @type {unknown[]} */
const unhandled = [];
process.on("unhandledRejection", (reason) => unhandled.push(reason));
process.on("uncaughtException", (reason) => unhandled.push(reason));
after(() => assert.deepEqual(unhandled, [], "nothing is left unhandled"));

const dist = join(folder, "node_modules/comet-tasks/dist");
const entry = join(dist, "index.js");
const wasm = new Uint8Array(await readFile(join(dist, "comet_tasks.wasm")));
const glue = await readFile(join(wasmFolder, "glue.js"), "utf8");

const HANDLE = { v: 1, family: "midjourney", kind: "imagine", id: "1712345678901234", submittedAt: 0 };
/** A task that takes more memory than there is. */
const large = JSON.stringify({ id: "1", status: "IN_PROGRESS", prompt: "a".repeat(900_000) });

/** How it breaks down: the wasm, and what makes it. @type {[string, Uint8Array, (scene: Scene) => unknown][]} */
const deaths = [
  ["a panic", withPanicIn(wasm, glue, "hear", LEAVE), ({ abort }) => abort()],
  ["memory that ends", withLittleMemory(wasm, 1), ({ client }) => client.fetchTask("large").catch(() => {})],
  ["a stack that ends", withoutEndIn(wasm, glue, "hear", LEAVE, 6), ({ abort }) => abort()],
];

/** @typedef {{ client: any, abort(): void }} Scene */

/** A package of its own, whose clients have this module. @param {Uint8Array} bytes @param {string} name */
async function packageWith(bytes, name) {
  /** @type {typeof import("comet-tasks")} */
  const { createClient, init } = await import(`${pathToFileURL(entry).href}?${encodeURIComponent(name)}`);
  await init(bytes);
  return createClient;
}

/** Answers what makes the wasm break down, and whatever is read once it is open. Nothing else. */
function service() {
  /** @type {string[]} */
  const asked = [];
  const state = { isOpen: false, asked, late: /** @type {(() => void)[]} */ ([]) };
  const fetch = async (/** @type {any} */ url, /** @type {any} */ { method }) => {
    asked.push(`${method} ${new URL(url).pathname}`);
    if (url.endsWith("/large/fetch")) return json(large);
    if (!state.isOpen) await new Promise((resolve) => state.late.push(() => resolve(undefined)));
    return method === "POST" ? accepted() : reading("IN_PROGRESS");
  };
  return Object.assign(state, { fetch });
}

/** @param {number} count */
async function turns(count) {
  for (let turned = 0; turned < count; turned += 1) await turn();
}

for (const [name, bytes, die] of deaths) {
  test(`${name} settles every call, and the next one works`, async (t) => {
    stopClock(t);
    const createClient = await packageWith(bytes, name);
    const [own, foreign] = [service(), service()];
    const client = createClient({ baseUrl: BASE_URL, fetch: /** @type {any} */ (own.fetch) });
    const other = createClient({ baseUrl: BASE_URL, fetch: /** @type {any} */ (foreign.fetch) });
    const controller = new AbortController();
    const calls = {
      poll: watch(client.poll(/** @type {any} */ (HANDLE))),
      bare: watch(client.poll("1712345678909999")),
      asleep: watch(client.poll(/** @type {any} */ ({ ...HANDLE, id: "3", submittedAt: Date.now() }))),
      watch: watch(
        client
          .watch(/** @type {any} */ (HANDLE))
          [Symbol.asyncIterator]()
          .next(),
      ),
      fetch: watch(client.fetchTask("1712345678901234")),
      submit: watch(client.submitImagine({ prompt: "a" })),
      run: watch(client.run({ kind: "imagine", params: { prompt: "a" } })),
    };
    const untouched = watch(other.fetchTask("1712345678901234"));
    const aborted = watch(client.poll("5", { signal: controller.signal }));
    await turns(20);
    const left = own.asked.length;
    die({ client, abort: () => controller.abort("enough") });
    const isDead = name !== "memory that ends";
    const next = watch(isDead ? client.fetchTask("7") : Promise.resolve({ status: "running" }));
    await turns(20);
    for (const [call, seen] of Object.entries({
      ...calls,
      ...(!isDead && { aborted }),
    })) {
      assert.equal(seen.reason?.code, "panic", `${call}: ${JSON.stringify(seen)}`);
      const mayHaveLeft = call === "submit" || call === "run";
      assert.equal(seen.reason.ambiguous, mayHaveLeft, call);
      assert.equal(seen.reason.retryable, false, call);
      if (!mayHaveLeft) assert.equal(typeof seen.reason.handle?.id, "string", call);
    }
    assert.ok(own.asked.length <= left + 1, "nothing is sent again");
    assert.equal(next.reason, undefined, "a call of the same turn has an instance that works");
    assert.equal(untouched.isSettled, false);
    for (const { late } of [own, foreign]) late.forEach((come) => come());
    for (const served of [own, foreign]) served.isOpen = true;
    await turns(20);
    assert.equal(untouched.value?.status, "running");
    assert.equal(next.value?.status, "running");
    assert.equal((await client.fetchTask("1712345678901234")).status, "running");
    for (const used of [client, other]) used.close();
    await turns(5);
  });
}
