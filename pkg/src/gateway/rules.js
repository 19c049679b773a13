import { createEdgeEngine } from "../edge/engine.js";
import { isModule } from "../instance.js";

/**
 * The decisions, which are the wasm's. One instance serves every request: no decision waits, so none is ever under way
 * while another begins. An instance that broke down is dropped, and the next request gets a fresh one.
 */
export class Rules {
  #load;
  #options;
  /** @type {WebAssembly.Module | undefined} */
  #module;
  /** @type {any} */
  #instance;

  /**
   * @param {() => WebAssembly.Module | Promise<WebAssembly.Module>} load
   * @param {object} options
   */
  constructor(load, options) {
    this.#load = load;
    this.#options = JSON.stringify(options);
  }

  /** To be awaited before the first decision of a request. @returns {void | Promise<void>} */
  ready() {
    if (this.#module) return;
    const module = this.#load();
    if (isModule(module)) {
      this.#module = module;
      return;
    }
    return /** @type {Promise<WebAssembly.Module>} */ (module).then((compiled) => {
      this.#module = compiled;
    });
  }

  get #gateway() {
    if (!this.#instance) {
      const module = /** @type {WebAssembly.Module} */ (this.#module);
      const { Gateway } = createEdgeEngine(module);
      this.#instance = new Gateway(this.#options);
    }
    return this.#instance;
  }

  #drop() {
    this.#instance = undefined;
  }

  /**
   * A decision: the method's line of JSON, and what stands behind it.
   * @param {string} method
   * @param {...unknown} parameters
   * @returns {{ head: any, text: string }}
   */
  ask(method, ...parameters) {
    const said = this.#call(method, parameters);
    const end = said.indexOf("\n");
    if (end < 0) return { head: JSON.parse(said), text: "" };
    return { head: JSON.parse(said.slice(0, end)), text: said.slice(end + 1) };
  }

  /** @param {string} contentType @returns {string | undefined} */
  mediaType(contentType) {
    return this.#call("mediaType", [contentType]);
  }

  /** @param {string[]} ids @returns {string} */
  list(ids) {
    return this.#call("list", [JSON.stringify(ids)]);
  }

  /** @param {string} method @param {unknown[]} parameters @returns {any} */
  #call(method, parameters) {
    try {
      return this.#gateway[method](...parameters);
    } catch (error) {
      this.#drop();
      throw error;
    }
  }
}
