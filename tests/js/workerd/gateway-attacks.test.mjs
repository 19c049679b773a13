// Attacks on the gateway in workerd. Each is a request that is accepted, changed in one respect: refused, and nothing of it
// arrives at the service; or what would have been its gain is not there. tools/mutants.mjs shows that each finds its guard
// gone.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { BASE, PAGE, header } from "./attacks/asks.mjs";
import { bodies } from "./attacks/bodies.mjs";
import { guards } from "./attacks/guards.mjs";
import { heads } from "./attacks/heads.mjs";
import { ids } from "./attacks/ids.mjs";
import { replies } from "./attacks/replies.mjs";
import { KEY, SECRET, pageClient, startGateway } from "./gateway-kit.mjs";

const LIMIT = { timeout: 30_000 };
const QUICK = { intervalMs: 20 };
const STRICT = {
  allowOrigins: [PAGE, "https://other.example"],
  models: ["veo3-fast"],
  allow: ["imagine", "veo", "task"],
  maxBodyBytes: 64 * 1024,
};
/** @type {NonNullable<import("./attacks/asks.mjs").Attack["attack"]>} */
const same = (ask) => ask;
const attacks = [...ids, ...heads, ...bodies, ...replies];

/** @type {Record<"plain" | "strict", Awaited<ReturnType<typeof startGateway>>>} */
let gateways;
/** @type {import("./attacks/asks.mjs").Facts} */
let facts;
/** What the service answers in an attack. @type {((request: Request) => Response) | undefined} */
let service;

before(async () => {
  const answer = (/** @type {Request} */ request) => {
    if (!request.url.startsWith("https://service.example/")) return new Response("nobody should come here");
    return service?.(request);
  };
  const [plain, strict] = await Promise.all([
    startGateway({ answer }),
    startGateway({ answer, options: STRICT }),
  ]);
  gateways = { plain, strict };
  const [alice, bob] = await Promise.all([tasksOf("alice"), tasksOf("bob")]);
  facts = { alice, bob, origin: plain.origin };
});
after(() => Promise.all(Object.values(gateways).map(({ close }) => close())));

/** Every kind of task that an attack needs. @param {string} name @returns {Promise<import("./attacks/asks.mjs").Tasks>} */
async function tasksOf(name) {
  const client = await pageClient(gateways.plain.origin, name);
  const [grid, video, veo] = await Promise.all([
    client.run({ kind: "imagine", params: { prompt: "a boat" } }, QUICK),
    client.run({ kind: "video", params: { image: "https://a.example/i.png" } }, QUICK),
    client.run({ kind: "veo", params: { prompt: "a kite" } }, QUICK),
  ]);
  /** @param {import("comet-tasks").Task} task @param {RegExp} label */
  const press = (task, label) => {
    const { customId = "" } = task.buttons.find((button) => label.test(button.customId)) ?? {};
    return client.run({ kind: "action", params: { taskId: task.handle.id, customId } }, QUICK);
  };
  const picture = await press(grid, /upsample/);
  const question = await press(picture, /CustomZoom/);
  const [one, two, three] = [grid, picture, question].map(({ handle }) => handle.id);
  const customId = grid.buttons.find((button) => button.customId.includes("variation"))?.customId ?? "";
  const others = { zoom: "", video: video.handle.id, veo: veo.handle.id, customId };
  return { grid: one ?? "", picture: two ?? "", question: three ?? "", ...others };
}

for (const { name, guard, gateway = "plain", control, attack = same, ...expected } of attacks) {
  test(`${name} [${guard}]`, LIMIT, async () => {
    const { arrived, ask } = gateways[gateway];
    const before = arrived.length;
    service = expected.service && ((request) => /** @type {any} */ (expected).service(request, facts));
    const told = await ask(attack(control(facts), facts)).finally(() => (service = undefined));
    const came = arrived.slice(before);
    if (expected.holds) {
      expected.holds(told, came, facts);
    } else {
      assert.ok([expected.status].flat().includes(told.status), `${told.status} ${told.text.slice(0, 300)}`);
      assert.deepEqual(came, [], "it arrived at the service");
    }
    assertNoSecret(told);
    assertSafe(told);
    await assertAccepted(gateway, control(facts));
  });
}

/** The control: the service gets it, and the caller the service's answer. @param {"plain" | "strict"} gateway @param {import("./gateway-kit.mjs").Ask} asked */
async function assertAccepted(gateway, asked) {
  const { arrived, ask } = gateways[gateway];
  const before = arrived.length;
  const told = await ask(asked);
  assert.ok(told.status < 300, `the control: ${told.status} ${told.text.slice(0, 300)}`);
  assert.equal(arrived.length, before + 1);
  if (told.text.startsWith('{"code"')) assert.ok([1, 21, 22].includes(JSON.parse(told.text).code), told.text);
  assertNoSecret(told);
}

/** @param {import("./gateway-kit.mjs").Told} told */
function assertNoSecret({ text, headers }) {
  for (const secret of [KEY, SECRET]) assert.ok(!(text + JSON.stringify(headers)).includes(secret));
}

/** @param {import("./gateway-kit.mjs").Told} told */
function assertSafe({ headers }) {
  // workerd itself answers what it cannot read as HTTP.
  if (headers["content-type"] === undefined && headers["x-content-type-options"] === undefined) return;
  assert.equal(headers["x-content-type-options"], "nosniff");
}

test(
  "a preflight of a named origin is answered, and its request may be read by that origin alone",
  LIMIT,
  async () => {
    const { ask } = gateways.strict;
    const preflight = {
      method: "OPTIONS",
      path: `${BASE}/mj/submit/imagine`,
      headers: {
        origin: PAGE,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization",
      },
    };
    const told = await ask(preflight);
    assert.equal(told.status, 204);
    assert.equal(told.headers["access-control-allow-origin"], PAGE);
    assert.equal(told.headers["access-control-allow-headers"], "authorization");
    const post = header("origin", "https://other.example")(await heads[0].control(facts));
    assert.equal((await ask(post)).headers["access-control-allow-origin"], "https://other.example");
  },
);

test("there are at least sixty attacks, each has a name of its own and a guard that is known", () => {
  assert.ok(attacks.length >= 60, `${attacks.length}`);
  assert.equal(new Set(attacks.map(({ name }) => name)).size, attacks.length);
  const known = guards.map(({ name }) => name);
  assert.deepEqual([...new Set(attacks.map(({ guard }) => guard))].sort(), known.sort());
  console.log(`${attacks.length} attacks, ${known.length} guards`);
});

test("nothing that was logged holds the key or the secret", () => {
  for (const { log } of Object.values(gateways)) {
    for (const secret of [KEY, SECRET]) assert.ok(!log().includes(secret));
    assert.ok(log().includes('"operation"'));
  }
});
