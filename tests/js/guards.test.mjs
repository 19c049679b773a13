// The lines of the gateway that tools/mutants.mjs takes away are where it looks for them: it takes too long to find that out by itself.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { guards } from "./workerd/attacks/guards.mjs";

for (const { name, edits } of guards) {
  test(`the guard "${name}" is there, each line of it once`, async () => {
    for (const { file, from } of edits) {
      const text = await readFile(new URL(`../../${file}`, import.meta.url), "utf8");
      assert.equal(text.split(from).length - 1, 1, `${file}: ${from}`);
    }
  });
}
