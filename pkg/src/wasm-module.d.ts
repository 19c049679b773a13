/** The spelling of edge-light hosts for a `.wasm` that they compile themselves. */
declare module "*.wasm?module" {
  const module: WebAssembly.Module;
  export default module;
}
