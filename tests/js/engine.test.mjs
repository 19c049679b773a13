import assert from "node:assert/strict";
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, mock, test } from "node:test";
import { pathToFileURL } from "node:url";
import { runInNewContext } from "node:vm";
import { folder } from "./installed.mjs";

const dist = join(folder, "node_modules/comet-tasks/dist");
const { createEngine, isModule } = await engineOf(dist);
/** @type {typeof import("../../pkg/src/load-inline.js")} */
const { load } = await import(pathToFileURL(join(dist, "load-inline.js")).href);

test("a module of another realm is a module", async () => {
  const { Module } = runInNewContext("WebAssembly");
  const foreign = new Module(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
  assert.equal(foreign instanceof WebAssembly.Module, false);
  assert.equal(isModule(foreign), true);
  assert.equal(isModule(await load()), true);
  assert.equal(isModule({}), false);
});

test("two engines of one module share nothing", async () => {
  const module = await load();
  const [one, other] = [createEngine(module, () => {}), createEngine(module, () => {})];
  assert.notEqual(one.Engine, other.Engine);
});

test("what a microtask or a timer of the wasm throws is told to onTrap and to nobody else", async () => {
  for (const start of /** @type {const} */ (["queueMicrotask", "setTimeout"])) {
    const { host, traps } = await hostOfGlue();
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
  const { host, traps } = await hostOfGlue();
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

test("timers that are replaced after the engine was made are the ones it uses", async (t) => {
  const { host } = await hostOfGlue();
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
  const { host } = await hostOfGlue();
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

/** The names that engine.js hands to the glue, by way of a glue that only gives them back. */
async function hostOfGlue() {
  const copy = await mkdtemp(join(tmpdir(), "comet-tasks-engine-"));
  after(() => rm(copy, { recursive: true }));
  for (const file of ["engine.js", "errors.js", "instance.js"])
    await copyFile(join(dist, file), join(copy, file));
  await writeFile(join(copy, "package.json"), '{ "type": "module" }');
  await writeFile(join(copy, "glue.js"), "export const createGlue = (host) => ({ host, initSync() {} });\n");
  /** @type {unknown[]} */
  const traps = [];
  const engine = (await engineOf(copy)).createEngine(await load(), (error) => traps.push(error));
  const { host } = /** @type {{ host: import("../../pkg/src/glue.js").Host }} */ (
    /** @type {unknown} */ (engine)
  );
  return { host, traps };
}

/**
 * @param {string} directory
 * @returns {Promise<typeof import("../../pkg/src/engine.js")>}
 */
function engineOf(directory) {
  return import(pathToFileURL(join(directory, "engine.js")).href);
}
