// What the Worker refuses. No browser here: a browser would not send half of these.
import { strict as assert } from "node:assert";
import { after, before, test } from "node:test";
import { serve } from "../../../tools/serve.mjs";
import { startStandIn } from "./stand-in.mjs";

const key = "sk-test-51ac";
/** @type {Awaited<ReturnType<typeof serve>>} */
let site;
/** @type {Awaited<ReturnType<typeof startStandIn>>} */
let service;

before(async () => {
  service = await startStandIn(key);
  site = await serve({ env: { COMETAPI_KEY: key, COMETAPI_BASE_URL: `${service.url}/v1/`, SANDBOX: "" } });
});
after(async () => {
  await site?.close();
  await service?.close();
});

const imagine = {
  method: "POST",
  headers: { "content-type": "application/json", cookie: "a=b; comet_demo=0123456789abcdef0123456789abcdef" },
  body: '{"prompt":"a"}',
};

test("passes_a_known_route_with_its_own_key_and_without_the_callers_headers", async () => {
  const reply = await fetch(`${site.url}/api/comet/mj/submit/imagine`, {
    ...imagine,
    headers: {
      ...imagine.headers,
      authorization: "Bearer other",
      "x-forwarded-for": "192.0.2.1",
    },
  });
  assert.equal((await reply.json()).code, 1);
  const seen = service.headers.at(-1);
  assert.equal(seen?.authorization, `Bearer ${key}`);
  assert.equal(seen?.cookie, undefined);
  assert.equal(seen?.["x-forwarded-for"], undefined);
});

test("knows_each_browser_by_a_cookie_that_no_script_reads_and_no_other_site_sends", async () => {
  const [, name] =
    /^(comet_demo=[0-9a-f]{32}); (.*)$/.exec((await fetch(site.url)).headers.get("set-cookie") ?? "") ?? [];
  const page = await fetch(site.url, { headers: { cookie: name ?? "" } });
  assert.equal(page.headers.get("set-cookie"), null, "one that has a name keeps it");
  const first = (await fetch(site.url)).headers.get("set-cookie") ?? "";
  assert.match(first, /; Path=\/; Max-Age=31536000; HttpOnly; SameSite=Strict$/);
  assert.ok(!first.startsWith(name ?? "-"), "another browser has another name");

  const { cookie, ...headers } = imagine.headers;
  const nobody = await fetch(`${site.url}/api/comet/mj/submit/imagine`, { ...imagine, headers });
  assert.equal(nobody.status, 401);
  const { result } = await (await fetch(`${site.url}/api/comet/mj/submit/imagine`, imagine)).json();
  const read = (/** @type {string} */ as) =>
    fetch(`${site.url}/api/comet/mj/task/${result}/fetch`, { headers: { cookie: as } });
  assert.equal((await read(cookie)).status, 200);
  assert.equal((await read(name ?? "")).status, 404, "another browser's task");
});

test("answers_404_in_json_for_everything_else", async () => {
  const before = service.headers.length;
  for (const path of [
    "/api/comet/v1/models",
    "/api/comet/v1/chat/completions",
    "/api/comet/mj/submit/imagine/",
    "/api/comet/mj/task/1/../../../v1/models/fetch",
    "/api/comet/mj/task/..%2f..%2fv1%2fmodels/fetch",
    "/api/comet/cdn/1/0.mp4",
    "/api/comet",
    "/api/other",
  ]) {
    const reply = await fetch(site.url + path);
    assert.equal(reply.status, 404, path);
    assert.equal(typeof (await reply.json()).error.message, "string");
  }
  assert.equal((await fetch(`${site.url}/api/comet/mj/submit/imagine`)).status, 405);
  const sandbox = await fetch(`${site.url}/api/sandbox/mj/submit/imagine`, imagine);
  assert.deepEqual(
    [sandbox.status, (await sandbox.json()).error.message],
    [404, "This server has no sandbox."],
  );
  assert.equal(service.headers.length, before, "nothing of it reached the service");
});

test("refuses_a_call_from_another_site", async () => {
  for (const [name, value] of [
    ["origin", "https://example.com"],
    ["origin", "null"],
    ["sec-fetch-site", "cross-site"],
  ]) {
    const reply = await fetch(`${site.url}/api/comet/mj/submit/imagine`, {
      ...imagine,
      headers: { ...imagine.headers, [name]: value },
    });
    assert.equal(reply.status, 403, `${name}: ${value}`);
  }
});

test("sends_another_name_for_this_machine_to_the_one_address", async () => {
  const other = site.url.replace("127.0.0.1", "localhost");
  const reply = await fetch(`${other}/api/info`, { redirect: "manual" });
  assert.equal(reply.status, 302);
  assert.equal(reply.headers.get("location"), `${site.url}/`);
});

test("guards_the_page_and_the_api_with_headers", async () => {
  const page = await fetch(site.url);
  const policy = page.headers.get("content-security-policy") ?? "";
  for (const part of [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "frame-ancestors 'none'",
  ]) {
    assert.ok(policy.includes(part), part);
  }
  const api = await fetch(`${site.url}/api/info`);
  assert.match(api.headers.get("content-security-policy") ?? "", /^default-src 'none'.*; sandbox$/);
  for (const reply of [page, api]) {
    assert.equal(reply.headers.get("x-content-type-options"), "nosniff");
    assert.equal(reply.headers.get("referrer-policy"), "no-referrer");
  }
  assert.deepEqual(await api.json(), {
    service: { host: new URL(service.url).host, session: new URL(service.url).host },
    sandbox: null,
    keep: true,
  });
});
