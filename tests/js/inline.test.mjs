// The default entry's module in letters: the bytes of the plain one, and only in the programs that call it.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { brotliCompressSync } from "node:zlib";
import { build } from "esbuild";
import { bytesOf } from "../../pkg/src/inline.js";
import { lettersOf } from "../../tools/inline.mjs";
import { folder } from "./installed.mjs";

const dist = join(folder, "node_modules/comet-tasks/dist");

test("any byte comes back from its letters, which no program and no page of HTML reads otherwise", () => {
  const bytes = Buffer.from(Array.from({ length: 65_536 }, (_, at) => [at >> 8, at & 255]).flat());
  const letters = lettersOf(bytes);
  assert.ok(bytes.equals(bytesOf(letters)));
  assert.match(letters, /^[#-}]+$/); // so there is no "<!--" in it, no quotation mark and no line's end
});

test("the default entry has the module's bytes, and hardly more of them in brotli", async () => {
  const wasm = await readFile(join(dist, "comet_tasks.wasm"));
  const letters = JSON.stringify(lettersOf(wasm));
  assert.ok((await readFile(join(dist, "wasm-inline.js"), "utf8")).includes(letters.slice(1, -1)));
  assert.ok(brotliCompressSync(letters).length < 1.1 * brotliCompressSync(wasm).length);
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
