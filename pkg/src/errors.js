/**
 * Every rejection of this package but an abort's, whose reason is the caller's own.
 * Its fields come from the wasm, where they are decided; `index.d.ts` says what each means.
 */
export class CometError extends Error {
  /**
   * @param {{ code: import("./index.js").ErrorCode, message: string, [field: string]: unknown }} fields
   * @param {unknown} [cause] what the host threw, or the reason of an abort
   */
  constructor({ message, ...fields }, cause) {
    super(message, cause === undefined ? undefined : { cause });
    Object.assign(this, { operation: "client", retryable: false, ambiguous: false }, fields);
  }

  /** One of another entry, realm or copy of the package is one, too. @param {unknown} value */
  static [Symbol.hasInstance](value) {
    return this === CometError ? isCometError(value) : super[Symbol.hasInstance](value);
  }

  /** Every field but the cause, which may hold anything. */
  toJSON() {
    return Object.assign({ name: this.name, message: this.message }, this);
  }
}
// On the prototype, where the built-in errors have it: own fields are the contract's alone.
Object.defineProperty(CometError.prototype, "name", {
  value: "CometError",
  configurable: true,
  writable: true,
});

/**
 * By name and shape, and so is `instanceof CometError`: there may be several realms, and copies of the package.
 * @param {any} value
 * @returns {value is import("./index.js").CometError}
 */
export function isCometError(value) {
  return (
    value?.name === "CometError" && typeof value.code === "string" && typeof value.operation === "string"
  );
}

/**
 * @param {string} operation
 * @param {string} field
 * @param {string} rule
 * @param {unknown} [cause]
 */
export function invalid(operation, field, rule, cause) {
  const details = { field, rule };
  return new CometError({ code: "validation", operation, message: `${field} ${rule}`, details }, cause);
}

/** The wasm is not there, or the host refuses to run it. @param {unknown} error */
export function notLoaded(error) {
  if (isCometError(error)) return error;
  const why = /** @type {any} */ (error)?.message ?? error;
  const message = `the wasm could not be loaded (${why}); under a Content-Security-Policy it needs script-src 'wasm-unsafe-eval'`;
  return new CometError({ code: "unsupported", operation: "init", message }, error);
}
