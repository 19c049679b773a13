// The sandbox behind node:http on loopback, in the place of the real service: it refuses whatever has no key.
import { createServer } from "node:http";
import { Readable } from "node:stream";
import { createSandbox } from "../../../pkg/src/sandbox.js";

/** @param {string} apiKey */
export async function startStandIn(apiKey) {
  /** @type {import("node:http").IncomingHttpHeaders[]} */
  const headers = [];
  /** @type {ReturnType<typeof createSandbox>} */
  let sandbox;
  const server = createServer(async (incoming, outgoing) => {
    headers.push(incoming.headers);
    const reply = await sandbox.fetch(asRequest(incoming, url));
    outgoing.writeHead(reply.status, Object.fromEntries(reply.headers));
    outgoing.end(Buffer.from(await reply.arrayBuffer()));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const address = server.address();
  if (typeof address !== "object" || !address) throw new Error("the stand-in has no port");
  const url = `http://127.0.0.1:${address.port}`;
  sandbox = createSandbox({ apiKey, origin: url, speed: 30, seed: 3 });
  return {
    url,
    /** The headers of every request that reached it. */
    headers,
    sandbox,
    close: () => new Promise((resolve) => server.close(resolve).closeAllConnections()),
  };
}

/** @param {import("node:http").IncomingMessage} incoming @param {string} origin */
export function asRequest(incoming, origin) {
  const method = incoming.method ?? "GET";
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers)) headers.set(name, String(value));
  const init = {
    method,
    headers,
    ...(method === "POST" && { body: Readable.toWeb(incoming), duplex: "half" }),
  };
  return new Request(new URL(incoming.url ?? "/", origin), /** @type {RequestInit} */ (init));
}
