import { compileInline } from "../inline.js";
import letters from "./wasm-inline.js";

/**
 * Compiles the module that is part of this file: the one form that every bundler and every host takes as it is.
 */
export function load() {
  return compileInline(letters);
}
