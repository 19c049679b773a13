//! What the package knows of the service, as plain data and functions: no clock, no network, no web type.

pub mod assets;
pub mod belief;
pub mod classify;
pub mod engine;
pub mod error;
pub mod fields;
pub mod form;
pub mod gateway;
pub mod handle;
pub mod http;
pub mod json;
pub mod keep;
pub mod many;
pub mod math;
pub mod midjourney;
pub mod poller;
pub mod reading;
pub mod rows;
pub mod scheduler;
pub mod submit;
pub mod task;
pub mod text;
pub mod time;
pub mod videos;
pub mod webhook;
