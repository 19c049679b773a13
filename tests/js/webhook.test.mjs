// Calls of notifyHook: anybody may send them, in any order, twice, or broken.
import assert from "node:assert/strict";
import { test } from "node:test";
import { importInstalled } from "./installed.mjs";
import { rejection } from "./support/replies.mjs";

const { parseWebhook, supersedes } = await importInstalled("comet-tasks");

/** @param {object} fields */
const hook = (fields) => JSON.stringify({ id: "1712345678901234", progress: "0%", ...fields });
/** @param {string} body */
const request = (body) => new Request("https://hook.example/x", { method: "POST", body });

test("a Request, a string and bytes are read alike", async () => {
  const body = hook({ status: "IN_PROGRESS", progress: "31%", state: "order-7" });
  for (const form of [request(body), body, new TextEncoder().encode(body)]) {
    const task = await parseWebhook(form);
    assert.deepEqual([task.status, task.progress, task.handle.id], ["running", 31, "1712345678901234"]);
    assert.equal(task.handle.state, "order-7");
  }
});

test("a body of five megabytes is read: a backend echoes the mask", async () => {
  const body = hook({
    status: "SUCCESS",
    imageUrl: "https://a.test/1.png",
    maskBase64: "A".repeat(5_000_000),
  });
  assert.deepEqual((await parseWebhook(request(body))).images, ["https://a.test/1.png"]);
});

test("raw is the service's own object, whatever stood before it", async () => {
  const task = await parseWebhook(`\ufeff ${hook({ status: "SUCCESS", discordInstanceId: "5" })}`);
  assert.equal(/** @type {any} */ (task.raw).discordInstanceId, "5");
  assert.ok(!JSON.stringify(task).includes("discordInstanceId"));
});

test("a body that was read before, or breaks off, is a protocol error with its cause", async () => {
  const used = request("{}");
  await used.text();
  const reason = new Error("the caller left");
  const broken = new Request(
    "https://hook.example/x",
    /** @type {any} */ ({
      method: "POST",
      body: new ReadableStream({ pull: (controller) => controller.error(reason) }),
      duplex: "half",
    }),
  );
  for (const body of [used, broken]) {
    const error = await rejection(parseWebhook(body));
    assert.deepEqual([error.code, error.operation, error.cause !== undefined], ["protocol", "webhook", true]);
  }
});

test("an endless body is refused while it is read", async () => {
  let sent = 0;
  const body = new ReadableStream({
    pull: (controller) => controller.enqueue(new Uint8Array((sent += 1) && 1024 * 1024).fill(0x20)),
  });
  const endless = new Request(
    "https://hook.example/x",
    /** @type {any} */ ({ method: "POST", body, duplex: "half" }),
  );
  assert.equal((await rejection(parseWebhook(endless))).code, "too_large");
  assert.ok(sent < 40, `${sent} MiB were read`);
});

for (const [name, body] of [
  ["nothing", ""],
  ["a page", "<html></html>"],
  ["half of an object", '{"id":"1","sta'],
  ["no task", '{"hello":"world"}'],
  ["a list", "[1, 2]"],
]) {
  test(`${name} is a protocol error`, async () => {
    const error = await rejection(parseWebhook(request(body)));
    assert.deepEqual([error.code, error.operation], ["protocol", "webhook"]);
  });
}

/** @param {[string, string][]} readings status and progress, in the order in which they came */
async function news(readings) {
  let [kept, count] = [await parseWebhook(hook({ status: "" })), 0];
  for (const [status, progress] of readings) {
    const next = await parseWebhook(hook({ status, progress, imageUrl: "https://a.test/1.png" }));
    if (!supersedes(kept, next)) continue;
    kept = next;
    count += 1;
  }
  return [kept.rawStatus, count];
}

test("a duplicate is no news", async () => {
  assert.deepEqual(
    await news([
      ["IN_PROGRESS", "31%"],
      ["IN_PROGRESS", "31%"],
    ]),
    ["IN_PROGRESS", 1],
  );
});

test("an older reading is no news after a newer one", async () => {
  assert.deepEqual(
    await news([
      ["IN_PROGRESS", "71%"],
      ["IN_PROGRESS", "31%"],
      ["SUBMITTED", "0%"],
    ]),
    ["IN_PROGRESS", 1],
  );
});

test("what has settled stays so", async () => {
  const late = await news([
    ["SUCCESS", "100%"],
    ["FAILURE", "100%"],
    ["IN_PROGRESS", "93%"],
    ["SUCCESS", "100%"],
  ]);
  assert.deepEqual(late, ["SUCCESS", 1]);
});

test("another task is never news of this one", async () => {
  const [one, other] = [
    await parseWebhook(hook({ status: "" })),
    await parseWebhook(hook({ id: "2", status: "SUCCESS" })),
  ];
  assert.equal(supersedes(one, other), false);
});
