import { TooLarge, readBytes, readForm, writeForm } from "./bodies.js";
import { Ids, subjectOf } from "./ids.js";
import { Limit } from "./limit.js";
import { isWhole } from "../whole.js";
import { cutPictures, fillPictures, join } from "./pictures.js";
import { contentReply, hide, passedHeaders } from "./replies.js";

/** What of a request's head the decision needs. The others are not read, and none is passed on. */
const READ_HEADERS = [
  ...["origin", "sec-fetch-site", "content-type", "content-encoding", "content-length"],
  ...["access-control-request-method", "access-control-request-headers"],
];
/** One part of a file, the only form that a player uses. */
const RANGE = /^bytes=(\d{1,15}-\d{0,15}|-\d{1,15})$/;
/** A reply of the service's that is JSON; a hundred tasks with all their fields are a tenth of it. */
const MOST_REPLY_BYTES = 4 * 1024 * 1024;
/** In the wasm's texts: where a tag or a picture goes. */
const MARK = "\u0001";

/** An answer of the gateway's own. */
class Refused {
  /** @param {number} status @param {string} body */
  constructor(status, body) {
    this.status = status;
    this.body = body;
  }
}

/** One request, from its head to its reply. */
export class Exchange {
  #settings;
  #rules;
  #request;
  /** Of every reply; from the head's verdict on. @type {[string, string][]} */
  #headers = [["x-content-type-options", "nosniff"]];
  #operation = "gateway";
  /** The task that it is about. @type {string | undefined} */
  #id;
  /** What must never be told. @type {string[]} */
  #hidden = [];

  /**
   * @param {import("./create.js").Settings} settings
   * @param {import("./rules.js").Rules} rules
   * @param {Request} request
   */
  constructor(settings, rules, request) {
    this.#settings = settings;
    this.#rules = rules;
    this.#request = request;
  }

  /** Never rejects. @param {unknown} env @param {unknown} ctx */
  async run(env, ctx) {
    try {
      await this.#rules.ready();
      return await this.#answer(env, ctx);
    } catch (error) {
      return this.#failed(error);
    }
  }

  /** @param {unknown} env @param {unknown} ctx */
  async #answer(env, ctx) {
    const verdict = this.#judge();
    if (verdict.status === 204) return new Response(null, { status: 204, headers: this.#headers });
    this.#operation = verdict.operation;
    const ids = await this.#identify(verdict, env, ctx);
    if (verdict.check) await this.#demand([verdict.check], ids);
    const outgoing = verdict.takes ? await this.#readBody(verdict, ids) : { path: verdict.path, asked: [] };
    if (!outgoing) return this.#reply(200, "[]");
    const asked = [...(verdict.check ? [verdict.check[1]] : []), ...outgoing.asked];
    this.#id = asked.length === 1 ? asked[0] : undefined;
    const key = await this.#settings.apiKey(env);
    const limit = new Limit(verdict.limitMs);
    try {
      const response = await this.#send(outgoing, key, limit);
      return await this.#passBack(verdict, asked, response, ids, limit);
    } finally {
      limit.end();
    }
  }

  /** The verdict on the head. */
  #judge() {
    const { method, url, headers } = this.#request;
    const { origin, pathname, search } = new URL(url);
    const known = READ_HEADERS.flatMap((name) => {
      const value = headers.get(name);
      return value === null ? [] : [[name, value]];
    });
    const head = { method, origin, path: pathname, query: search, headers: Object.fromEntries(known) };
    const verdict = this.#rules.ask("judge", JSON.stringify(head)).head;
    this.#headers = verdict.headers;
    if (verdict.body) throw new Refused(verdict.status, verdict.body);
    return verdict;
  }

  /** @param {any} verdict @param {any} env @param {any} ctx */
  async #identify(verdict, env, ctx) {
    const { authorize, rateLimiter, secret } = this.#settings;
    const subject = subjectOf(await authorize(this.#request, env, ctx));
    if (subject === null) throw this.#refusal("unauthorized");
    if (verdict.isSubmit && rateLimiter && !(await rateLimiter.limit({ key: subject })).success) {
      throw this.#refusal("rate_limited");
    }
    const signing = await secret(env);
    this.#hidden.push(signing);
    return Ids.of(signing, subject);
  }

  /** Every id must be this caller's. @param {import("./ids.js").Check[]} checks @param {Ids} ids */
  async #demand(checks, ids) {
    const genuine = await Promise.all(checks.map(ids.isGenuine, ids));
    if (!genuine.every(Boolean)) throw this.#refusal("not_found");
  }

  /**
   * The body as it goes to the service; nothing when nobody need be asked.
   * @param {any} verdict
   * @param {Ids} ids
   * @returns {Promise<Outgoing | undefined>}
   */
  async #readBody(verdict, ids) {
    const { body, headers } = this.#request;
    const bytes = await this.#whole(readBytes(body, this.#settings.rules.maxBodyBytes));
    if (verdict.takes === "form") return this.#readForm(bytes, headers.get("content-type") ?? "");
    const cut = cutPictures(bytes);
    if (!cut) throw new TooLarge();
    const { route, speed, check } = verdict;
    const parent = check ? check[1] : "";
    const read = this.#asked("readJson", route, speed, parent, cut.rest, cut.pictures.length);
    const texts = read.text.split(MARK);
    /** @type {string[]} */
    const asked = read.head.checks.map((/** @type {import("./ids.js").Check} */ [, id]) => id);
    if (route === "tasks") return this.#readList(read, ids);
    await this.#demand(read.head.checks, ids);
    const pictures = read.head.pictures.map((/** @type {number} */ at) => cut.pictures[at]);
    const json = pictures.length > 0 ? fillPictures(texts, pictures) : read.text;
    return { path: read.head.path, body: json, type: "application/json", asked };
  }

  /** What is not this caller's is left out, as the service leaves out what it does not know. @param {any} read @param {Ids} ids */
  async #readList({ head, text }, ids) {
    const { checks, path } = head;
    const genuine = await Promise.all(checks.map(ids.isGenuine, ids));
    const asked = checks.filter((/** @type {any} */ _, /** @type {number} */ at) => genuine[at]);
    if (asked.length === 0) return undefined;
    const own = asked.map((/** @type {import("./ids.js").Check} */ [, id]) => id);
    const body = own.length === checks.length ? text : this.#rules.list(own);
    return { path, body, type: "application/json", asked: own };
  }

  /** @param {Uint8Array<ArrayBuffer>} bytes @param {string} type */
  async #readForm(bytes, type) {
    const form = await this.#whole(readForm(bytes, type));
    const { head } = this.#asked("readForm", form.parts);
    return { path: head.path, body: writeForm(head.parts, form.files), asked: [] };
  }

  /**
   * A caller who leaves in the middle of his body is no fault of the gateway's.
   * @template T
   * @param {Promise<T>} reading
   */
  #whole(reading) {
    return reading.catch((error) => {
      throw error instanceof TooLarge ? error : this.#refusal("unreadable");
    });
  }

  /** A decision that may be a refusal. @param {string} method @param {...unknown} parameters */
  #asked(method, ...parameters) {
    const said = this.#rules.ask(method, ...parameters);
    if (said.head.status) throw new Refused(said.head.status, said.head.body);
    return said;
  }

  /** @param {Outgoing} outgoing @param {string} key @param {Limit} limit */
  async #send({ path, body, type }, key, limit) {
    this.#hidden.push(key);
    const headers = new Headers({ accept: "*/*", authorization: `Bearer ${key}` });
    if (type) headers.set("content-type", type);
    const range = this.#request.headers.get("range");
    if (!body && range && RANGE.test(range)) headers.set("range", range);
    const method = body ? "POST" : "GET";
    const start = Date.now();
    this.#tell({ type: "request", method, path, attempt: 1 });
    // A redirect is handed back, not followed: the key belongs to this one origin.
    const redirect = /** @type {const} */ ("manual");
    const init = { method, headers, body, redirect, signal: limit.signal };
    const sent = this.#settings.fetch(this.#settings.rules.baseUrl + path, init);
    const response = await this.#inTime(sent, limit);
    this.#tell({ type: "response", status: response.status, ms: Date.now() - start });
    return response;
  }

  /**
   * @template T
   * @param {Promise<T>} work of the service's
   * @param {Limit} limit
   */
  #inTime(work, limit) {
    return limit.of(work).catch(() => {
      throw this.#refusal(limit.isOver ? "late" : "unreachable");
    });
  }

  /**
   * A result streams for as long as it takes; whatever else must be there in time.
   * @param {any} verdict
   * @param {string[]} asked
   * @param {Response} response
   * @param {Ids} ids
   * @param {Limit} limit
   */
  async #passBack({ route }, asked, response, ids, limit) {
    const passed = passedHeaders(response.headers, this.#hidden);
    const headers = [...this.#headers, ...passed];
    if (route.startsWith("content")) {
      const type = this.#rules.mediaType(response.headers.get("content-type") ?? "");
      const content = type && contentReply(response, headers, type);
      if (content) return this.#settled(content);
    }
    /** @type {Uint8Array<ArrayBuffer>[]} */
    const pieces = [];
    const reading = this.#inTime(readReply(response, pieces), limit);
    const { bytes, isOver } = await reading.catch((error) => wholeOf(pieces) ?? Promise.reject(error));
    const { status, type } = response;
    const shown = type === "opaqueredirect" || response.redirected ? 0 : status;
    const said = this.#rules.ask("answer", route, JSON.stringify(asked), shown, isOver, bytes);
    const family = /^veo$|^remix$|videos$/.test(route) ? "videos" : "midjourney";
    const tags = await Promise.all(said.head.ids.map((/** @type {string} */ id) => ids.tag(family, id)));
    const texts = said.text.split(MARK);
    const text = texts.map((piece, at) => piece + (tags[at] ?? "")).join("");
    return this.#reply(said.head.status, text, headers);
  }

  /** @param {string} word */
  #refusal(word) {
    const { status, body } = this.#rules.ask("refuse", word).head;
    return new Refused(status, body);
  }

  /** @param {unknown} error @returns {Response} */
  #failed(error) {
    if (error instanceof Refused) return this.#reply(error.status, error.body);
    if (error instanceof TooLarge) return this.#failed(this.#refusal("too_large"));
    // What went wrong is the operator's to know, not the caller's.
    console.error(hide(`comet-tasks gateway: ${error instanceof Error ? error.stack : error}`, this.#hidden));
    const message = "the gateway failed";
    return this.#reply(500, JSON.stringify({ error: { message, type: "gateway_error" } }));
  }

  /** @param {number} status @param {string} text @param {[string, string][]} [headers] */
  #reply(status, text, headers = this.#headers) {
    const all = new Headers(headers);
    all.set("content-type", "application/json; charset=utf-8");
    return this.#settled(new Response(hide(text, this.#hidden), { status, headers: all }));
  }

  /** @param {Response} response */
  #settled(response) {
    this.#tell({ type: "settled", outcome: outcomeOf(response.status) });
    return response;
  }

  /** @param {object} event */
  #tell(event) {
    const id = this.#id === undefined ? {} : { id: this.#id };
    this.#settings.tell({ operation: this.#operation, at: Date.now(), ...id, ...event });
  }
}

/**
 * @typedef {object} Outgoing
 * @property {string} path
 * @property {BodyInit} [body]
 * @property {string} [type] a form has its own
 * @property {string[]} asked the service's ids that it names, checked
 */

/**
 * At once when its length is known, since that is much quicker than piece by piece.
 * @param {Response} response
 * @param {Uint8Array<ArrayBuffer>[]} pieces
 */
async function readReply(response, pieces) {
  const { headers, body } = response;
  const length = headers.has("content-encoding") ? undefined : headers.get("content-length");
  try {
    if (length && Number(length) <= MOST_REPLY_BYTES) {
      return { bytes: new Uint8Array(await response.arrayBuffer()), isOver: false };
    }
    return { bytes: await readBytes(body, MOST_REPLY_BYTES, pieces), isOver: false };
  } catch (error) {
    if (error instanceof TooLarge) return { bytes: new Uint8Array(0), isOver: true };
    throw error;
  }
}

/** The reply, if it was there before the connection broke. @param {Uint8Array<ArrayBuffer>[]} pieces */
function wholeOf(pieces) {
  const bytes = join(pieces);
  return isWhole(new TextDecoder().decode(bytes)) ? { bytes, isOver: false } : undefined;
}

/** @param {number} status */
function outcomeOf(status) {
  const outcomes = new Map([
    [400, "validation"],
    [401, "unauthorized"],
    [403, "forbidden"],
    [404, "not_found"],
    [413, "too_large"],
    [429, "rate_limited"],
  ]);
  if (status < 400) return "succeeded";
  return outcomes.get(status) ?? (status < 500 ? "rejected" : "gateway");
}
