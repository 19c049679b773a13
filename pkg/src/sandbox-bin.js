#!/usr/bin/env node
// Serves the sandbox on loopback, for people who test an application of their own.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { Readable } from "node:stream";
import { parseArgs } from "node:util";
import { createSandbox } from "./sandbox.js";

/** @typedef {import("node:http").IncomingMessage} IncomingMessage */
/** @typedef {import("node:http").ServerResponse} ServerResponse */
/** @typedef {import("./sandbox.js").Sandbox} Sandbox */

const HOST = "127.0.0.1";
const DEFAULT_PORT = 7070;
const TICK_MS = 1_000;
const KEEP_ALIVE_MS = 75_000;
const HELP = `comet-tasks-sandbox: a stand-in for CometAPI's media tasks, on ${HOST}

  --port <n>       default ${DEFAULT_PORT}; 0 takes any free port
  --speed <n>      60 = a minute passes in a second; default 1
  --seed <n>       other ids and durations; default 1
  --key <text>     the key that requests must bring; default: none needed
  --faults <file>  a JSON array of faults, e.g. [{"on": "submit", "at": 1, "do": "drop_after"}]
  --help

GET /sandbox/log answers what arrived and how many tasks were created: {"submits": 1, "requests": [...]}.
Prompts such as "sandbox:fail" ask for trouble; the list is in comet-tasks/sandbox's types.
`;

main();

function main() {
  try {
    const options = readOptions();
    if (options === null) return console.log(HELP);
    serve(createSandbox({ ...options.sandbox, notify: (request) => fetch(request) }), options.port);
  } catch (error) {
    stop(error instanceof Error ? error.message : String(error));
  }
}

function readOptions() {
  const text = /** @type {const} */ ({ type: "string" });
  const options = {
    port: text,
    speed: text,
    seed: text,
    key: text,
    faults: text,
    help: /** @type {const} */ ({ type: "boolean" }),
  };
  const { values } = parseArgs({ options });
  if (values.help) return null;
  const faults = values.faults === undefined ? [] : JSON.parse(readFileSync(values.faults, "utf8"));
  if (!Array.isArray(faults)) throw new Error("--faults needs a file with a JSON array");
  const sandbox = {
    speed: numberOf("speed", values.speed, 1),
    seed: numberOf("seed", values.seed, 1),
    apiKey: values.key,
    faults,
  };
  return { port: numberOf("port", values.port, DEFAULT_PORT), sandbox };
}

/** @param {string} name @param {string | undefined} text @param {number} fallback */
function numberOf(name, text, fallback) {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value < 0)
    throw new Error(`--${name} needs a number, not "${text}"`);
  return value;
}

/** @param {Sandbox} sandbox @param {number} port */
function serve(sandbox, port) {
  const server = createServer((request, response) => answer(sandbox, request, response));
  // The caller closes idle connections first: a request that meets the server's own close is lost.
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.on("error", (/** @type {NodeJS.ErrnoException} */ error) => {
    stop(
      error.code === "EADDRINUSE" ? `port ${port} is taken; choose another one with --port` : error.message,
    );
  });
  server.listen(port, HOST, () => {
    const { port: bound } = /** @type {import("node:net").AddressInfo} */ (server.address());
    const origin = `http://${HOST}:${bound}`;
    console.log(`comet-tasks sandbox: ${origin}`);
    // Hooks go out when time is noticed. A preflight notices it, and stands in no log.
    setInterval(() => sandbox.fetch(origin, { method: "OPTIONS" }), TICK_MS).unref();
  });
}

/** @param {Sandbox} sandbox @param {IncomingMessage} incoming @param {ServerResponse} outgoing */
async function answer(sandbox, incoming, outgoing) {
  try {
    const request = requestOf(incoming, outgoing);
    const isLog = request.method === "GET" && new URL(request.url).pathname === "/sandbox/log";
    const { submits, requests } = sandbox;
    await send(isLog ? Response.json({ submits, requests }) : await sandbox.fetch(request), outgoing);
  } catch {
    // Whatever rejects here is a dropped connection: a fault, or a caller who left.
    incoming.socket.destroy();
  }
}

/** @param {IncomingMessage} incoming @param {ServerResponse} outgoing */
function requestOf(incoming, outgoing) {
  const { method = "GET", headers, url = "/" } = incoming;
  const gone = new AbortController();
  outgoing.on("close", () => gone.abort());
  const pairs = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)]],
  );
  const hasBody = method !== "GET" && method !== "HEAD";
  const body = hasBody ? /** @type {ReadableStream} */ (Readable.toWeb(incoming)) : null;
  const init = { method, headers: Object.fromEntries(pairs), body, signal: gone.signal, duplex: "half" };
  return new Request(new URL(url, `http://${headers.host ?? HOST}`), init);
}

/** @param {Response} reply @param {ServerResponse} outgoing */
async function send(reply, outgoing) {
  const body = Buffer.from(await reply.arrayBuffer());
  const claimed = reply.headers.get("content-length");
  outgoing.writeHead(reply.status, Object.fromEntries(reply.headers));
  const isCut = claimed !== null && outgoing.req.method !== "HEAD" && body.length < Number(claimed);
  // A body that is shorter than it claims is one that broke off on its way.
  if (isCut) outgoing.write(body, () => outgoing.destroy());
  else outgoing.end(body);
}

/** @param {string} message */
function stop(message) {
  console.error(`comet-tasks-sandbox: ${message}`);
  process.exit(1);
}
