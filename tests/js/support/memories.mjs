/**
 * The linear memory of each instance that is made from now on, as long as somebody else holds it.
 * @returns {WeakRef<WebAssembly.Memory>[]}
 */
export function seeMemories() {
  /** @type {WeakRef<WebAssembly.Memory>[]} */
  const memories = [];
  const { Instance } = WebAssembly;
  WebAssembly.Instance = class extends Instance {
    /** @param {WebAssembly.Module} module @param {WebAssembly.Imports} [imports] */
    constructor(module, imports) {
      super(module, imports);
      for (const own of Object.values(this.exports)) {
        if (own instanceof WebAssembly.Memory) memories.push(new WeakRef(own));
      }
    }
  };
  return memories;
}
