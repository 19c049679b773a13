// Servers on loopback, for what only a socket can do.
import { createServer } from "node:http";
import { createServer as createSocketServer } from "node:net";

/**
 * @typedef {import("node:http").IncomingMessage} IncomingMessage
 * @typedef {import("node:http").ServerResponse} ServerResponse
 * @typedef {{ method: string, path: string, headers: import("node:http").IncomingHttpHeaders, body: string }} Logged
 */

/**
 * Serves until the test ends. The handler is called when the request has arrived as a whole; `log` holds those requests.
 * @param {{ after(work: () => unknown): void }} t
 * @param {(request: Logged, response: ServerResponse, index: number) => void} handle
 */
export async function serve(t, handle) {
  /** @type {Logged[]} */
  const log = [];
  const server = createServer(async (request, response) => {
    const body = await read(request);
    const { method = "", url: path = "", headers } = request;
    handle({ method, path, headers, body }, response, log.push({ method, path, headers, body }) - 1);
  });
  const origin = await listen(t, server);
  t.after(() => server.closeAllConnections());
  return { origin, log };
}

/**
 * Takes connections and hands out their sockets, raw.
 * @param {{ after(work: () => unknown): void }} t
 * @param {(socket: import("node:net").Socket) => void} handle
 */
export async function serveSockets(t, handle) {
  /** @type {Set<import("node:net").Socket>} */
  const sockets = new Set();
  const server = createSocketServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    handle(socket);
  });
  const origin = await listen(t, server);
  t.after(() => sockets.forEach((socket) => socket.destroy()));
  return { origin, sockets };
}

/** @param {{ after(work: () => unknown): void }} t @param {import("node:net").Server} server */
async function listen(t, server) {
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  t.after(() => server.close());
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return `http://127.0.0.1:${port}`;
}

/** @param {IncomingMessage} request */
async function read(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
