// Links that expire by themselves, in the form of Discord's CDN: `?ex=<hex seconds>&is=<hex
// seconds>&hm=<signature>`.

import { createRandom, hexDigits } from "./random.js";

/** @typedef {import("./types.js").Service} Service */
/** @typedef {import("./types.js").Call} Call */

const LIFETIME_S = 24 * 3600;

/**
 * An absolute link. It stays the same for a day, then a new reading has a new one.
 * @param {Service} service @param {Call} call @param {string} path @param {number} since when the file came to be, in ms
 */
export function signedLink(service, call, path, since) {
  const sinceS = Math.floor(since / 1000);
  const days = Math.max(0, Math.floor((call.now / 1000 - sinceS) / LIFETIME_S));
  const issued = sinceS + days * LIFETIME_S;
  const expires = issued + LIFETIME_S;
  const signature = sign(service, path, expires);
  return `${call.origin}${path}?ex=${expires.toString(16)}&is=${issued.toString(16)}&hm=${signature}`;
}

/** @param {Service} service @param {Call} call */
export function isLinkValid(service, call) {
  const expires = parseInt(call.url.searchParams.get("ex") ?? "", 16);
  if (!(expires * 1000 > call.now)) return false;
  return call.url.searchParams.get("hm") === sign(service, call.url.pathname, expires);
}

/**
 * Makes the links that were given out for a path worthless; the next reading signs another.
 * @param {Service} service @param {string} path
 */
export function revokeLinks(service, path) {
  service.revoked.set(path, (service.revoked.get(path) ?? 0) + 1);
}

/** @param {Service} service @param {string} path @param {number} expires */
function sign(service, path, expires) {
  return hexDigits(createRandom(service.seed, "link", path, expires, service.revoked.get(path) ?? 0), 32);
}
