// What index.d.ts declares, by TypeScript's own reading of it.
import { join } from "node:path";
import ts from "typescript";
import { folder } from "../installed.mjs";

const file = join(folder, "node_modules/comet-tasks/dist/index.d.cts");
const program = ts.createProgram([file], {
  lib: ["lib.es2022.d.ts", "lib.dom.d.ts"],
  types: [],
  strict: true,
});
const checker = program.getTypeChecker();
const source = /** @type {ts.SourceFile} */ (program.getSourceFile(file));
const symbols = /** @type {ts.Symbol} */ (checker.getSymbolAtLocation(source)).exports;

/** A type by its name, exported or not. @param {string} name */
function typeOf(name) {
  const statement = source.statements.find((one) => /** @type {any} */ (one).name?.text === name);
  if (!statement) throw new Error(`index.d.ts declares no ${name}`);
  return checker.getTypeAtLocation(statement);
}

/** The members of a union, or the type alone. @param {ts.Type} type */
const parts = (type) => (type.isUnion() ? type.types : [type]);

/** The fields of a type, and of each member of a union. @param {string} name */
export function fieldsOf(name) {
  const found = parts(typeOf(name)).flatMap((type) => type.getProperties().map((field) => field.name));
  return [...new Set(found)].sort();
}

/** The words of a union of literals. @param {string} name */
export function wordsOf(name) {
  return parts(typeOf(name))
    .map((type) => /** @type {ts.StringLiteralType} */ (type).value)
    .sort();
}

/**
 * The members of a union that is told apart by one field: its word, what they all have, and what they may have.
 * @param {string} name
 * @param {string} key
 */
export function variantsOf(name, key) {
  const variants = parts(typeOf(name)).map((type) => {
    const word = checker.getTypeOfSymbol(/** @type {ts.Symbol} */ (type.getProperty(key)));
    const fields = type.getProperties();
    const required = fields.filter((field) => !(field.flags & ts.SymbolFlags.Optional));
    const names = (/** @type {ts.Symbol[]} */ list) => list.map((field) => field.name).sort();
    return [
      /** @type {ts.StringLiteralType} */ (word).value,
      { required: names(required), all: names(fields) },
    ];
  });
  return Object.fromEntries(variants);
}

/** Every `@default`, as `Type.field`. @returns {Record<string, string>} */
export function defaults() {
  /** @type {Record<string, string>} */
  const found = {};
  for (const statement of source.statements) {
    const owner = /** @type {any} */ (statement).name?.text;
    const visit = (/** @type {ts.Node} */ node) => {
      for (const tag of ts.getJSDocTags(node)) {
        if (tag.tagName.text === "default" && ts.isPropertySignature(node)) {
          found[`${owner}.${node.name.getText()}`] = ts.getTextOfJSDocComment(tag.comment) ?? "";
        }
      }
      ts.forEachChild(node, visit);
    };
    visit(statement);
  }
  return found;
}

/** Every exported name. */
export const exported = [...(symbols?.keys() ?? [])].map(String);
