#![doc = include_str!("../README.md")]
//!
//! # Modules, in reading order
//!
//! [`core`] is the protocol; [`transport`] does one HTTP exchange; [`client`] drives the one with the other;
//! [`js`] is the boundary to the npm package, and `gateway` (feature `edge`) the one of its gateway.

pub mod core;

pub mod call;
pub mod cancel;
pub mod transport;

pub mod client;
pub mod readings;
pub mod waits;

#[cfg(feature = "edge")]
pub mod gateway;
pub mod js;

#[cfg(all(feature = "npm", target_arch = "wasm32"))]
#[global_allocator]
static ALLOCATOR: rlsf::GlobalTlsf = rlsf::GlobalTlsf::new();
