// Paths, methods, headers and origins.
import assert from "node:assert/strict";
import { BASE, PAGE, by, get, header, imagine, method, path, post, read, without } from "./asks.mjs";

/** @param {string} needle @returns {NonNullable<import("./asks.mjs").Attack["holds"]>} */
const neverArrives = (needle) => (told, arrived) => {
  assert.equal(told.status, 200);
  assert.ok(!JSON.stringify(arrived).includes(needle), `${needle} arrived at the service`);
};

/** @param {string} name @param {string} to @returns {import("./asks.mjs").Attack} */
const elsewhere = (name, to) => ({
  name,
  guard: "routes",
  control: read,
  attack: path(() => to),
  status: 404,
});

/** @param {string} name @param {string} value @returns {import("./asks.mjs").Attack} */
const leak = (name, value) => ({
  name: `sends a header ${name} for the service`,
  guard: "own headers",
  control: imagine,
  attack: header(name, value),
  holds: neverArrives(value),
});

/** @type {import("./asks.mjs").Attack[]} */
const paths = [
  elsewhere("asks for another API behind the same key", `${BASE}/v1/models`),
  elsewhere("leaves the mount point by a prefix", `${BASE}ry/v1/models`),
  elsewhere("doubles a slash", `${BASE}//v1/models`),
  elsewhere("climbs out of a route", `${BASE}/mj/task/../../v1/models`),
  elsewhere("climbs out of a route with escapes", `${BASE}/mj/task/%2e%2e/%2e%2e/v1/models`),
  elsewhere("writes a route's letters as escapes", `${BASE}/%76%31/models`),
  elsewhere("asks for a whole URL in the path", `${BASE}/https://evil.example/`),
  elsewhere("asks for a user name's host in the path", `${BASE}/@evil.example/`),
  elsewhere("uses a prefix that is no speed", `${BASE}/mj-free/mj/submit/imagine`),
  {
    name: "adds a slash at the end",
    guard: "routes",
    control: read,
    attack: path((text) => `${text}/`),
    status: 404,
  },
  {
    name: "asks for another operation of its task",
    guard: "routes",
    control: read,
    attack: path((text) => text.replace("/fetch", "/cancel")),
    status: 404,
  },
  {
    name: "writes a route in capitals",
    guard: "routes",
    control: read,
    attack: path((text) => text.replace("/mj/task/", "/MJ/task/")),
    status: 404,
  },
  {
    name: "hides a path in an id",
    guard: "signed form",
    control: read,
    attack: path((text) => text.replace("/fetch", "%2f..%2f..%2fmodels/fetch")),
    status: 404,
  },
  {
    name: "adds parameters",
    guard: "no parameters",
    control: read,
    attack: path((text) => `${text}?key=1`),
    status: 400,
  },
  {
    name: "names another host in the request line",
    guard: "own service",
    control: read,
    attack: path((text) => `http://evil.example${text}`),
    holds: (_, arrived) => assert.ok(arrived.every(({ url }) => url.startsWith("https://service.example/"))),
  },
  {
    name: "names another host in its Host header",
    guard: "own service",
    control: read,
    attack: header("host", "evil.example"),
    holds: (_, arrived) => assert.ok(arrived.every(({ url }) => url.startsWith("https://service.example/"))),
  },
  {
    name: "uses a route that the operator closed",
    guard: "open routes",
    gateway: "strict",
    control: imagine,
    attack: path((text) => text.replace("imagine", "shorten")),
    status: 404,
  },
];

/** @type {import("./asks.mjs").Attack[]} */
const methods = [
  { name: "puts instead of posting", guard: "methods", control: imagine, attack: method("PUT"), status: 405 },
  {
    name: "deletes a video",
    guard: "methods",
    control: ({ alice }) => get(`/v1/videos/${alice.veo}`),
    attack: method("DELETE"),
    status: 405,
  },
  { name: "posts to a reading", guard: "methods", control: read, attack: method("POST"), status: 405 },
  leak("x-http-method-override", "DELETE"),
];

/** @type {import("./asks.mjs").Attack[]} */
const headers = [
  leak("cookie", "session=of-the-page"),
  leak("x-forwarded-for", "192.0.2.99"),
  leak("forwarded", "for=192.0.2.98"),
  leak("x-real-ip", "192.0.2.97"),
  leak("proxy-authorization", "Basic cHJveHk="),
  leak("mj-api-secret", "sk-of-the-caller"),
  leak("referer", "https://page.example/private"),
  leak("x-internal-user", "administrator"),
  {
    name: "sends an Authorization of its own for the service",
    guard: "own key",
    control: imagine,
    attack: (ask) => ask,
    holds: neverArrives("page-alice"),
  },
  { name: "is nobody", guard: "authorize", control: imagine, attack: without("authorization"), status: 401 },
  {
    name: "sends a token that authorize does not know",
    guard: "authorize",
    control: imagine,
    attack: header("authorization", "Bearer admin"),
    status: 401,
  },
  { name: "submits too often", guard: "rate limit", control: imagine, attack: by("greedy"), status: 429 },
];

/** @param {string} name @param {string} origin @param {object} [rest] @returns {import("./asks.mjs").Attack} */
const probe = (name, origin, rest = {}) => ({
  ...{ name, guard: "origins", gateway: "strict", control: () => header("origin", PAGE)(imagine()) },
  ...{ attack: header("origin", origin), status: 403, ...rest },
});

/** @type {import("./asks.mjs").Attack[]} */
const origins = [
  probe("calls from another site", "https://evil.example"),
  probe("calls from a page without an origin", "null"),
  probe("calls from a host that begins like a named one", `${PAGE}.evil.example`),
  probe("calls from a subdomain of a named host", "https://sub.app.example"),
  probe("calls from a named host without TLS", "http://app.example"),
  probe("calls from another port of a named host", `${PAGE}:8443`),
  {
    name: "posts from another site whose browser leaves Origin out",
    guard: "origins",
    control: () => header("sec-fetch-site", "same-origin")(imagine()),
    attack: header("sec-fetch-site", "cross-site"),
    status: 403,
  },
  {
    name: "embeds a picture in another site",
    guard: "origins",
    control: ({ alice }) => header("sec-fetch-site", "same-origin")(get(`/mj/image/${alice.grid}`)),
    attack: header("sec-fetch-site", "cross-site"),
    status: 403,
  },
  {
    name: "asks by a form post, which needs no preflight",
    guard: "content type",
    control: imagine,
    attack: header("content-type", "text/plain"),
    status: 415,
  },
  {
    name: "sends a form where JSON is taken",
    guard: "content type",
    control: imagine,
    attack: header("content-type", "application/x-www-form-urlencoded"),
    status: 415,
  },
  {
    name: "sends a compressed body",
    guard: "no encodings",
    control: () => post("/mj/submit/imagine", { prompt: "a boat" }),
    attack: header("content-encoding", "gzip"),
    status: 415,
  },
];

export const heads = [...paths, ...methods, ...headers, ...origins];
