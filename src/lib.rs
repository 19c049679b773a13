#![doc = include_str!("../README.md")]
//!
//! # Modules, in reading order
//!
//! [`core`] is the protocol; [`transport`] does one HTTP exchange; [`client`] drives the one with the other;
//! [`js`] is the boundary to the npm package.

pub mod core;

pub mod body;
pub mod call;
pub mod cancel;
pub mod transport;

pub mod client;
pub mod readings;
pub mod waits;

pub mod js;

#[cfg(all(feature = "npm", target_arch = "wasm32"))]
#[global_allocator]
static ALLOCATOR: rlsf::GlobalTlsf = rlsf::GlobalTlsf::new();
