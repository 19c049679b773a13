import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { folder } from "./installed.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const installed = join(folder, "node_modules/comet-tasks");
const files = (await readdir(installed, { recursive: true, withFileTypes: true }))
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath ?? entry.path, entry.name));

test("the tarball holds dist, README, licence and manifest, and nothing else", () => {
  const outside = files
    .map((file) => file.slice(installed.length + 1))
    .filter((file) => !file.startsWith("dist/"));
  assert.deepEqual(outside.sort(), ["LICENSE-APACHE", "LICENSE-MIT", "README.md", "package.json"]);
});

test("every file that the manifest names is in the tarball", async () => {
  const manifest = JSON.parse(await readFile(join(installed, "package.json"), "utf8"));
  const named = pathsIn([manifest.bin, manifest.exports]);
  assert.deepEqual(
    named.filter((path) => !files.includes(join(installed, path))),
    [],
  );
});

test("no file names a folder of the machine that built it", async () => {
  for (const file of files) {
    const content = await readFile(file, "latin1");
    for (const path of [root, homedir()]) assert.ok(!content.includes(path), `${file} contains ${path}`);
  }
});

test("the package depends on nothing; of Cloudflare's types it may be told", async () => {
  const manifest = JSON.parse(await readFile(join(installed, "package.json"), "utf8"));
  assert.deepEqual(
    [manifest.dependencies, manifest.optionalDependencies, manifest.peerDependenciesMeta],
    [undefined, undefined, { "@cloudflare/workers-types": { optional: true } }],
  );
  assert.deepEqual(Object.keys(manifest.peerDependencies), ["@cloudflare/workers-types"]);
  assert.deepEqual(
    (await readdir(join(folder, "node_modules"))).filter((name) => !name.startsWith(".")),
    ["comet-tasks"],
  );
});

/** Every text in it, however deep. @param {any} value @returns {string[]} */
function pathsIn(value) {
  return typeof value === "string" ? [value] : Object.values(value).flatMap(pathsIn);
}
