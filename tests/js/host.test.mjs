// What stands between an instance of the wasm and its host, with an instance made up for each test.
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { runInNewContext } from "node:vm";
import { WOKE } from "../../pkg/src/events.js";
import { Host } from "../../pkg/src/host.js";
import { isModule } from "../../pkg/src/instance.js";

const empty = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);

test("a module of another realm is a module", () => {
  const { Module } = runInNewContext("WebAssembly");
  const foreign = new Module(empty);
  assert.equal(foreign instanceof WebAssembly.Module, false);
  assert.equal(isModule(foreign), true);
  assert.equal(isModule(new WebAssembly.Module(empty)), true);
  assert.equal(isModule({}), false);
});

test("what an instance throws in a turn or a timer is told to its client and to nobody else", async (t) => {
  const error = new Error("a trap");
  const trap = () => {
    throw error;
  };
  const { host, trapped } = hostOf(trap);
  fakeTimers(t);
  host.soon(1);
  host.sleep(1, 10);
  await turn();
  mock.timers.tick(10);
  assert.deepEqual(trapped, [error, error]);
});

test("once it is stopped nothing reaches the instance, no timer is left, and its requests are aborted", async (t) => {
  const hear = mock.fn();
  /** @type {RequestInit[]} */
  const sent = [];
  const { host } = hostOf(hear, async (_url, init) => {
    sent.push(init);
    init.signal?.aborted; // a fetch looks at its signal when it begins
    return new Promise(() => {});
  });
  fakeTimers(t);
  const cleared = t.mock.method(globalThis, "clearTimeout");
  host.send(1, 1, '{"method":"GET","path":"/","limitMs":60000}', false);
  await turn();
  host.sleep(2, 60_000);
  host.soon(3);
  const before = cleared.mock.callCount();
  host.stop();
  await turn();
  mock.timers.tick(60_000);
  assert.equal(hear.mock.callCount(), 0);
  assert.ok(cleared.mock.callCount() >= before + 2, "the sleep's and the request's");
  assert.equal(sent[0].signal?.aborted, true);
});

test("a later sleep of an owner takes the place of its earlier one", (t) => {
  const hear = mock.fn();
  const { host } = hostOf(hear);
  fakeTimers(t);
  host.sleep(1, 10);
  host.sleep(1, 20);
  host.sleep(2, 10);
  host.sleep(2, -1);
  mock.timers.tick(15);
  assert.equal(hear.mock.callCount(), 0);
  mock.timers.tick(5);
  assert.deepEqual(
    hear.mock.calls.map((call) => call.arguments.slice(0, 2)),
    [[WOKE, 1]],
  );
});

test("the host's functions are looked up at each call, and called on no object", (t) => {
  const { host } = hostOf(mock.fn());
  /** @type {unknown[]} */
  const receivers = [];
  for (const name of /** @type {const} */ (["queueMicrotask", "setTimeout", "clearTimeout"])) {
    t.mock.method(
      globalThis,
      name,
      /** @this {unknown} */ function () {
        receivers.push(this);
      },
    );
  }
  host.soon(1);
  host.sleep(1, 0);
  assert.deepEqual(receivers, [undefined, undefined, undefined]);
});

/**
 * @param {(...event: any[]) => any} hear
 * @param {(url: string, init: RequestInit) => Promise<Response>} [fetch]
 */
function hostOf(hear, fetch = async () => new Response()) {
  /** @type {unknown[]} */
  const trapped = [];
  const settings = {
    ...{ baseUrl: "https://gateway.example", fetch, key: undefined, auth: "bearer", maxReplyBytes: 1000 },
    onEvent: undefined,
  };
  const host = new Host(settings, {
    outgoing: () => ({ headers: new Headers(), images: [] }),
    tell() {},
    trapped: (error) => trapped.push(error),
  });
  host.engine = { hear };
  return { host, trapped };
}

/** @param {import("node:test").TestContext} t */
function fakeTimers(t) {
  t.after(() => mock.timers.reset());
  mock.timers.enable({ apis: ["setTimeout"] });
}

function turn() {
  return new Promise((resolve) => setImmediate(resolve));
}
