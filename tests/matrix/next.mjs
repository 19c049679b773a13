// Next: one application with a client page, a Node route, an edge route and a prerendered page, by either bundler.
import { spawn } from "node:child_process";
import { cp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { visit } from "./engines.mjs";
import { Failure, binary, createProject, execute, here, versionOf } from "./kit.mjs";
import { check, startServer } from "./server.mjs";

/** @typedef {import("./lines.mjs").Line} Line */
/** @typedef {import("./lines.mjs").Context} Context */
/** @typedef {"Turbopack" | "webpack"} Bundler */

const env = { NEXT_TELEMETRY_DISABLED: "1" };

/** The application of each bundler, built by the first line that needs it. @type {Map<Bundler, Promise<string>>} */
const built = new Map();

/** @param {Context} context @param {Bundler} bundler */
function application({ tarball }, bundler) {
  const make = async () => {
    const cwd = await createProject(`Next ${bundler}`, tarball);
    await cp(join(here, "next-app"), cwd, { recursive: true });
    // Next 16.4.6 with webpack builds no application that has an edge route, even an empty one: its client reference
    // manifest is missing when page data are collected. So that line is Turbopack's alone, which is the default.
    if (bundler === "webpack") await rm(join(cwd, "app/api/edge"), { recursive: true });
    const flag = bundler === "webpack" ? ["--webpack"] : [];
    await execute(process.execPath, [await binary("next"), "build", ...flag], { cwd, env });
    return cwd;
  };
  const folder = built.get(bundler) ?? make();
  built.set(bundler, folder);
  return folder;
}

/** @param {Bundler} bundler @returns {Line[]} */
export function nextLines(bundler) {
  const line = (
    /** @type {string} */ part,
    /** @type {(cwd: string, context: Context) => Promise<void>} */ run,
  ) => ({
    name: `Next with ${bundler}, ${part}`,
    version: () => versionOf("next"),
    run: async (/** @type {Context} */ context) => run(await application(context, bundler), context),
  });
  const edgeRoute = line("edge route", (cwd, context) => served(cwd, context, askRoute("edge")));
  return [
    line("client page", (cwd, context) => served(cwd, context, seePage)),
    line("Node route", (cwd, context) => served(cwd, context, askRoute("node"))),
    ...(bundler === "Turbopack" ? [edgeRoute] : []),
    line("prerendered page", async (cwd) => {
      const page = await readFile(join(cwd, ".next/server/app/prerender.html"), "utf8");
      if (!page.includes("read 1712345678901234567 succeeded"))
        throw new Failure("the page was not prerendered");
    }),
  ];
}

/** @param {string} url @param {import("./server.mjs").Server} server */
async function seePage(url, server) {
  check(await visit("Chromium", `${url}/?origin=${server.origin}`, server.reported));
}

/** @param {"node" | "edge"} route */
function askRoute(route) {
  return async (/** @type {string} */ url, /** @type {import("./server.mjs").Server} */ server) => {
    const reply = await fetch(`${url}/api/${route}?service=${server.service}`);
    if (!reply.ok) throw new Failure(`HTTP ${reply.status}: ${(await reply.text()).slice(0, 500)}`);
    check(await reply.json());
  };
}

/**
 * @param {string} cwd
 * @param {Context} context
 * @param {(url: string, server: import("./server.mjs").Server) => Promise<void>} work
 */
async function served(cwd, { createSandbox }, work) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const args = [await binary("next"), "start", "-H", "127.0.0.1", "-p", String(port)];
  const { COMETAPI_KEY, ...inherited } = process.env;
  const next = spawn(process.execPath, args, { cwd, env: { ...inherited, ...env }, stdio: "ignore" });
  const server = await startServer({ createSandbox });
  try {
    await answers(url);
    await work(url, server);
  } finally {
    next.kill();
    server.close();
  }
}

/** @param {string} url */
async function answers(url) {
  for (let attempt = 0; attempt < 300; attempt++) {
    const isUp = await fetch(url).then(
      () => true,
      () => false,
    );
    if (isUp) return;
    await sleep(100);
  }
  throw new Failure("next start did not answer within 30 s");
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
      server.close(() => resolve(port));
    });
  });
}
