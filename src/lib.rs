//! Submits media tasks to CometAPI, waits for them, and keeps what they made.

pub mod core;

pub mod cancel;
pub mod transport;

pub mod client;

pub mod js;
