import { notLoaded } from "./errors.js";

/**
 * Makes one instance of a module: its own memory, its own state. After a trap it must not be used again.
 *
 * @template {{ initSync(source: { module: WebAssembly.Module }): unknown }} Glue
 * @param {(host: import("./glue.js").Host) => Glue} createGlue what goes with the module
 * @param {WebAssembly.Module} module
 * @returns {Glue}
 */
export function createInstance(createGlue, module) {
  const glue = createGlue({ WebAssembly: { Module: anyModule, Instance: WebAssembly.Instance } });
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
