//! The wasm-bindgen tests in Node.
#![cfg(target_arch = "wasm32")]

mod web;
