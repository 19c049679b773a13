/**
 * The package without its wasm, which the page loads by itself, streaming:
 *
 * ```js
 * import { createClient, init } from "comet-tasks/slim";
 *
 * init("/assets/comet_tasks.wasm"); // or a Response, bytes, a WebAssembly.Module, or a promise of one
 * const client = createClient({ baseUrl: "/api/comet" });
 * ```
 *
 * Calls wait for a load that has begun. Without `init` they reject with code "unsupported".
 */
export * from "./index.js";
