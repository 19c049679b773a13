//! Submits media tasks to CometAPI, waits for them, and keeps what they made.

pub mod js;
