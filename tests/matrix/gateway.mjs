// The README's mounts of the gateway that need a program of their own.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { startStandIn } from "../js/browser/stand-in.mjs";
import { snippets } from "../js/support/mounts.mjs";
import { Failure, binary, createProject, versionOf } from "./kit.mjs";

const KEY = "sk-mounts-0123456789";
const SECRET = "a secret for the README's mounts, long enough";
const START_MS = 20_000;

/** @param {"Deno" | "Bun"} host @returns {import("./lines.mjs").Line} */
export function gatewayLine(host) {
  const name = host.toLowerCase();
  const flags = ["run", "--allow-net", "--allow-env", "--allow-read", "--no-lock"];
  return {
    name: `Gateway, ${host}`,
    version: () => versionOf(name),
    async run({ tarball }) {
      const service = await startStandIn(KEY);
      const cwd = await createProject(`gateway ${name}`, tarball, await snippets(service.url));
      const port = await freePort();
      const place = { DENO_SERVE_ADDRESS: `tcp:127.0.0.1:${port}`, PORT: `${port}` };
      const env = { ...process.env, COMETAPI_KEY: KEY, GATEWAY_SECRET: SECRET, ...place };
      const args = host === "Deno" ? [...flags, "deno.js"] : ["bun.js"];
      const child = spawn(await binary(name), args, { cwd, env, stdio: "ignore" });
      try {
        await works(`http://127.0.0.1:${port}`);
      } finally {
        child.kill();
        await service.close();
      }
    },
  };
}

/** A picture from submit to its bytes, and nobody without a sign-in. @param {string} origin */
async function works(origin) {
  // By a URL: types are checked before there is a dist.
  /** @type {typeof import("comet-tasks")} */
  const { createClient } = await import(new URL("../../pkg/dist/index.js", import.meta.url).href);
  await answers(origin);
  const headers = { "x-user": "alice" };
  const baseUrl = `${origin}/api/comet`;
  const client = createClient({ baseUrl, headers });
  const task = await client.run({ kind: "imagine", params: { prompt: "a boat" } }, { intervalMs: 50 });
  const image = await fetch(task.images[0] ?? "", { headers });
  if (image.headers.get("content-type") !== "image/png") throw new Failure(`no picture: ${image.status}`);
  const nobody = createClient({ baseUrl });
  const refused = await nobody.submitImagine({ prompt: "a boat" }).catch((error) => error.code);
  if (refused !== "unauthorized") throw new Failure(`nobody was let in: ${refused}`);
}

/** @param {string} origin */
async function answers(origin) {
  for (const end = Date.now() + START_MS; Date.now() < end;) {
    if (await fetch(`${origin}/api/comet/`).catch(() => undefined)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Failure("the server did not start");
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  server.close();
  return port;
}
