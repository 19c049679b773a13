// Lines that run in a browser: the package in each kind of context, and as each bundler makes it.
import { copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { versionOfEngine, visit } from "./engines.mjs";
import { binary, compile, createProject, execute, tool, versionOf } from "./kit.mjs";
import { bundle } from "./runtimes.mjs";
import { check, startServer } from "./server.mjs";

/** @typedef {import("./lines.mjs").Line} Line */
/** @typedef {import("./lines.mjs").Context} Context */
/** @typedef {import("./engines.mjs").Engine} Engine */

/** A page with one script. @param {string} script @param {string} [type] */
const html = (script, type = "module") => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>matrix</title><link rel="icon" href="data:,"></head>
<body><script src="errors.js"></script><script type="${type}" src="${script}"></script></body></html>
`;
const CLASSIC = "text/javascript";

/** The contexts of a browser: the page's script, the scripts that are bundled, and the policy. */
const contexts = {
  page: { start: "page.js", scripts: ["page.js"] },
  "dedicated worker": { start: "start-worker.js", scripts: ["start-worker.js", "page.js"] },
  "service worker": {
    start: "start-service-worker.js",
    scripts: ["start-service-worker.js", "service-worker.js"],
  },
  "strict CSP": {
    start: "page.js",
    scripts: ["page.js"],
    csp: "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; img-src data:",
  },
  "CSP without wasm: the error": {
    start: "no-wasm.js",
    scripts: ["no-wasm.js"],
    csp: "default-src 'none'; script-src 'self'; connect-src 'self'; img-src data:",
  },
};

/** @param {Engine} engine @param {keyof typeof contexts} context @returns {Line} */
export function browserLine(engine, context) {
  const name = `${engine}, ${context}`;
  const { start, scripts, csp } = { csp: undefined, ...contexts[context] };
  return {
    name,
    version: () => versionOfEngine(engine),
    async run(given) {
      const cwd = await createProject(name, given.tarball);
      for (const script of scripts) await bundle(cwd, script, join("dist", script), { format: "iife" });
      await placePage(cwd, start, CLASSIC);
      await see(given, join(cwd, "dist"), { engine, csp });
    },
  };
}

/** The files as they are in the package, found through an import map. @param {Engine} engine @returns {Line} */
export function plainLine(engine) {
  const name = `${engine}, page without a bundler`;
  const imports = { "comet-tasks": "/node_modules/comet-tasks/dist/index.js" };
  const map = `<script type="importmap">${JSON.stringify({ imports })}</script>`;
  return {
    name,
    version: () => versionOfEngine(engine),
    async run(given) {
      const page = html("page.js").replace("<body>", `<body>${map}`);
      const cwd = await createProject(name, given.tarball, { "index.html": page });
      await see(given, cwd, { engine });
    },
  };
}

/** @param {string} cwd @param {string} script @param {string} [type] */
async function placePage(cwd, script, type) {
  await writeFile(join(cwd, "dist/index.html"), html(script, type));
  await copyFile(join(cwd, "errors.js"), join(cwd, "dist/errors.js"));
}

/**
 * Serves a folder, opens it in a browser, and fails with what the page reports.
 * @param {Context} context
 * @param {string} folder
 * @param {{ engine?: Engine, csp?: string }} [options]
 */
async function see({ createSandbox }, folder, { engine = "Chromium", csp } = {}) {
  const server = await startServer({ createSandbox, folder, csp });
  try {
    check(await visit(engine, `${server.origin}/`, server.reported));
  } finally {
    server.close();
  }
}

/** What a page's source says: `require` is what compilers to CommonJS make of an import. @typedef {"import" | "require"} Way */
/** @type {Record<Way, string>} */
const sources = { import: "page.js", require: "page.cjs" };

/**
 * @param {string} name
 * @param {string} packageName
 * @param {(cwd: string) => Promise<void>} build puts the page's script at dist/page.js
 * @param {Way} [way]
 * @returns {Line}
 */
function bundlerLine(name, packageName, build, way) {
  return {
    name: way ? `${name}, ${way}` : name,
    version: () => versionOf(packageName),
    async run(context) {
      const cwd = await createProject(name, context.tarball);
      await build(cwd);
      await placePage(cwd, "page.js");
      await see(context, join(cwd, "dist"));
    },
  };
}

export const esbuildLine = (/** @type {Way} */ way) =>
  bundlerLine(
    "esbuild",
    "esbuild",
    (cwd) => bundle(cwd, sources[way], "dist/page.js", { format: "esm", minify: true }),
    way,
  );

export const rollupLine = () =>
  bundlerLine("Rollup", "rollup", async (cwd) => {
    const { rollup } = await tool("rollup");
    const { nodeResolve } = await tool("@rollup/plugin-node-resolve");
    const built = await rollup({
      input: join(cwd, "page.js"),
      plugins: [nodeResolve({ browser: true })],
      onwarn(/** @type {any} */ warning) {
        throw new Error(warning.message);
      },
    });
    await built.write({ file: join(cwd, "dist/page.js"), format: "es" });
  });

export const webpackLine = (/** @type {Way} */ way) =>
  bundlerLine("webpack", "webpack", (cwd) => pack("webpack", cwd, sources[way]), way);
export const rspackLine = (/** @type {Way} */ way) =>
  bundlerLine("Rspack", "@rspack/core", (cwd) => pack("@rspack/core", cwd, sources[way]), way);

/** @param {"webpack" | "@rspack/core"} name @param {string} cwd @param {string} source */
function pack(name, cwd, source) {
  return compile(name, {
    context: cwd,
    entry: `./${source}`,
    output: { path: join(cwd, "dist"), filename: "page.js" },
    performance: false,
  });
}

/** @param {Way} way @returns {Line} */
export function parcelLine(way) {
  const name = `Parcel, ${way}`;
  return {
    name,
    version: () => versionOf("parcel"),
    async run(context) {
      const source = { "index.html": html(`./${sources[way]}`) };
      const cwd = await createProject(name, context.tarball, source);
      const args = [
        "build",
        "index.html",
        "--no-cache",
        "--cache-dir",
        ".parcel-cache",
        "--no-optimize",
        "--dist-dir",
        "dist",
      ];
      await execute(process.execPath, [await binary("parcel"), ...args], { cwd });
      await see(context, join(cwd, "dist"));
    },
  };
}

/** @param {"page.js" | "slim.js"} script @returns {Line} */
export function viteBuildLine(script) {
  const name = script === "slim.js" ? "Vite, build of comet-tasks/slim" : "Vite, build";
  return {
    name,
    version: () => versionOf("vite"),
    async run(context) {
      const cwd = await createProject(name, context.tarball, { "index.html": viteHtml(script) });
      const { build } = await tool("vite");
      await build({ root: cwd, configFile: false, logLevel: "error" });
      await see(context, join(cwd, "dist"));
    },
  };
}

/** @returns {Line} */
export function viteDevLine() {
  const name = "Vite, dev";
  return {
    name,
    version: () => versionOf("vite"),
    async run(context) {
      const root = await createProject(name, context.tarball, { "index.html": viteHtml("page.js") });
      const { createServer } = await tool("vite");
      const dev = await createServer({
        root,
        configFile: false,
        logLevel: "error",
        server: { host: "127.0.0.1" },
      });
      const server = await startServer(context);
      try {
        await dev.listen();
        const url = `${dev.resolvedUrls.local[0]}?origin=${server.origin}`;
        check(await visit("Chromium", url, server.reported));
      } finally {
        server.close();
        await dev.close();
      }
    },
  };
}

/** @param {string} script */
const viteHtml = (script) => html(`/${script}`).replace('<script src="errors.js"></script>', "");
