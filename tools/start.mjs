// `npm start`: the demo, from a fresh clone to a printed address.
import { join } from "node:path";
import { setup } from "./setup.mjs";
import { Stop, main, root } from "./shell.mjs";

await main(import.meta, start);

/** Ends with Ctrl-C: miniflare stops workerd then, and `serve` removes its files. */
async function start() {
  await setup({ for: "start" });
  const { serve } = await import("./serve.mjs"); // set-up has just installed what it imports
  const { url } = await serve({ port: wantedPort(), kept: join(root, ".tools/kept") });
  console.log(`\n  comet-tasks demo: ${url}  (${service()}; Ctrl-C stops it)\n`);
}

function wantedPort() {
  const port = Number(process.env.PORT || 8788);
  if (Number.isInteger(port) && port > 0 && port < 65536) return port;
  throw new Stop(`PORT is "${process.env.PORT}"; a number from 1 to 65535 is needed.`);
}

function service() {
  if (!process.env.COMETAPI_KEY) return "sandbox: nothing is billed; set COMETAPI_KEY for the real service";
  const address = process.env.COMETAPI_BASE_URL || "https://api.cometapi.com";
  return `real service ${address}: tasks are billed to COMETAPI_KEY; its settings have the sandbox, too`;
}
