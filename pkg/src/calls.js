import { checkCall, operationOf, ownHeaders, plainOptions } from "./call-options.js";
import { createEngine, isModule } from "./engine.js";
import { CometError, isCometError } from "./errors.js";
import { CALL, CLOSE, KEEP, LEAVE, OPEN, PROCEED } from "./events.js";
import { Host } from "./host.js";
import { toJson } from "./images.js";
import { OpenCall, lastId, panicError, tellNews } from "./open-call.js";
import { closedError } from "./options.js";
import { withRaw } from "./task.js";
import { Waits } from "./waits.js";
import { onWake } from "./wake.js";

/**
 * @typedef {() => WebAssembly.Module | Promise<WebAssembly.Module>} Load
 * @typedef {ReturnType<typeof import("./options.js").checkOptions>} Settings
 * @typedef {{ json: string, images?: unknown[] }} Argument
 */

/**
 * The calls of one client. They own one instance of the wasm, which decides; here they are carried: arguments in, results
 * out, and an end for every promise when the instance dies or the client is closed.
 */
export class Calls {
  /** The client's, checked. */
  settings;
  #load;
  #isShared;
  #stopListening = () => {};
  /** Of the instance, as long as there is one. @type {Host | undefined} */
  #host;
  /** The calls that have not settled. @type {Map<number, OpenCall>} */
  #open = new Map();
  #waits;
  #isClosed = false;

  /**
   * @param {Settings} settings
   * @param {Load} load
   * @param {boolean} isShared waits may share what they wait for: see DESIGN.md, request contexts
   */
  constructor(settings, load, isShared) {
    this.settings = settings;
    this.#load = load;
    this.#isShared = isShared;
    this.#waits = new Waits({
      leave: (id) => this.#leave(id),
      task: (json, raws) => this.task([json, raws]),
      unwrap: (outcome) => this.task(this.#unwrap(outcome)),
      parse: (json) => this.parse(json),
    });
  }

  /**
   * @param {string} name
   * @param {() => Argument | Promise<Argument>} take
   * @param {any} [options]
   * @param {{ mayCreate?: boolean, id?: number, handle?: unknown }} [facts] whether it may make a task, the wait that it ends in,
   *   the task that it is about
   * @returns {Promise<[string, any[]]>} JSON, and what it was read from
   */
  call(name, take, options = {}, { mayCreate = false, id, handle } = {}) {
    // No async function here either: each await would cost a turn, and a promise of its own.
    return new Promise((resolve, reject) => {
      const operation = operationOf(name);
      checkCall(operation, options);
      const headers = ownHeaders(operation, this.settings.headers, options.headers);
      const open = this.begin(operation, mayCreate, options, resolve, reject, id, handle);
      open.headers = headers;
      const begin = (/** @type {Argument} */ argument) => {
        this.loaded(open, (module) => {
          const host = this.#hostOf(module);
          open.images = argument.images ?? [];
          const lines = this.#lines(name, operation, options, argument.json);
          open.leave = () => this.#leave(open.id);
          this.#inside(() => host.hear(CALL, open.id, this.#marks(options), lines));
        });
      };
      whenThere(open, take, begin);
    });
  }

  /** @param {any} handle @param {any} [options] */
  wait(handle, options) {
    // No async function: one that is suspended costs more than the whole wait.
    return new Promise((resolve, reject) => {
      checkCall("poll", options);
      const open = () => this.begin("poll", false, options, begin, reject, undefined, handle);
      /** @param {WebAssembly.Module} module */
      const begin = (module) => {
        try {
          const { signal } = options;
          if (this.#isClosed) return void open();
          if (signal?.aborted) throw signal.reason;
          const headers = ownHeaders("poll", this.settings.headers, options.headers);
          const lines = this.#lines("poll", "poll", options, toJson("poll", handle));
          const host = this.#hostOf(module);
          const wait = this.#waits.add("poll", handle, options, resolve, reject);
          this.#waits.sendWith(wait, headers);
          this.#inside(
            () => host.hear(CALL, wait, this.#marks(options), lines),
            (error) => this.#waits.drop(wait, panicError(error, { operation: "poll" })),
          );
          this.#waits.begin(wait);
        } catch (error) {
          reject(error);
        }
      };
      const module = this.#load();
      if (isModule(module)) return begin(module);
      const loading = open();
      this.loaded(loading, (module) => loading.resolve(module));
    });
  }

  /**
   * A call that ends in a wait.
   * @param {string} name
   * @param {() => Argument | Promise<Argument>} take
   * @param {any} options
   * @returns {Promise<any>}
   */
  run(name, take, options) {
    return new Promise((resolve, reject) => {
      const wait = this.#waits.add(operationOf(name), undefined, options ?? {}, resolve, reject);
      const creates = { mayCreate: true, id: wait };
      this.call(name, take, options, creates).catch((error) => this.#waits.drop(wait, error));
    });
  }

  /** Ends every open call with "closed" and lets the instance go. */
  close() {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stopListening();
    this.#inside(() => this.#host?.hear(CLOSE));
    for (const call of [...this.#open.values()]) call.close();
    this.#waits.close();
    this.#host?.stop();
    this.#host = undefined;
  }

  /**
   * A call that is open from now on, unless it cannot be.
   * @param {string} operation
   * @param {boolean} mayCreate
   * @param {any} options
   * @param {(value: any) => void} resolve
   * @param {(reason: any) => void} reject
   * @param {number} [id]
   * @param {unknown} [handle]
   */
  begin(operation, mayCreate, options, resolve, reject, id, handle) {
    const open = new OpenCall(operation, mayCreate, options, { resolve, reject, ...this.#ending }, id);
    // A bare id is no handle yet: the wasm makes one of it.
    if (typeof handle === "object" && handle !== null) open.handle = handle;
    this.#open.set(open.id, open);
    if (this.#isClosed) open.close();
    else if (options.signal?.aborted) open.abort(options.signal.reason);
    return open;
  }

  #ending = {
    onEnd: (/** @type {OpenCall} */ open) => void this.#open.delete(open.id),
    parse: (/** @type {string} */ json) => this.parse(json),
  };

  /** Goes on with the module. @param {OpenCall} open @param {(module: WebAssembly.Module) => void} work */
  loaded(open, work) {
    // A shared promise must not be waited for where the module is there at once: see DESIGN.md, request contexts.
    whenThere(open, this.#load, work);
  }

  /** Nobody wants a call or a wait any more. @param {number} id */
  #leave(id) {
    const host = this.#host;
    if (!host) return;
    this.#inside(() => host.hear(LEAVE, id, Number(host.isSent(id))));
  }

  /** @param {string} name @param {string} operation @param {any} options @param {string} argument JSON */
  #lines(name, operation, options, argument) {
    // JSON has no line feeds.
    return [name, plainOptions(operation, options, this.settings.requestTimeoutMs), argument].join("\n");
  }

  /** @param {any} options */
  #marks({ headers, requestTimeoutMs, onUpdate }) {
    const isAlone = !this.#isShared || headers || requestTimeoutMs !== undefined;
    return (isAlone ? 1 : 0) + (onUpdate === undefined ? 0 : 2);
  }

  /**
   * A question of `persist` to the wasm, which answers at once.
   * @param {WebAssembly.Module} module
   * @param {OpenCall} open
   * @param {object} question
   */
  ask(module, open, question) {
    const host = this.#hostOf(module);
    // Outside: what has no JSON is the caller's mistake, and no death of the instance.
    const json = toJson("persist", question);
    if (!this.#inside(() => host.hear(KEEP, 0, 0, json))) {
      throw open.panic("it gave no answer");
    }
    return JSON.parse(host.answered);
  }

  /** @param {WebAssembly.Module} module */
  #hostOf(module) {
    if (this.#isClosed) throw closedError("client");
    if (!this.#host) {
      const engine = createEngine(module);
      const { baseUrl, dialect, requestTimeoutMs, maxConcurrency, onEvent } = this.settings;
      const settings = {
        ...{ baseUrl, dialect, isTraced: onEvent !== undefined },
        requestTimeoutMs:
          requestTimeoutMs && (requestTimeoutMs < Infinity ? Math.trunc(requestTimeoutMs) : false),
        maxConcurrency: Math.min(maxConcurrency, 1e6),
      };
      const host = new Host(this.settings, {
        outgoing: (owner) => this.#outgoing(owner),
        tell: (id, outcome) => this.#tell(id, outcome),
        trapped: (error) => this.#bury(host, error),
      });
      try {
        host.engine = engine;
        host.hear(OPEN, 0, 0, JSON.stringify(settings), host);
      } catch (error) {
        throw panicError(error, { operation: "client" });
      }
      this.#host = host;
      this.#stopListening();
      this.#stopListening = onWake(host);
    }
    return this.#host;
  }

  /** What goes with the requests of a call, of a wait, or of those that share them. @param {number} owner */
  #outgoing(owner) {
    const open = this.#open.get(owner);
    const headers = open?.headers ?? this.#waits.headersOf(owner) ?? this.settings.headers;
    return { headers, images: open?.images ?? [] };
  }

  /**
   * Runs a piece of the wasm, which throws nothing of its own: whatever comes out of it is its death. What ran in it is told of
   * that, and nothing is returned.
   * @template T
   * @param {() => T} work
   * @param {(error: unknown) => void} [onDeath] told of it, too
   */
  #inside(work, onDeath) {
    const host = this.#host;
    try {
      return work();
    } catch (error) {
      // No more than this at once: where it is the stack that has ended there is no room for more.
      this.#host = undefined;
      if (host) host.isOver = true;
      // Later ones have a new instance.
      const last = lastId;
      Promise.resolve().then(() => {
        this.#bury(host, error, last);
        onDeath?.(error);
      });
    }
  }

  /**
   * The instance is broken: whatever ran in it ends here, and the next call gets a new one. Nothing is sent again.
   * @param {Host | undefined} host
   * @param {unknown} error
   * @param {number} last the name of the last call or wait that may have run in it
   */
  #bury(host, error, last = lastId) {
    if (this.#host === host) this.#host = undefined;
    host?.stop();
    for (const call of [...this.#open.values()]) if (call.id <= last) call.reject(call.panic(error));
    this.#waits.trap(error, last);
  }

  /** What the wasm has to say of a call or of a wait. It must not throw into it. @param {number} id @param {any[]} outcome */
  #tell(id, outcome) {
    const open = this.#open.get(id);
    if (!open) return this.#waits.tell(id, outcome);
    const [verdict, json, , raws] = outcome;
    if (verdict === "begun") {
      open.handle = json;
      this.#waits.begin(id, json);
    } else if (verdict === "submitted") this.#submitted(open, json);
    else if (verdict === "reading") {
      tellNews(open.options.onUpdate, this.task([json, raws]), (error) => open.abort(error));
    } else if (verdict === "waits") {
      this.#waits.sendWith(id, open.headers);
      open.resolve(undefined);
    } else {
      try {
        // What ended a reading meanwhile ends it, though it is there; a task that was made is worth more.
        if (open.isAborted && !open.mayCreate) throw open.reason;
        open.resolve(this.#unwrap(outcome, open));
      } catch (error) {
        open.reject(error);
      }
    }
  }

  /** A run's handle, before anything else; what onSubmitted gives is waited for. @param {OpenCall} open @param {string} json */
  #submitted(open, json) {
    const proceed = () => {
      if (!open.isOver) this.#inside(() => this.#host?.hear(PROCEED, open.id));
    };
    const fail = (/** @type {unknown} */ error) => open.abort(error);
    try {
      const stored = open.options.onSubmitted?.(this.parse(json));
      // Not its own `then`, which may be anybody's: it might call back twice, or throw after it has.
      if (typeof stored?.then === "function") Promise.resolve(stored).then(proceed, fail);
      else proceed();
    } catch (error) {
      fail(error);
    }
  }

  /**
   * @param {any[]} outcome
   * @param {OpenCall} [open]
   * @returns {[string, any[]]}
   */
  #unwrap([verdict, json, cause, raws], open) {
    if (verdict === "ok") return [json, raws];
    if (verdict === "aborted") throw open?.ended();
    const fields = this.parse(json);
    if (fields.task) this.withRaw(fields.task, raws[0]);
    // A check of the facade's own that failed inside the call, such as a key function's result.
    if (fields.code === "validation" && isCometError(cause)) {
      throw Object.assign(cause, fields.handle && { handle: fields.handle, task: fields.task });
    }
    const isOwn = fields.code === "submit_unknown";
    const error = new CometError(fields, isOwn ? open?.reason : this.settings.secrets.safe(cause));
    throw open ? open.explain(error) : error;
  }

  /** @param {string} json */
  parse(json) {
    return this.settings.secrets.parse(json);
  }

  /** @param {any} task @param {string | undefined} text */
  withRaw(task, text) {
    return withRaw(task, text, (json) => this.parse(json));
  }

  /** @param {[string, any[]]} done @returns {any} */
  task = ([json, raws]) => this.withRaw(this.parse(json), raws[0]);
}

/**
 * Goes on with a value, now or when it is there, unless the call has ended by then.
 * @template T
 * @param {OpenCall} open
 * @param {() => T | Promise<T>} get
 * @param {(value: T) => void} work
 */
function whenThere(open, get, work) {
  const go = (/** @type {T} */ value) => {
    if (open.isOver) return;
    try {
      work(value);
    } catch (error) {
      open.reject(error);
    }
  };
  if (open.isOver) return;
  try {
    const value = get();
    // By shape: the type of a module has no members, so a promise would pass for one.
    const later = /** @type {any} */ (value);
    if (typeof later?.then === "function")
      later.then(go, (/** @type {unknown} */ error) => open.reject(error));
    else go(/** @type {T} */ (value));
  } catch (error) {
    open.reject(error);
  }
}
