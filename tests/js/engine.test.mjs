// One instance of a module: what it has of the host, and what becomes of it. The rules of pkg/src/instance.js, by themselves.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { mock, test } from "node:test";
import { pathToFileURL } from "node:url";
import { runInNewContext } from "node:vm";
import { createInstance, isModule } from "../../pkg/src/instance.js";
import { build, wasmFolder } from "../../tools/build.mjs";

await build();
const wasm = new Uint8Array(await readFile(join(wasmFolder, "comet_tasks.wasm")));
/** @type {typeof import("../../pkg/src/glue.js")} */
const { createGlue } = await import(pathToFileURL(join(wasmFolder, "glue.js")).href);

const EMPTY = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);

test("a module of another realm is a module", async () => {
  const { Module } = runInNewContext("WebAssembly");
  const foreign = new Module(EMPTY);
  assert.equal(foreign instanceof WebAssembly.Module, false);
  assert.equal(isModule(foreign), true);
  assert.equal(isModule(await WebAssembly.compile(wasm)), true);
  assert.equal(isModule({}), false);
});

test("two instances of one module share nothing", async () => {
  const module = await WebAssembly.compile(wasm);
  const [one, other] = [0, 1].map(() => createInstance(createGlue, module, () => {}));
  assert.notEqual(one?.Engine, other?.Engine);
});

test("what a microtask or a timer of the wasm throws is told to onTrap and to nobody else", async () => {
  for (const start of /** @type {const} */ (["queueMicrotask", "setTimeout"])) {
    const { host, traps } = hostOfGlue();
    const error = new Error(start);
    await new Promise((resolve) => {
      host[start](() => {
        setTimeout(resolve);
        throw error;
      }, 0);
    });
    assert.deepEqual(traps, [error]);
  }
});

test("after a trap nothing of the instance runs, and none of its timers is left", async (t) => {
  const { host, traps } = hostOfGlue();
  t.after(() => mock.timers.reset());
  mock.timers.enable({ apis: ["setTimeout"] });
  const cleared = t.mock.method(globalThis, "clearTimeout");
  const [late, next] = [mock.fn(), mock.fn()];
  host.setTimeout(late, 60_000);
  host.queueMicrotask(() => {
    throw new Error("a trap");
  });
  host.queueMicrotask(next);
  await new Promise((resolve) => setImmediate(resolve));
  mock.timers.tick(60_000);
  assert.deepEqual([traps.length, late.mock.callCount(), next.mock.callCount()], [1, 0, 0]);
  assert.equal(cleared.mock.callCount(), 1);
});

test("timers that are replaced after the instance was made are the ones it uses", async (t) => {
  const { host } = hostOfGlue();
  t.after(() => mock.timers.reset());
  mock.timers.enable({ apis: ["setTimeout"] });
  const [kept, cleared] = [mock.fn(), mock.fn()];
  host.setTimeout(kept, 60_000);
  host.clearTimeout(host.setTimeout(cleared, 60_000));
  mock.timers.tick(60_000);
  assert.equal(kept.mock.callCount(), 1);
  assert.equal(cleared.mock.callCount(), 0);
});

test("the host's functions are called on no object", async (t) => {
  const { host } = hostOfGlue();
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
  host.queueMicrotask(() => {});
  host.setTimeout(() => {}, 0);
  host.clearTimeout(0);
  assert.deepEqual(receivers, [undefined, undefined, undefined]);
});

/** The names that the glue is handed, by way of a glue that only gives them back. */
function hostOfGlue() {
  /** @type {unknown[]} */
  const traps = [];
  const given = (/** @type {import("../../pkg/src/glue.js").Host} */ host) => ({ host, initSync() {} });
  const { host } = createInstance(given, new WebAssembly.Module(EMPTY), (error) => traps.push(error));
  return { host, traps };
}
