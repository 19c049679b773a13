import { notLoaded } from "./errors.js";

/**
 * Makes one instance of a module: its own memory, its own state. After a trap it must not be used again.
 *
 * @template {{ initSync(source: { module: WebAssembly.Module }): unknown }} Glue
 * @param {(host: import("./glue.js").Host) => Glue} createGlue what goes with the module
 * @param {WebAssembly.Module} module
 * @param {(error: unknown) => void} onTrap told when a microtask or a timer of the instance throws. Nobody awaits
 *   those, so without it the error would surface as an uncaught exception and the promises would stay open.
 * @returns {Glue & { stop(): void }} `stop` clears its timers, which would keep a process alive, and lets nothing of it run again
 */
export function createInstance(createGlue, module, onTrap) {
  /** @type {Set<ReturnType<typeof setTimeout>>} */
  const timers = new Set();
  let isOver = false;
  const stop = () => {
    isOver = true;
    for (const id of timers) clearTimeout(id);
  };
  const run = (/** @type {() => void} */ callback) => {
    if (isOver) return;
    try {
      callback();
    } catch (error) {
      stop();
      onTrap(error);
    }
  };
  const glue = createGlue({
    WebAssembly: { Module: anyModule, Instance: WebAssembly.Instance },
    // The host's functions are looked up at each call: fake timers may be installed after the instance was made.
    // They are called bare: on another object they are an illegal invocation.
    queueMicrotask: (callback) => queueMicrotask(() => run(callback)),
    setTimeout(callback, ms) {
      const id = setTimeout(() => {
        timers.delete(id);
        run(callback);
      }, ms);
      timers.add(id);
      return id;
    },
    clearTimeout(id) {
      timers.delete(id);
      clearTimeout(id);
    },
  });
  try {
    glue.initSync({ module });
  } catch (error) {
    throw notLoaded(error); // WebKit compiles under every policy, and refuses only here
  }
  return Object.assign(glue, { stop });
}

/**
 * Whether a value is a compiled module, of this realm or of another: `instanceof` knows only its own.
 * @param {unknown} value
 * @returns {value is WebAssembly.Module}
 */
export function isModule(value) {
  return Object.prototype.toString.call(value) === "[object WebAssembly.Module]";
}

/** Passes the glue's own `instanceof` for modules of every realm; the caller has tested them with `isModule`. */
const anyModule = { [Symbol.hasInstance]: () => true };
