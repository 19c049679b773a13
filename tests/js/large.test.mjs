// A picture of 20 MiB costs little more memory than its own letters, and a file none in the wasm.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { folder } from "./installed.mjs";

const MIB = 1024 * 1024;
const SIZE = 20 * MIB;
const LETTERS = 4 * Math.ceil(SIZE / 3);
const program = fileURLToPath(new URL("support/large.mjs", import.meta.url));
const entry = pathToFileURL(createRequire(join(folder, "tests.js")).resolve("comet-tasks")).href;

/** What the last submit's body holds. */
let arrived = "";
const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  if (request.method === "POST") arrived = Buffer.concat(chunks).toString("latin1");
  response.end(JSON.stringify({ code: 1, description: "fine", result: "1", id: "1", status: "IN_PROGRESS" }));
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
after(() => server.close());
const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());

const picture = Buffer.from(Uint8Array.from({ length: SIZE }, (_, at) => (at * 31 + (at >> 11)) & 255));

for (const call of ["imagine", "imagine-wide", "imagine-blob", "imagine-uri", "video"]) {
  test(`${call}: 20 MiB add less than three times their letters, and arrive right to the byte`, async (t) => {
    const { prepared, wasm } = await measure(t, call);
    const { base64Array, image } = JSON.parse(arrived);
    const [head, letters] = (image ?? base64Array[0]).split(",");
    assert.equal(head, "data:image/png;base64");
    assert.equal(sha256(Buffer.from(letters, "base64")), sha256(picture));
    assert.ok(prepared < 3 * LETTERS, `${prepared} bytes`);
    assert.equal(wasm, 0);
  });
}

for (const call of ["veo", "veo-bytes"]) {
  test(`${call}: 20 MiB leave the wasm's memory as it was, and arrive right to the byte`, async (t) => {
    const { wasm, wasmBefore } = await measure(t, call);
    const start = arrived.indexOf("\r\n\r\n", arrived.indexOf('name="input_reference"')) + 4;
    assert.equal(sha256(Buffer.from(arrived.slice(start, start + SIZE), "latin1")), sha256(picture));
    assert.ok(wasmBefore > 0);
    assert.equal(wasm, 0);
  });
}

test("what Node's own fetch adds for a body of that length", async (t) => {
  await measure(t, "fetch");
});

/**
 * @param {import("node:test").TestContext} t
 * @param {string} call
 * @returns {Promise<{ prepared: number, added: number, wasm: number, wasmBefore: number }>}
 */
async function measure(t, call) {
  const args = ["--expose-gc", program, entry, call, `http://127.0.0.1:${port}`];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const measured = JSON.parse(stdout);
  const [prepared, added] = [measured.prepared, measured.added].map(shown);
  t.diagnostic(`${call}: + ${prepared} until fetch is called, + ${added} until the reply`);
  t.diagnostic(`${call}: wasm memory ${measured.wasmBefore / 1024} KiB, + ${measured.wasm / 1024} KiB`);
  return measured;
}

/** @param {number} bytes */
function shown(bytes) {
  return `${(bytes / MIB).toFixed(1)} MiB (${(bytes / LETTERS).toFixed(2)} × the letters)`;
}

/** @param {Buffer} bytes */
function sha256(bytes) {
  return createHash("sha256").update(bytes).digest("hex");
}
