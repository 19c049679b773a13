// One server on loopback for a line: the sandbox under /service, the line's files, and the place where a page reports.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { Readable } from "node:stream";
import { Failure } from "./kit.mjs";

/** @typedef {{ origin: string, service: string, reported: Promise<string[]>, close(): void }} Server */

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".css": "text/css",
  ".wasm": "application/wasm",
};
const REPORT_TIMEOUT_MS = 90_000;

/**
 * @param {{ createSandbox: typeof import("comet-tasks/sandbox").createSandbox, folder?: string, csp?: string }} options
 *   `folder` holds the files that it serves.
 * @returns {Promise<Server>}
 */
export async function startServer({ createSandbox, folder, csp }) {
  // An hour passes in six seconds: a picture takes a tenth of one, and what never ends outlives each step.
  const sandbox = createSandbox({ speed: 600 });
  /** @type {(failures: string[]) => void} */
  let report = () => {};
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? "", "http://127.0.0.1");
    response.setHeader("access-control-allow-origin", "*");
    if (csp) response.setHeader("content-security-policy", csp);
    // The pictures' addresses in replies have the service's origin, and not its path.
    if (/^\/(service|mj)\//.test(url.pathname)) return answer(await serve(request, url), response);
    if (url.pathname === "/report") {
      report(JSON.parse(await text(request)));
      return response.end();
    }
    const path = url.pathname === "/" ? "/index.html" : url.pathname;
    const file = folder && (await readFile(join(folder, path)).catch(() => undefined));
    const type = TYPES[/** @type {keyof TYPES} */ (extname(path))];
    if (type) response.setHeader("content-type", type);
    response.writeHead(file ? 200 : 404).end(file || undefined);
  });

  /** @param {import("node:http").IncomingMessage} request @param {URL} url */
  async function serve(request, url) {
    const { method } = request;
    const body = method === "GET" || method === "OPTIONS" ? undefined : Readable.toWeb(request);
    const headers = /** @type {Record<string, string>} */ (request.headers);
    const target = new URL(url.pathname.replace(/^\/service/, "") + url.search, origin);
    const init = /** @type {RequestInit} */ ({ method, headers, body, duplex: "half" });
    return sandbox.fetch(new Request(target, init));
  }

  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  const origin = `http://127.0.0.1:${port}`;
  const { promise: reported, resolve } = deferred();
  report = resolve;
  const late = setTimeout(
    () => report([`no report within ${REPORT_TIMEOUT_MS / 1000} s`]),
    REPORT_TIMEOUT_MS,
  );
  const close = () => {
    clearTimeout(late);
    server.close();
    server.closeAllConnections();
  };
  return { origin, service: `${origin}/service`, reported, close };
}

/** @returns {{ promise: Promise<string[]>, resolve: (failures: string[]) => void }} */
function deferred() {
  /** @type {(failures: string[]) => void} */
  let resolve = () => {};
  const promise = new Promise((settle) => (resolve = settle));
  return { promise, resolve };
}

/** @param {Response} reply @param {import("node:http").ServerResponse} response */
async function answer(reply, response) {
  for (const [name, value] of reply.headers) response.setHeader(name, value);
  response.writeHead(reply.status).end(new Uint8Array(await reply.arrayBuffer()));
}

/** @param {import("node:http").IncomingMessage} request */
async function text(request) {
  let all = "";
  for await (const chunk of request.setEncoding("utf8")) all += chunk;
  return all;
}

/** Fails with what a line reported, if it reported something. @param {string[]} failures */
export function check(failures) {
  if (failures.length > 0) throw new Failure(failures.join("; "));
}
