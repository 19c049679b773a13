// Where persist puts files: a storage behind a presigned URL, buckets, folders; and how little it holds meanwhile.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { folder, importInstalled } from "./installed.mjs";
import { stopClock } from "./support/clock.mjs";
import { createScene, passing } from "./support/keeping.mjs";
import { rejection } from "./support/replies.mjs";

const { createClient } = await importInstalled("comet-tasks");

const MIB = 1024 * 1024;
const MP4 = Buffer.from("00000018667479706d703432000000006d703432", "hex");

/** @typedef {import("node:http").IncomingMessage} IncomingMessage @typedef {import("node:http").ServerResponse} ServerResponse */

/**
 * @param {import("node:test").TestContext} t
 * @param {(request: IncomingMessage, response: ServerResponse) => unknown} handle
 */
async function serve(t, handle) {
  const server = createServer(handle);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  t.after(() => server.close(() => {}).closeAllConnections());
  return `http://127.0.0.1:${/** @type {import("node:net").AddressInfo} */ (server.address()).port}`;
}

/** A storage as S3 is: it wants the length, keeps what came whole, and takes each presigned URL but once. */
function createStorage() {
  /** @type {Map<string, { type: string | undefined, length: number, sha256: string }>} */
  const held = new Map();
  /** @type {string[]} */
  const log = [];
  /** What it answers first. @type {number[]} */
  const refusals = [];
  const handle = async (/** @type {IncomingMessage} */ request, /** @type {ServerResponse} */ response) => {
    const { method, url = "", headers } = request;
    log.push(`${method} ${url}`);
    const refusal = refusals.shift() ?? (headers["content-length"] === undefined ? 411 : 0);
    const hash = createHash("sha256");
    let length = 0;
    try {
      for await (const piece of request) {
        hash.update(piece);
        length += piece.length;
      }
    } catch {
      return; // broke off: nothing is kept
    }
    if (!refusal) held.set(url, { type: headers["content-type"], length, sha256: hash.digest("hex") });
    response.writeHead(refusal || 200).end();
  };
  return { held, log, refusals, handle };
}

/** @param {object} [options] @param {any} [elsewhere] */
const scene = (options, elsewhere) =>
  createScene(createClient, options, async (request) => {
    const reply = await elsewhere?.(request);
    if (reply || !request.url.startsWith("http://127.0.0.1")) return reply;
    return fetch(request);
  });

/* ── presigned PUT ──────────────────────────────────────────────────── */

test("a presigned PUT gets the file with its length and type", async (t) => {
  const storage = createStorage();
  const origin = await serve(t, storage.handle);
  const { client, picture } = scene();
  const [kept] = await client.persist(await picture(), new URL("/a.png?signature=1", origin), {
    sha256: true,
  });
  const { bytes: length, sha256 } = kept;
  assert.deepEqual([...storage.held], [["/a.png?signature=1", { type: "image/png", length, sha256 }]]);
});

test("a function gives each file its URL, and a file that is sent again a new one", async (t) => {
  const storage = createStorage();
  const origin = await serve(t, storage.handle);
  storage.refusals.push(500);
  const { client, clips } = scene();
  const task = await clips();
  let given = 0;
  const clock = stopClock(t);
  const sink = async (/** @type {any} */ { key }) => `${origin}/${key}?given=${(given += 1)}`;
  const kept = await passing(clock, client.persist(task, sink));
  assert.equal(given, kept.length + 1);
  const expected = kept.map(
    (/** @type {any} */ { key }, /** @type {number} */ at) => `/${key}?given=${at + 2}`,
  );
  assert.deepEqual([...storage.held.keys()], expected);
});

test("a storage that refuses is code persist with its status, and never hears of the key", async (t) => {
  const storage = createStorage();
  const origin = await serve(t, storage.handle);
  storage.refusals.push(403, 403, 403, 403);
  const { client, picture } = scene();
  const clock = stopClock(t);
  const error = await rejection(
    passing(clock, client.persist(await picture(), `${origin}/a?signature=topsecret`)),
  );
  assert.deepEqual([error.code, error.status], ["persist", 403]);
  assert.ok(!JSON.stringify(error).includes("topsecret"));
  assert.equal(storage.held.size, 0);
});

test("a copy that breaks off in the middle of a PUT is not kept by the storage", async (t) => {
  const storage = createStorage();
  const origin = await serve(t, storage.handle);
  const length = 10 * MIB;
  let copies = 0;
  const body = () =>
    unsized(length, (copies += 1) === 1 ? 3 * MIB : Infinity, { "content-length": `${length}` });
  const { client, veo } = scene({}, (/** @type {Request} */ { url }) =>
    url.includes("/cdn/") ? body() : undefined,
  );
  const clock = stopClock(t);
  const [kept] = await passing(clock, client.persist(await veo(), `${origin}/a`, { sha256: true }));
  assert.deepEqual(storage.log, ["PUT /a", "PUT /a"]);
  assert.deepEqual([...storage.held], [["/a", { type: "video/mp4", length, sha256: kept.sha256 }]]);
});

test("a file of unknown length is held, and sent with its length", async (t) => {
  const storage = createStorage();
  const origin = await serve(t, storage.handle);
  const body = () => new Response(new Blob([MP4, new Uint8Array(100_000)]).stream());
  const { client, veo } = scene({}, (/** @type {Request} */ { url }) =>
    url.includes("/cdn/") ? body() : undefined,
  );
  const [kept] = await client.persist(await veo(), `${origin}/a`);
  assert.deepEqual([kept.size, kept.bytes, storage.held.get("/a")?.length], [null, 100_020, 100_020]);
});

test("a file of unknown length that is too large to be held is too_large", async (t) => {
  const storage = createStorage();
  const origin = await serve(t, storage.handle);
  const piece = new Uint8Array(8 * MIB);
  const endless = () => {
    let first = true;
    const pull = (/** @type {ReadableStreamDefaultController} */ controller) => {
      controller.enqueue(first ? MP4 : piece);
      first = false;
    };
    return new Response(new ReadableStream({ pull }));
  };
  const { client, veo } = scene({}, (/** @type {Request} */ { url }) =>
    url.includes("/cdn/") ? endless() : undefined,
  );
  const error = await rejection(client.persist(await veo(), `${origin}/a`));
  assert.equal(error.code, "too_large");
  assert.equal(storage.held.size, 0);
});

/* ── buckets ────────────────────────────────────────────────────────── */

/** An R2-shaped bucket with multipart uploads. */
function createMultipart() {
  /** @type {Map<string, Uint8Array>} */
  const held = new Map();
  /** @type {string[]} */
  const log = [];
  const put = async (/** @type {string} */ key, /** @type {any} */ body) => {
    log.push("put");
    held.set(key, new Uint8Array(await new Response(body).arrayBuffer()));
  };
  const createMultipartUpload = async (/** @type {string} */ key) => {
    /** @type {Uint8Array[]} */
    const parts = [];
    return {
      async uploadPart(/** @type {number} */ number, /** @type {ArrayBuffer} */ part) {
        log.push(`part ${number} of ${part.byteLength}`);
        parts[number - 1] = new Uint8Array(part);
        return { partNumber: number, etag: `${number}` };
      },
      async complete(/** @type {any[]} */ uploaded) {
        log.push(`complete ${uploaded.map(({ partNumber }) => partNumber)}`);
        held.set(key, new Uint8Array(await new Blob(/** @type {any} */ (parts)).arrayBuffer()));
      },
      async abort() {
        log.push("abort");
      },
    };
  };
  return { held, log, put, createMultipartUpload };
}

/** @param {number} length @param {number} [breakAt] @param {Record<string, string>} [headers] */
function unsized(length, breakAt = Infinity, headers = {}) {
  let at = 0;
  const pull = (/** @type {ReadableStreamDefaultController} */ controller) => {
    if (at >= breakAt) return controller.error(new Error("reset"));
    if (at >= length) return controller.close();
    const piece = at === 0 ? MP4 : new Uint8Array(Math.min(MIB, length - at)).fill(at / MIB);
    at += piece.length;
    controller.enqueue(piece);
  };
  return new Response(new ReadableStream({ pull }), { headers });
}

test("without a length a bucket gets a multipart upload of equal parts", async () => {
  const length = 20 * MIB + 7;
  const { client, veo } = scene({}, (/** @type {Request} */ { url }) =>
    url.includes("/cdn/") ? unsized(length) : undefined,
  );
  const bucket = createMultipart();
  const [kept] = await client.persist(await veo(), bucket, { sha256: true });
  const part = 8 * MIB;
  assert.deepEqual(bucket.log, [
    `part 1 of ${part}`,
    `part 2 of ${part}`,
    `part 3 of ${4 * MIB + 7}`,
    "complete 1,2,3",
  ]);
  const bytes = bucket.held.get(kept.key) ?? new Uint8Array();
  assert.deepEqual([bytes.length, kept.bytes], [length, length]);
  assert.equal(createHash("sha256").update(bytes).digest("hex"), kept.sha256);
});

test("a small file without a length is put at once", async () => {
  const { client, veo } = scene({}, (/** @type {Request} */ { url }) =>
    url.includes("/cdn/") ? unsized(1000) : undefined,
  );
  const bucket = createMultipart();
  await client.persist(await veo(), bucket);
  assert.deepEqual(bucket.log, ["put"]);
});

test("a multipart upload whose file breaks off is aborted, and begun anew", async (t) => {
  const clock = stopClock(t);
  let copies = 0;
  const body = () => ((copies += 1) === 1 ? unsized(20 * MIB, 12 * MIB) : unsized(9 * MIB));
  const { client, veo } = scene({}, (/** @type {Request} */ { url }) =>
    url.includes("/cdn/") ? body() : undefined,
  );
  const bucket = createMultipart();
  await passing(clock, client.persist(await veo(), bucket));
  assert.deepEqual(bucket.log.slice(0, 2), [`part 1 of ${8 * MIB}`, "abort"]);
  assert.equal(bucket.log.at(-1), "complete 1,2");
});

/* ── folders ────────────────────────────────────────────────────────── */

/** A folder as the Origin Private File System has them: a file's new content is there when it is closed. */
function createFolder() {
  /** @type {Map<string, Uint8Array>} */
  const files = new Map();
  /** @type {Map<string, any>} */
  const folders = new Map();
  return {
    files,
    folders,
    async getDirectoryHandle(/** @type {string} */ name) {
      if (!folders.has(name)) folders.set(name, createFolder());
      return folders.get(name);
    },
    async removeEntry(/** @type {string} */ name) {
      files.delete(name);
    },
    async getFileHandle(/** @type {string} */ name) {
      if (name.includes("/")) throw new TypeError("Name is not allowed.");
      if (!files.has(name)) files.set(name, new Uint8Array());
      return {
        getFile: async () => new Blob([/** @type {any} */ (files.get(name))]),
        async createWritable() {
          /** @type {Uint8Array[]} */
          const pieces = [];
          const write = (/** @type {Uint8Array} */ piece) => void pieces.push(piece);
          const close = async () => void files.set(name, await new Blob(/** @type {any} */ (pieces)).bytes());
          return new WritableStream({ write, close });
        },
      };
    },
  };
}

test("a folder gets each file under its task's name, and a key's parts become folders", async () => {
  const { client, picture } = scene();
  const task = await picture();
  const top = createFolder();
  const [kept] = await client.persist(task, top);
  assert.equal(top.folders.get(task.handle.id).files.get("0.png").length, kept.bytes);
  const { getFileHandle, files } = createFolder();
  await client.persist(task, { getFileHandle });
  assert.deepEqual([...files.keys()], [`${task.handle.id}-0.png`]);
});

test("a copy that fails for good leaves neither a part nor an empty file, and an older file as it was", async (t) => {
  const clock = stopClock(t);
  const faults = Array.from({ length: 8 }, (_, at) => ({ on: "asset", at: at + 1, do: { truncateAt: 100 } }));
  const { client, picture } = scene({ faults });
  const task = await picture();
  const top = createFolder();
  const own = await top.getDirectoryHandle(task.handle.id);
  assert.equal((await rejection(passing(clock, client.persist(task, top)))).code, "truncated");
  assert.deepEqual([...own.files.keys()], []);
  own.files.set("0.png", new Uint8Array([1, 2, 3]));
  assert.equal((await rejection(passing(clock, client.persist(task, top)))).code, "truncated");
  assert.deepEqual(own.files.get("0.png"), new Uint8Array([1, 2, 3]));
});

/* ── how little is held ─────────────────────────────────────────────── */

test("a sink that is slow holds the source back: at most a few pieces wait", async () => {
  const [piece, pieces] = [new Uint8Array(64 * 1024), 200];
  let [given, taken, most] = [0, 0, 0];
  const pull = (/** @type {ReadableStreamDefaultController} */ controller) => {
    given += 1;
    most = Math.max(most, given - taken);
    if (given > pieces) controller.close();
    else controller.enqueue(given === 1 ? MP4 : piece);
  };
  const body = () => new Response(new ReadableStream({ pull }, { highWaterMark: 0 }));
  const { client, veo } = scene({}, (/** @type {Request} */ { url }) =>
    url.includes("/cdn/") ? body() : undefined,
  );
  const write = async (/** @type {any} */ _, /** @type {Response} */ response) => {
    for await (const _piece of /** @type {any} */ (response.body)) {
      taken += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await client.persist(await veo(), { write });
  assert.equal(taken, pieces);
  assert.ok(most <= 3, `${most} pieces waited`);
});

const LARGE = 200 * MIB;
for (const sink of ["put", "slow", "sha256"]) {
  test(`${sink}: a video of 200 MiB adds less than half of its size to memory, and arrives whole`, async (t) => {
    const storage = createStorage();
    const storageOrigin = await serve(t, storage.handle);
    const origin = await serve(t, ({ url }, response) => {
      const length = url === "/large" ? LARGE : MIB;
      response.writeHead(200, { "content-type": "video/mp4", "content-length": length });
      sendZeros(response, length);
    });
    const entry = pathToFileURL(createRequire(join(folder, "tests.js")).resolve("comet-tasks")).href;
    const program = fileURLToPath(new URL("support/keep-large.mjs", import.meta.url));
    const args = ["--expose-gc", program, entry, sink, origin, storageOrigin];
    const { added, bytes } = JSON.parse((await promisify(execFile)(process.execPath, args)).stdout);
    t.diagnostic(`${sink}: ${(added / MIB).toFixed(1)} MiB added for ${bytes / MIB} MiB`);
    assert.equal(bytes, LARGE);
    if (sink === "put") assert.equal(storage.held.get("/put")?.length, LARGE);
    assert.ok(added < LARGE / 2, `${added} bytes`);
  });
}

/** @param {ServerResponse} response @param {number} length */
async function sendZeros(response, length) {
  const zeros = Buffer.alloc(MIB);
  response.write(MP4);
  for (let left = length - MP4.length; left > 0; left -= MIB) {
    const flows = response.write(left < MIB ? zeros.subarray(0, left) : zeros);
    if (!flows) await new Promise((resolve) => response.once("drain", () => resolve(undefined)));
  }
  response.end();
}
