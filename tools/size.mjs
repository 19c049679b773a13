// `npm run size`: what a user of the package downloads, and whether it is within its budget.
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build, wasmFolder } from "./build.mjs";
import { pack } from "./pack.mjs";
import { Stop, main, root } from "./shell.mjs";

/**
 * Bytes in brotli. The inline form may cost 1.1 times the plain one. The goal is 32 KiB; until it is reached the budget is what has
 * been, so that growth fails the build.
 */
const plain = 61_300;
const SLIM = "slim + wasm: what a page pays";
const INLINE = "default entry (wasm inline)";
/** In bytes. The tarball has the client's module and the gateway's twice each, and a sandbox. */
const tarballLimit = 300_000;
const budget = {
  [SLIM]: plain,
  [INLINE]: Math.floor(1.1 * plain),
};

await main(import.meta, size);

/** Prints the table; fails when something is over its budget. */
export async function size() {
  await build();
  const rows = await measure();
  print(rows);
  const over = Object.entries(budget).filter(([name, limit]) => rows[name].brotli > limit);
  const sentences = over.map(
    ([name, limit]) => `${name}: ${rows[name].brotli} bytes in brotli, ${limit} allowed`,
  );
  const tarball = await tarballSize();
  console.log(`tarball ${String(tarball).padStart(52)}${String(tarballLimit).padStart(10)}`);
  if (tarball > tarballLimit) sentences.push(`tarball: ${tarball} bytes, ${tarballLimit} allowed`);
  if (sentences.length > 0) throw new Stop(`Over the size budget: ${sentences.join("; ")}.`);
}

async function tarballSize() {
  const { tarball, remove } = await pack();
  const { size } = await stat(tarball);
  await remove();
  return size;
}

/** @returns {Promise<Record<string, Size>>} */
async function measure() {
  const wasm = measured(await readFile(join(wasmFolder, "comet_tasks.wasm")));
  const edge = measured(await readFile(join(wasmFolder, "comet_tasks_edge.wasm")));
  const glue = measured(await bundle(join(wasmFolder, "glue.js")));
  const [slim, inline] = [await entry("slim"), await entry("index")];
  const [workerd, gateway] = [await entry("workerd"), await entry("gateway-workerd")];
  return {
    wasm,
    "glue (minified)": glue,
    "slim: glue + facade (minified)": slim,
    [SLIM]: sum(wasm, slim),
    [INLINE]: inline,
    "workerd entry + wasm": sum(workerd, wasm),
    "gateway in a Worker + wasm": sum(gateway, edge),
    "cloudflare in a Worker + wasm": sum(await entry("cloudflare"), wasm),
  };
}

/** @param {string} name */
async function entry(name) {
  return measured(await bundle(join(root, `pkg/dist/${name}.js`)));
}

/** A file with all that it imports but the wasm, minified. @param {string} file */
async function bundle(file) {
  const esbuild = await import("esbuild"); // not before set-up has installed it
  const { outputFiles } = await esbuild.build({
    entryPoints: [file],
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    target: "es2022",
    logLevel: "error",
    legalComments: "none",
    external: ["*.wasm", "cloudflare:*"],
  });
  return outputFiles[0].contents;
}

/** @typedef {{ raw: number, gzip: number, brotli: number }} Size */

/** @param {Uint8Array} bytes @returns {Size} */
function measured(bytes) {
  return {
    raw: bytes.length,
    gzip: gzipSync(bytes, { level: 9 }).length,
    brotli: brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length,
  };
}

/** @param {...Size} parts @returns {Size} */
function sum(...parts) {
  const total = (/** @type {keyof Size} */ key) => parts.reduce((bytes, part) => bytes + part[key], 0);
  return { raw: total("raw"), gzip: total("gzip"), brotli: total("brotli") };
}

/** @param {Record<string, Size>} rows */
function print(rows) {
  const line = (/** @type {(string | number)[]} */ [name, ...numbers]) =>
    String(name).padEnd(30) + numbers.map((number) => String(number).padStart(10)).join("");
  console.log(line(["bytes", "raw", "gzip", "brotli", "budget"]));
  for (const [name, { raw, gzip, brotli }] of Object.entries(rows)) {
    const limit = /** @type {Record<string, number>} */ (budget)[name];
    console.log(line([name, raw, gzip, brotli, limit ?? ""]));
  }
}
