//! The wasm-bindgen surface.

use wasm_bindgen::prelude::*;

/// One client.
#[wasm_bindgen]
pub struct Engine {}

#[wasm_bindgen]
impl Engine {
    /// A new client.
    #[wasm_bindgen(constructor)]
    pub fn new(_options: JsValue) -> Engine {
        Engine {}
    }
}
