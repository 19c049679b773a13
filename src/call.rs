//! One call: what the caller set for it, and how it may end without a result.

use js_sys::Array;
use wasm_bindgen::prelude::*;
use web_sys::Headers;

use crate::cancel::Cancel;
use crate::core::error::Error;
use crate::core::json::Writer;
use crate::core::submit::Speed;
use crate::core::task::{Millis, TaskHandle};

/// One call's own settings.
pub struct Call {
    /// Its end from outside.
    pub cancel: Cancel,
    /// The caller's headers over the client's.
    pub headers: Headers,
    /// The pictures that the arguments name by their place.
    pub images: Array,
    /// None: the default of the request's kind.
    pub request_timeout: Option<Limit>,
    /// Its wait shares nothing with others: it has headers or a time limit of its own, or the host forbids it.
    pub is_alone: bool,
    /// The facade's name for it, and for the wait that it may end in.
    pub id: u32,
    /// For submits.
    pub speed: Option<Speed>,
    /// It wants to hear of readings that are news.
    pub listens: bool,
}

impl Call {
    /// Its own time limit, or this one.
    pub fn limit(&self, default_ms: Millis) -> Limit {
        self.request_timeout.unwrap_or(Some(default_ms))
    }
}

/// A time limit that may be switched off; None is none.
pub type Limit = Option<Millis>;

/// Why a call ends without a result.
#[derive(Debug)]
pub enum Stop {
    /// An error of the contract, and what the host threw to cause it.
    Error {
        /// The error.
        error: Error,
        /// What the host threw.
        cause: JsValue,
        /// The body of its task's reading.
        raw: JsValue,
    },
    /// Its caller does not want it any more.
    Aborted,
    /// What a callback threw.
    Thrown(JsValue),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Stop::Error { error, cause: JsValue::UNDEFINED, raw: JsValue::UNDEFINED }
    }
}

impl Stop {
    /// The same end, going with a task that is known.
    pub fn with_handle(self, handle: &TaskHandle) -> Self {
        match self {
            Stop::Error { error, cause, raw } => Stop::Error { error: error.with_handle(handle), cause, raw },
            thrown => thrown,
        }
    }
}

/// A handle as its JSON.
pub fn handle_json(handle: &TaskHandle) -> JsValue {
    let mut json = Writer::default();
    handle.write(&mut json);
    json.finish().into()
}
