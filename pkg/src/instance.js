import { notLoaded } from "./errors.js";

/**
 * Makes one instance of a module: its own memory, its own state. After a trap it must not be used again.
 *
 * @template {{ initSync(source: { module: WebAssembly.Module }): unknown }} Glue
 * @param {(host: import("./glue.js").Host) => Glue} createGlue what goes with the module
 * @param {WebAssembly.Module} module
 * @param {(error: unknown) => void} onTrap told when a microtask or a timer of the instance throws. Nobody awaits
 *   those, so without it the error would surface as an uncaught exception and the promises would stay open.
 * @returns {Glue}
 */
export function createInstance(createGlue, module, onTrap) {
  const glue = createGlue({
    WebAssembly: { Module: anyModule, Instance: WebAssembly.Instance },
    // The host's functions are looked up at each call: fake timers may be installed after the instance was made.
    // They are called bare: on another object they are an illegal invocation.
    queueMicrotask: (callback) => queueMicrotask(guard(callback, onTrap)),
    setTimeout: (callback, ms) => setTimeout(guard(callback, onTrap), ms),
    clearTimeout: (id) => clearTimeout(id),
  });
  try {
    glue.initSync({ module });
  } catch (error) {
    throw notLoaded(error); // WebKit compiles under every policy, and refuses only here
  }
  return glue;
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

/**
 * @param {() => void} callback
 * @param {(error: unknown) => void} onTrap
 */
function guard(callback, onTrap) {
  return () => {
    try {
      callback();
    } catch (error) {
      onTrap(error);
    }
  };
}
