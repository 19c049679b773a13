#![doc = include_str!("../README.md")]
//!
//! # Modules, in reading order
//!
//! [`core`] is the protocol, and in [`core::engine`] a whole client as a state machine; [`js`] is the boundary to the npm
//! package, and `gateway` (feature `edge`) the one of its gateway.

pub mod core;

#[cfg(feature = "edge")]
pub mod gateway;
#[cfg(feature = "client")]
pub mod js;

#[cfg(all(feature = "npm", target_arch = "wasm32"))]
#[global_allocator]
static ALLOCATOR: rlsf::GlobalTlsf = rlsf::GlobalTlsf::new();
