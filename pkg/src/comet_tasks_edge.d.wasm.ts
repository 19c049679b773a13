/** The module as hosts give it that compile an imported `.wasm` themselves. */
declare const module: WebAssembly.Module;
export default module;
