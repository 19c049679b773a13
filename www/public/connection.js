/** From the settings to what the page works with: a client, the store of its tasks, and the page's own notes of them. */
import { createClient, init } from "comet-tasks/slim";
import { createStore } from "comet-tasks/store";
import { createNotes } from "./notes.js";

/**
 * @typedef {import("./settings.js").Settings} Settings
 * @typedef {object} Info what the page's server has to offer; `session` tells one service, or one run of the sandbox, from another
 * @property {{ host: string, session: string } | null} service with a key of the server's
 * @property {{ session: string } | null} sandbox
 * @property {boolean} keep
 * @typedef {ReturnType<typeof connect>} Connection
 */

// The slim entry has no wasm inside: the page loads it as a file of its own, compiled while it arrives.
init(WebAssembly.compileStreaming(fetch("comet_tasks.wasm")));

/** @returns {Promise<Info | null>} null: the server does not answer */
export async function askServer() {
  try {
    const reply = await fetch("/api/info");
    return reply.ok ? await reply.json() : null;
  } catch {
    return null;
  }
}

/**
 * @param {Settings} settings
 * @param {Info | null} info
 * @param {{ onEvent(event: import("comet-tasks").ClientEvent): void, onError(error: import("comet-tasks").CometError): void }} hooks
 */
export function connect(settings, info, { onEvent, onError }) {
  const isDirect = settings.service === "direct";
  const isSandbox = settings.service === "sandbox";
  const ours = isSandbox ? info?.sandbox : info?.service;
  const session = isDirect ? new URL(settings.baseUrl).host : (ours?.session ?? "unknown");
  const client = createClient({
    // Without a key here: the server behind this path has it, and what goes to its sandbox never meets it. With one, it
    // stays in this page's memory.
    ...(isDirect
      ? { baseUrl: settings.baseUrl, apiKey: settings.key, dangerouslyAllowBrowser: true }
      : { baseUrl: isSandbox ? "/api/sandbox" : "/api/comet" }),
    onEvent,
  });
  const store = createStore(client, {
    name: session,
    // Against the service the package's own schedule is best; a fast sandbox is done before that would ask.
    poll: isSandbox && settings.speed !== "1" ? { intervalMs: 15_000 / Number(settings.speed) } : {},
    onError,
  });
  return {
    client,
    store,
    notes: createNotes(session),
    session,
    isSandbox,
    canKeep: !isDirect && info?.keep === true,
    /** What code that runs elsewhere talks to: not this page's server, which knows its own visitors alone. */
    serviceUrl: isDirect ? settings.baseUrl : `https://${info?.service?.host ?? "api.cometapi.com"}`,
  };
}

/** Whether the same connection serves these settings too. @param {Settings} a @param {Settings} b */
export function isSame(a, b) {
  /** @param {Settings} settings */
  const parts = ({ service, key, baseUrl, speed }) =>
    service === "direct" ? [key, baseUrl] : service === "sandbox" ? [speed === "1"] : [];
  return a.service === b.service && parts(a).join() === parts(b).join();
}

/** The client stays open: what is being sent shall have its answer. @param {Connection} connection */
export function disconnect({ store, notes }) {
  store.close();
  notes.close();
}
