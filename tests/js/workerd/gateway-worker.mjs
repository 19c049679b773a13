// A Worker with a gateway and nothing else. Who is asking stands in a token of its own: "Bearer page-<name>".
import { createGateway } from "comet-tasks/gateway";

/** @type {Map<string, ReturnType<typeof createGateway>>} */
const gateways = new Map();

/** Timers that run so many times as fast. @param {number} haste */
function hurry(haste) {
  const usual = globalThis.setTimeout;
  globalThis.setTimeout = /** @type {any} */ (
    (/** @type {() => void} */ work, /** @type {number} */ ms) => usual(work, ms / haste)
  );
}

/** @param {any} env */
function gatewayOf(env) {
  const known = gateways.get(env.OPTIONS);
  if (known) return known;
  if (env.HASTE) hurry(env.HASTE);
  const made = createGateway({
    apiKey: (bindings) => bindings.KEY,
    secret: (bindings) => bindings.SECRET,
    baseUrl: "https://service.example/v1/",
    authorize(request) {
      const name = /^Bearer page-(\w+)$/.exec(request.headers.get("authorization") ?? "")?.[1];
      return name ? { subject: name } : null;
    },
    rateLimiter: { limit: async ({ key }) => ({ success: key !== "greedy" }) },
    ...(env.QUIET ? {} : { onEvent: (event) => console.log(JSON.stringify(event)) }),
    ...JSON.parse(env.OPTIONS),
  });
  gateways.set(env.OPTIONS, made);
  return made;
}

export default {
  /** @param {Request} request @param {any} env @param {any} ctx */
  async fetch(request, env, ctx) {
    const gateway = gatewayOf(env);
    if (new URL(request.url).pathname !== "/open") return gateway.fetch(request, env, ctx);
    try {
      return Response.json(await gateway.open(request, await request.json(), env));
    } catch (error) {
      return Response.json(error, { status: 400 });
    }
  },
};
