//! The wasm-bindgen tests in a page of a browser that webdriver.json configures.
#![cfg(target_arch = "wasm32")]

mod web;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
