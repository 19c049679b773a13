// Keeping in the bucket: by the page's button in Chromium, and what the Worker gives and refuses.
import { strict as assert } from "node:assert";
import { test } from "node:test";
import { importInstalled } from "../installed.mjs";
import { serve } from "../../../tools/serve.mjs";
import { startDemo } from "./demo.mjs";
import { makeVideo, waitFor } from "./page.mjs";

const TITLE = "A fox made of folded paper";
const { createClient } = await importInstalled("comet-tasks");

const demo = startDemo();

/** A browser's name, and its client. @param {string} letter @param {string} [url] of the demo */
function visitor(letter, url = demo.url) {
  const cookie = `comet_demo=${letter.repeat(32)}`;
  const client = createClient({ baseUrl: `${url}/api/sandbox`, headers: { cookie } });
  /** @param {object} body @param {Record<string, string>} [headers] */
  const keep = (body, headers) =>
    fetch(`${url}/api/keep`, {
      method: "POST",
      headers: { "content-type": "application/json", cookie, ...headers },
      body: JSON.stringify({ from: "sandbox", ...body }),
    });
  /** @param {string} path @param {Record<string, string>} [headers] @param {string} [method] */
  const get = (path, headers, method) =>
    fetch(new URL(path, url), { method, headers: { cookie, ...headers } });
  return { client, keep, get };
}

/** @param {ReturnType<typeof visitor>} visitor */
async function keptClip({ client, keep }) {
  const params = { prompt: "a kite sandbox:speed-60" };
  const task = await client.run({ kind: "veo", params }, { intervalMs: 100 });
  const reply = await keep({ handle: task.handle });
  assert.equal(reply.status, 200, await reply.clone().text());
  const { assets } = await reply.json();
  return {
    task,
    assets,
    whole: Buffer.from(await (await client.downloadContent(task.handle)).arrayBuffer()),
  };
}

test("the_button_keeps_the_clips_and_the_page_plays_and_seeks_what_is_kept", async () => {
  const { page, record } = await demo.open({ speed: "60" });
  const shown = await makeVideo(page, TITLE);
  await waitFor(page, TITLE, "done");
  await shown.getByRole("button", { name: "Show result 2 of 4" }).click();
  await shown.getByRole("button", { name: "Keep in the bucket" }).click();
  await shown.getByText("4 files kept in the bucket, and shown from there.").waitFor();
  const seen = await shown.locator("video").evaluate(async (video) => {
    if (!(video instanceof HTMLVideoElement)) throw new Error("not a video");
    video.pause();
    if (video.readyState < 1) await new Promise((resolve) => (video.onloadedmetadata = resolve));
    video.currentTime = video.duration / 2;
    await new Promise((resolve) => (video.onseeked = resolve));
    return { path: new URL(video.src).pathname, at: video.currentTime / video.duration };
  });
  assert.match(seen.path, /^\/kept\/sandbox\/\d+\/1\.mp4$/);
  assert.ok(Math.abs(seen.at - 0.5) < 0.2, String(seen.at));
  const asked = record.requests.find((request) => request.url().endsWith(seen.path));
  assert.ok((await asked?.allHeaders())?.range, "a player asks for a part");
  assert.equal((await asked?.response())?.status(), 206);
  assert.deepEqual(record.errors, []);
  await page.close();
});

test("what_was_kept_is_shown_from_the_bucket_after_a_reload", async () => {
  const { page, record } = await demo.open({ speed: "60" });
  const shown = await makeVideo(page, TITLE);
  await shown.getByRole("button", { name: "Keep in the bucket" }).click();
  await shown.getByText("4 files kept in the bucket, and shown from there.").waitFor();
  await page.reload();
  await shown.getByText("Kept in the bucket, and shown from there.").waitFor();
  const source = await shown
    .locator("video")
    .evaluate((video) => /** @type {HTMLVideoElement} */ (video).src);
  assert.match(new URL(source).pathname, /^\/kept\/sandbox\/\d+\/0\.mp4$/);
  assert.equal(await shown.getByRole("button", { name: "Keep in the bucket" }).count(), 0);
  assert.deepEqual(record.errors, []);
  await page.close();
});

test("gives_a_kept_file_back_whole_in_parts_and_not_again_to_whom_has_it", async () => {
  const alice = visitor("a");
  const { assets, whole } = await keptClip(alice);
  const [{ url, ...told }] = assets;
  assert.deepEqual(
    [assets.length, told],
    [1, { kind: "video", contentType: "video/mp4", bytes: whole.length }],
  );
  const reply = await alice.get(url);
  assert.deepEqual(Buffer.from(await reply.arrayBuffer()), whole);
  const expected = {
    "accept-ranges": "bytes",
    "cache-control": "private, max-age=300",
    "content-length": `${whole.length}`,
    "content-type": "video/mp4",
    "cross-origin-resource-policy": "same-origin",
    vary: "cookie",
    "x-content-type-options": "nosniff",
  };
  for (const [name, value] of Object.entries(expected)) assert.equal(reply.headers.get(name), value, name);
  assert.match(reply.headers.get("content-security-policy") ?? "", /^default-src 'none'.*; sandbox$/);
  const etag = reply.headers.get("etag") ?? "";
  for (const list of [etag, `"other", W/${etag}`, "*"]) {
    assert.equal((await alice.get(url, { "if-none-match": list })).status, 304, list);
  }
  assert.equal((await alice.get(url, { "if-none-match": '"other"' })).status, 200);
  const head = await alice.get(url, {}, "HEAD");
  assert.deepEqual([head.status, head.headers.get("content-length")], [200, `${whole.length}`]);
  assert.equal((await alice.get(url, {}, "DELETE")).status, 405);
});

test("a_range_gets_its_bytes_and_one_outside_of_the_file_416", async () => {
  const alice = visitor("a");
  const { assets, whole } = await keptClip(alice);
  const [{ url }] = assets;
  const size = whole.length;
  for (const [range, first, last] of /** @type {[string, number, number][]} */ ([
    ["bytes=0-", 0, size - 1],
    ["bytes=4-7", 4, 7],
    [`bytes=100-${size * 2}`, 100, size - 1],
    ["bytes=-20", size - 20, size - 1],
    [`bytes=-${size * 2}`, 0, size - 1],
  ])) {
    const part = await alice.get(url, { range });
    assert.equal(part.status, 206, range);
    assert.equal(part.headers.get("content-range"), `bytes ${first}-${last}/${size}`);
    assert.deepEqual(Buffer.from(await part.arrayBuffer()), whole.subarray(first, last + 1), range);
  }
  for (const range of [`bytes=${size}-`, "bytes=-0"]) {
    const part = await alice.get(url, { range });
    assert.deepEqual([part.status, part.headers.get("content-range")], [416, `bytes */${size}`], range);
  }
  for (const range of ["bytes=7-4", "bytes=0-1,4-5", "bytes=-", "pages=1-2"]) {
    assert.equal((await alice.get(url, { range })).status, 200, range);
  }
  const other = { range: "bytes=4-7", "if-range": '"other"' };
  assert.equal((await alice.get(url, other)).status, 200, "a part of another file fits to nothing");
});

test("doing_it_again_is_harmless_and_nobody_else_gets_the_file", async () => {
  const [alice, bob] = [visitor("a"), visitor("b")];
  const { task, assets } = await keptClip(alice);
  const etag = (await alice.get(assets[0].url)).headers.get("etag");
  assert.deepEqual((await (await alice.keep({ handle: task.handle })).json()).assets, assets);
  assert.equal((await alice.get(assets[0].url)).headers.get("etag"), etag);
  assert.equal((await bob.get(assets[0].url)).status, 404);
  assert.equal((await bob.keep({ handle: task.handle })).status, 404, "another browser's task");
  assert.equal((await fetch(new URL(assets[0].url, demo.url))).status, 404, "no name");
  for (const path of ["/kept/", "/kept/../kept/x", "/kept/%2e%2e/x", "/kept/..%2fx"]) {
    assert.equal((await alice.get(path)).status, 404, path);
  }
  for (const [name, value] of [
    ["origin", "https://example.com"],
    ["origin", "null"],
    ["sec-fetch-site", "cross-site"],
  ]) {
    assert.equal((await alice.keep({ handle: task.handle }, { [name]: value })).status, 403, name);
    assert.equal((await alice.get(assets[0].url, { [name]: value })).status, 403, name);
  }
  assert.equal((await alice.keep({ handle: task.handle }, { origin: demo.url })).status, 200);
});

test("whoever_keeps_too_often_is_refused_for_a_while_and_nobody_else_is", async () => {
  const [carol, dave] = [visitor("c"), visitor("d")];
  /** @type {Response | undefined} */
  let refused;
  for (let i = 0; i < 31; i++) refused = await carol.keep({});
  assert.equal(refused?.status, 429);
  assert.equal(refused?.headers.get("retry-after"), "60");
  assert.match((await refused?.json()).error.message, /^Too many/);
  assert.equal((await dave.keep({})).status, 400);
});

test("a_file_that_is_larger_than_the_server_allows_is_not_kept", async () => {
  const small = await serve({ env: { KEPT_MAX_BYTES: "1000" } });
  try {
    const { client, keep } = visitor("a", small.url);
    const params = { prompt: "a kite sandbox:speed-60" };
    const { handle } = await client.run({ kind: "veo", params }, { intervalMs: 100 });
    const reply = await keep({ handle });
    assert.equal(reply.status, 413);
    assert.match((await reply.json()).error.message, /the file is too large/);
  } finally {
    await small.close();
  }
});

test("says_in_words_why_nothing_is_kept", async () => {
  const alice = visitor("a");
  const handle = await alice.client.submitImagine({ prompt: "a boat sandbox:slow" });
  const early = await alice.keep({ handle });
  assert.equal(early.status, 409);
  assert.match((await early.json()).error.message, /not succeeded/);
  assert.equal((await alice.keep({ handle }, { cookie: "a=b" })).status, 401);
  assert.equal((await alice.keep({ handle: { ...handle, id: "17" } })).status, 404);
  assert.equal((await alice.keep({ handle: { ...handle, v: 2 } })).status, 400);
  assert.equal((await alice.keep({})).status, 400);
  assert.equal((await alice.keep({ from: "service", handle })).status, 400, "there is none");
  assert.equal((await alice.keep({ handle, more: "x".repeat(20_000) })).status, 413);
  assert.equal((await alice.get("/api/keep")).status, 405);
});
