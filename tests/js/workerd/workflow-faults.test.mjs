// A CometWorkflow in workerd's own engine whose service has bad moments, by the sandbox's script: whatever happens, one submit at
// most, and the task's file, or the truth about why not.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Host, World, eachOf } from "./harness.mjs";
import { clientModules } from "./modules.mjs";

const LIMIT = { timeout: 110_000 };
const PICTURE = { kind: "imagine", params: { prompt: "a boat" } };
const VIDEO = { kind: "veo", params: { prompt: "a kite", model: "sora-2" } };

/** @import { Fault } from "comet-tasks/sandbox" */

/** @param {Fault["on"]} on @param {Fault["do"][]} todo what goes wrong at the first such requests, one after another @returns {Fault[]} */
const first = (on, ...todo) => todo.map((what, at) => ({ on, at: at + 1, do: what }));
/** @param {number} status @param {string} [body] */
const says = (status, body) => ({ status, headers: { "retry-after": "0" }, ...(body && { body }) });
const HTML = "<html><body>502 Bad Gateway</body></html>";
const times = (/** @type {number} */ count, /** @type {any} */ what) => Array(count).fill(what);

/**
 * What goes wrong, how the instance ends (an error's text, or nothing when it does not matter to it), and how many tasks there are.
 * @type {[string, Fault[], RegExp | null, number][]}
 */
const BAD_MOMENTS = [
  ["a submit that does not arrive", first("submit", "drop_before"), /submit_unknown: network/, 0],
  ["a submit whose answer is lost", first("submit", "drop_after"), /submit_unknown: network/, 1],
  ["a submit whose answer is cut", first("submit", { truncateAt: 9 }), /submit_unknown: protocol/, 1],
  ["a submit that a web page answers", first("submit", says(200, HTML)), /protocol/, 0],
  ["a submit that the gateway breaks at", first("submit", says(502, HTML)), /submit_unknown: gateway/, 0],
  ["a submit that is refused for the key", first("submit", says(401)), /unauthorized/, 0],
  ["a submit with too many others", first("submit", says(429), says(429)), null, 1],
  [
    "readings that fail for a while",
    first("read", "drop_before", says(503), "drop_after", says(500, HTML)),
    null,
    1,
  ],
  ["a reading that is cut", first("read", { truncateAt: 30 }), null, 1],
  ["a reading whose key is refused", first("read", says(401)), /unauthorized.*task/, 1],
  ["a file that breaks off twice", first("asset", { truncateAt: 100 }, { truncateAt: 5000 }), null, 1],
  ["a file that is not found, once", first("asset", says(404)), null, 1],
  ["a file that is a page", first("asset", { contentType: "text/html" }), null, 1],
  ["a file's host that breaks five times", first("asset", ...times(5, says(503))), null, 1],
  ["a file that nobody may have", first("asset", ...times(9, "expire")), /(expired|forbidden): .*task/, 1],
];

/** @type {Host} */
let host;
let count = 0;

before(async () => {
  host = await new Host({
    modules: await clientModules("durable.mjs"),
    r2Buckets: ["BUCKET"],
    workflows: { FLOW: { name: "flow", className: "Probed" } },
  }).start();
});
after(() => host.stop());

/** @param {any} submit @param {Fault[]} faults @param {boolean} hooked */
async function run(submit, faults, hooked) {
  const world = new World(`faults-${(count += 1)}`, { faults });
  host.worlds.set(world.id, world);
  const params = { submit, bucket: "BUCKET", prefix: `${world.id}/`, timeoutMs: 1e11, hooked };
  await host.ask(`/create?id=${world.id}`, params);
  const end = await host.ended(world.id);
  const bucket = await host.bucket();
  const { objects } = await bucket.list({ prefix: `${world.id}/` });
  const files = objects.filter((/** @type {any} */ { key }) => !key.includes(".comet-tasks/"));
  return { world, end, files };
}

for (const [kind, submit, hooked] of /** @type {[string, any, boolean][]} */ ([
  ["a picture", PICTURE, false],
  ["a picture with a hook", PICTURE, true],
  ["a video", VIDEO, false],
])) {
  test(`${kind}: bad moments of the service cost no second submit and no task`, LIMIT, async () => {
    await eachOf(BAD_MOMENTS, async ([name, faults, message, submits]) => {
      const { world, end, files } = await run(submit, faults, hooked);
      const where = `${name}: ${JSON.stringify(end.error ?? end.status)} ${world.trace.slice(-3)}`;
      assert.equal(world.sandbox.submits, submits, where);
      assert.equal(end.status, message ? "errored" : "complete", where);
      if (message) assert.match(end.error.message, message, where);
      assert.equal(files.length, message ? 0 : 1, where);
      if (!message) assert.equal(files[0].size, end.output.assets[0].bytes, where);
    });
  });
}
