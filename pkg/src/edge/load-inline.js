import { compileBase64 } from "../base64.js";
import base64 from "./wasm-inline.js";

/**
 * Compiles the module that is part of this file: the one form that every bundler and every host takes as it is.
 */
export function load() {
  return compileBase64(base64);
}
