import { CometError, invalid } from "../errors.js";
import { Exchange } from "./exchange.js";
import { Ids, subjectOf } from "./ids.js";
import { checkGatewayOptions } from "./options.js";
import { Rules } from "./rules.js";

/** @import { GatewayOptions } from "../gateway.js" */

/**
 * The entry's function over one way to load the wasm.
 * @param {() => WebAssembly.Module | Promise<WebAssembly.Module>} load
 */
export function bindGateway(load) {
  /** @type {ReturnType<typeof load> | undefined} */
  let module;
  /** Compiled once for all gateways; a failure is not remembered. */
  function loadOnce() {
    module ??= load();
    if (module instanceof Promise) module.catch(() => (module = undefined));
    return module;
  }

  /** @param {GatewayOptions} options */
  return function createGateway(options) {
    const settings = checkGatewayOptions(options);
    const rules = new Rules(loadOnce, settings.rules);
    return {
      /** @param {Request} request @param {unknown} [env] @param {unknown} [ctx] */
      fetch: (request, env, ctx) => new Exchange(settings, rules, request).run(env, ctx),
      /** @param {Request} request @param {import("../index.js").TaskHandle} handle @param {unknown} [env] */
      open: (request, handle, env) => open(settings, rules, request, handle, env),
    };
  };
}

/** @typedef {ReturnType<typeof checkGatewayOptions>} Settings */

const OPEN = "gateway.open";

/**
 * @param {Settings} settings
 * @param {Rules} rules
 * @param {Request} request
 * @param {unknown} handle
 * @param {unknown} env
 */
async function open(settings, rules, request, handle, env) {
  const subject = subjectOf(await settings.authorize(request, env, undefined));
  if (subject === null) {
    throw new CometError({ code: "unauthorized", operation: OPEN, message: "the caller is nobody" });
  }
  await rules.ready();
  const { head } = rules.ask("open", written(handle));
  if (head.field && head.field !== "handle.id") throw invalid(OPEN, head.field, head.rule);
  const ids = await Ids.of(await settings.secret(env), subject);
  const genuine = head.checks && (await Promise.all(head.checks.map(ids.isGenuine, ids)));
  if (genuine?.every(Boolean)) return head.handle;
  throw new CometError({ code: "not_found", operation: OPEN, message: "no such task of this caller's" });
}

/** Null for what has no JSON; the rules say what is wrong with that. @param {unknown} handle */
function written(handle) {
  try {
    return JSON.stringify(handle) ?? "null";
  } catch {
    return "null";
  }
}
