// A stand-in for the service: its routes, shapes and habits over tasks that live in memory.
//
// It has no clock, no timer and no network of its own, and names nothing of Node: the same file runs in a
// page, in a
// Worker and in a test with a clock that the test moves.

import { createScript, underFault } from "./sandbox/faults.js";
import { deliverHooks } from "./sandbox/hooks.js";
import { alphanumerics, createRandom, digits } from "./sandbox/random.js";
import { Refused } from "./sandbox/replies.js";
import { answerUnknown, checkKey, findRoute } from "./sandbox/routes.js";
import { createService } from "./sandbox/service.js";

/** @typedef {import("./sandbox.js").Sandbox} Sandbox */
/** @typedef {import("./sandbox.js").SandboxOptions} SandboxOptions */
/** @typedef {import("./sandbox/types.js").Service} Service */
/** @typedef {import("./sandbox/types.js").Call} Call */
/** @typedef {import("./sandbox/types.js").Route} Route */

/** @param {SandboxOptions} [options] @returns {Sandbox} */
export function createSandbox(options = {}) {
  const service = createService(options);
  const nextFault = createScript(options.faults ?? []);
  /** @type {Sandbox["requests"]} */
  const requests = [];
  return {
    async fetch(input, init) {
      const call = createCall(
        service,
        init === undefined && input instanceof Request ? input : new Request(input, init),
      );
      deliverHooks(service, call);
      const { method } = call.request;
      if (method === "OPTIONS") return finish(call, new Response(null, { status: 204 }));
      requests.push({ method, path: call.url.pathname, at: call.now });
      const found = findRoute(method, call.url.pathname);
      if (!found) return finish(call, answerUnknown(call));
      call.params = found.params;
      const answer = () => handle(service, call, found.route);
      return finish(call, await underFault(nextFault(found.route.kind), service, call, answer));
    },
    requests,
    get submits() {
      return service.submits;
    },
  };
}

/** @param {Service} service @param {Request} request @returns {Call} */
function createCall(service, request) {
  const url = new URL(request.url);
  const now = Math.floor(service.now());
  service.calls += 1;
  const random = createRandom(service.seed, "request", service.calls);
  const time = new Date(now).toISOString().replace(/\D/g, "").slice(0, 14);
  const requestId = time + digits(random, 9) + alphanumerics(random, 8);
  return { request, url, params: {}, now, origin: service.origin ?? url.origin, requestId };
}

/** @param {Service} service @param {Call} call @param {Route} route @returns {Promise<Response>} */
async function handle(service, call, route) {
  const refusal = route.open ? null : checkKey(service, call);
  if (refusal) return refusal;
  try {
    return await route.handle(service, call);
  } catch (error) {
    if (error instanceof Refused) return error.response;
    throw error;
  }
}

/**
 * What every reply carries: the CORS headers of the gateway, and its request id.
 * @param {Call} call @param {Response} reply
 */
function finish(call, reply) {
  const asked = call.request.headers.get("access-control-request-headers");
  reply.headers.set("Access-Control-Allow-Origin", "*");
  reply.headers.set("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE, OPTIONS");
  // Echoed, as newer gateways do: "*" does not cover Authorization, so a page could not send its key.
  reply.headers.set("Access-Control-Allow-Headers", asked ?? "*");
  reply.headers.set("X-Oneapi-Request-Id", call.requestId);
  return reply;
}
