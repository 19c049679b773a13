// The bench's own harness, on a slice of it and without its peers: what it counts, and that it believes nobody who does nothing.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import { askAt, every, figures, fixedLike, requestsAt } from "../bench/loops.mjs";
import { never, noOp } from "../bench/no-op.mjs";
import { bestCurve } from "../bench/optimum.mjs";
import { ours } from "../bench/ours.mjs";
import { atMost, missed } from "../bench/table.mjs";
import { courses } from "../bench/tasks.mjs";
import { alone, together } from "../bench/virtual.mjs";
import { folder } from "./installed.mjs";

const tasks = courses("imagine", 12);

/** A loop in the shape of a peer, with the answers of ours. @param {number} seconds @returns {import("../bench/peers.mjs").Peer} */
const loop = (seconds) => ({
  ...ours,
  name: "loop",
  client: async (fetch) => ({
    async wait({ id }) {
      for (let status = ""; status !== "SUCCESS";) {
        await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
        ({ status } = /** @type {any} */ (
          await (await fetch(`https://bench.test/mj/task/${id}/fetch`)).json()
        ));
      }
    },
  }),
});

/** @param {string} file @param {...string} args */
function probe(file, ...args) {
  const path = new URL(`../bench/${file}`, import.meta.url).pathname;
  const env = { ...process.env, COMET_TASKS_INSTALLED: folder };
  return promisify(execFile)(process.execPath, ["--expose-gc", path, ...args], { env });
}

test("a loop is counted as its arithmetic says", async () => {
  const counted = figures(await together(loop(5), "imagine", tasks, {}));
  const { requests, meanS } = askAt(tasks, () => every(5));
  assert.equal(counted.requests, requests);
  assert.equal(counted.meanS.toFixed(6), meanS.toFixed(6));
});

test("the package waits in virtual time, near the optimum and with fewer requests than a fixed interval", async () => {
  const own = figures(await alone(ours, "imagine", tasks, { regime: "coarse" }));
  assert.ok(own.requests < fixedLike(tasks, own.meanS).requests);
  const none = figures(await alone(ours, "imagine", tasks, { regime: "none" }));
  const best = requestsAt(bestCurve("imagine", tasks, { leastS: 1, mostS: 30, firstS: 15 }), none.meanS);
  assert.ok(best && none.requests < 1.5 * best);
});

test("many tasks are waited for together", async () => {
  const world = /** @type {const} */ ({ regime: "coarse", roundTripMs: 200, connections: 6 });
  const own = figures(await together(ours, "imagine", tasks, world, 10_000));
  assert.ok(own.requests < figures(await together(loop(0.5), "imagine", tasks, world, 10_000)).requests / 4);
});

test("a peer that ends waits without asking is refused", async () => {
  await assert.rejects(together(noOp, "imagine", tasks, {}), /nobody had told it/);
  await assert.rejects(alone(noOp, "imagine", tasks, {}), /nobody had told it/);
});

test("a peer that never ends a wait is refused", async () => {
  await assert.rejects(together(never, "imagine", tasks, {}), /nobody waits for anything/);
});

test("CPU, start and memory of a peer that asks nobody are refused", async () => {
  await assert.rejects(probe("cpu-probe.mjs", "no-op"), /readings without as many requests/);
  await assert.rejects(probe("ready-probe.mjs", "no-op"), /0 requests for its first call/);
  await assert.rejects(probe("memory-probe.mjs", "no-op", "10"), /0 tasks were asked for/);
});

test("the package's memory is measured with its linear memory", async () => {
  const { wasm, external } = JSON.parse((await probe("memory-probe.mjs", "comet-tasks", "1000")).stdout);
  assert.ok(wasm > 0 && external >= wasm);
});

test("a target that is missed is one", () => {
  const lines = [atMost("met", 1, 1), atMost("missed", 1.01, 1), { name: "told", ours: "3" }];
  assert.deepEqual(
    missed([{ title: "", lines }]).map(({ name }) => name),
    ["missed"],
  );
});
