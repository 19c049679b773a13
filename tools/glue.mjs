// wasm-bindgen's output as the facade takes it.
import { Stop } from "./shell.mjs";

/**
 * What loads a module by itself, a quarter of the glue in brotli: the facade hands one over. No bundler can leave it out, since the
 * function that is given back is the one that loads. As esbuild writes it.
 * @type {[RegExp, string][]}
 */
const cuts = [
  [/ {4}let script_src;\n {4}if \([^]*?\n {4}\}\n/, ""],
  [/ {4}async function __wbg_load\([^]*?\n {4}\}\n/, ""],
  [/ {4}let __wbg_init_promise;[^]*?(?= {4}return Object)/, ""],
  // What every engine since 2020 has, what no caller here gives, and a way without `realloc`, which the wasm exports.
  [/ {4}if \(!\("encodeInto"[^]*?\n {4}\}\n/, ""],
  [/ {6}if \(module !== void 0\) \{\n[^]*?\n {6}\}\n(?= {6}const imports)/, "      ({ module } = module);\n"],
  [/ {6}if \(realloc === void 0\) \{[^]*?\n {6}\}\n/, ""],
  // An exported function has one name in the wasm, which becomes short, and here, which stays.
  [/exports\.\w+ = (\w+);/, "exports.$1 = $1;"],
  [/Object\.assign\(__wbg_init, \{ initSync \}, exports\)/, "Object.assign(exports, { initSync })"],
];

/**
 * Wraps it in a function: each call makes an independent instance, and what it would take from the global scope is handed
 * to it. It has no document: there is no script to find.
 * @param {string} output
 * @param {Record<string, string>} names what wasm-opt calls imports and exports
 */
export async function wrapGlue(output, names) {
  const glue = [
    "export function createGlue({ WebAssembly }) {",
    "const document = undefined;",
    output,
    "return wasm_bindgen;",
    "}\n",
  ].join("\n");
  const { transform } = await import("esbuild"); // not before set-up has installed it
  const long = Object.keys(names).map((name) => name.replace(/[^\w]/g, "\\$&"));
  const options = {
    mangleProps: new RegExp(`^(?:${long.join("|")})$`),
    mangleQuoted: true,
    mangleCache: names,
  };
  const { code } = await transform(glue, options);
  return cuts.reduce(cut, code);
}

/** @param {string} code @param {[RegExp, string]} change */
function cut(code, [found, instead]) {
  if (!found.test(code)) throw new Stop(`wasm-bindgen's glue has changed: ${found} is not in it any more.`);
  return code.replace(found, instead);
}
