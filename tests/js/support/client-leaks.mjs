// What clients leave behind, in a process of its own: `node --expose-gc client-leaks.mjs <package> [page]`. Prints as JSON whether
// a client that was closed can be collected together with its memory, and what is held after 100 clients and after 1,000 that
// were used once and dropped: bytes, instances, and where there is a page the listeners on it.
import { turn } from "./clock.mjs";
import { seeMemories } from "./memories.mjs";
import { BASE_URL, succeeded } from "./replies.mjs";

const [, , entry = "", place = ""] = process.argv;
const gc = /** @type {() => void} */ (globalThis.gc);
const memories = seeMemories();
const page = place ? standInPage() : { listeners: 0 };
const { createClient, init } = await import(entry);
await init();

/** @type {Set<string>} */
const collected = new Set();
const registry = new FinalizationRegistry((/** @type {string} */ name) => collected.add(name));

/** @param {string} name @param {boolean} closes */
async function useOnce(name, closes) {
  const client = createClient({ baseUrl: BASE_URL, fetch: async () => succeeded() });
  registry.register(client, name);
  await client.poll("1712345678901234");
  if (closes) client.close();
}

/** A wait is open when the client is closed: its request never ends. */
async function closeWhileOpen() {
  const client = createClient({ baseUrl: BASE_URL, fetch: () => new Promise(() => {}) });
  registry.register(client, "open");
  const wait = client.poll("1712345678901234").catch((/** @type {any} */ error) => error.code);
  await turn();
  client.close();
  await wait;
}

async function collect() {
  for (let round = 0; round < 10; round += 1) {
    gc();
    await turn();
  }
}

function held() {
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return heapUsed + external + arrayBuffers;
}

/** What a page has that a client listens to. */
function standInPage() {
  /** @type {Set<unknown>[]} */
  const held = [];
  const target = () => {
    const events = /** @type {Record<string, Set<unknown>>} */ ({});
    /** @param {string} event */
    const of = (event) => {
      if (!events[event]) held.push((events[event] = new Set()));
      return events[event];
    };
    return {
      addEventListener: (/** @type {string} */ event, /** @type {unknown} */ listener) =>
        of(event).add(listener),
      removeEventListener: (/** @type {string} */ event, /** @type {unknown} */ listener) =>
        of(event).delete(listener),
    };
  };
  Object.assign(globalThis, { document: target(), window: target() });
  return {
    get listeners() {
      return held.reduce((sum, { size }) => sum + size, 0);
    },
  };
}

const alive = () => memories.filter((memory) => memory.deref()).length;

await useOnce("closed", true);
await closeWhileOpen();
await collect();
const closed = { collected: [...collected].sort(), instances: alive() };

/** @param {number} count */
async function drop(count) {
  for (let made = 0; made < count; made += 1) await useOnce("dropped", false);
  await collect();
  return { bytes: held(), instances: alive(), listeners: page.listeners };
}
const dropped = { hundred: await drop(100), thousand: await drop(900) };
console.log(JSON.stringify({ closed, dropped }));
