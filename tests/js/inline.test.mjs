// The default entry's module in letters: the bytes of the plain one, however the host decodes them, and only in the programs
// that call it.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { build } from "esbuild";
import { bytesOf } from "../../pkg/src/base64.js";
import { folder } from "./installed.mjs";

const dist = join(folder, "node_modules/comet-tasks/dist");

/** @param {import("node:test").TestContext} t @param {object} own what globalThis has instead */
function withGlobals(t, own) {
  for (const [name, value] of Object.entries(own)) {
    const before = Object.getOwnPropertyDescriptor(globalThis, name);
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    t.after(() => Object.defineProperty(globalThis, name, before ?? {}));
  }
}

test("the letters become the same bytes by Buffer, by fromBase64 and by a loop", async (t) => {
  const wasm = await readFile(join(dist, "comet_tasks.wasm"));
  const letters = wasm.toString("base64");
  assert.ok(wasm.equals(bytesOf(letters)));
  const asked = t.mock.fn((/** @type {string} */ text) => new Uint8Array(Buffer.from(text, "base64")));
  const { Uint8Array: Bytes, Buffer: Node } = globalThis;
  withGlobals(t, { Uint8Array: Object.assign(class extends Bytes {}, { fromBase64: asked }) });
  assert.ok(wasm.equals(bytesOf(letters)));
  assert.equal(asked.mock.callCount(), 1);
  withGlobals(t, { Uint8Array: Bytes, Buffer: undefined });
  assert.ok(Node.from(bytesOf(letters)).equals(wasm));
});

for (const entry of ["comet-tasks", "comet-tasks/slim"]) {
  test(`who imports only what tells errors and tasks apart gets no client from ${entry}`, async () => {
    const contents = `import { findButton, isCometError, supersedes } from "${entry}";
      console.log(findButton, isCometError, supersedes);`;
    const { outputFiles } = await build({
      stdin: { contents, resolveDir: folder },
      ...{ bundle: true, minify: true, write: false, format: "esm", tsconfigRaw: "{}" },
    });
    assert.ok((outputFiles[0]?.contents.length ?? 0) < 3000, `${outputFiles[0]?.contents.length} bytes`);
  });
}
