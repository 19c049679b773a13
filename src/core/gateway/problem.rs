//! The gateway's own answers, in the shape of the service's errors, so that the client reads them like any other.

use crate::core::json::Writer;

/// Why a request goes no further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// A word for programs; may be empty.
    pub code: &'static str,
    /// A sentence for people. Never holds what the caller sent, but a field's name.
    pub message: String,
}

impl Refusal {
    /// With a fixed sentence.
    pub fn new(status: u16, code: &'static str, message: &str) -> Self {
        Refusal { status, code, message: message.into() }
    }

    /// What the host finds out by itself.
    pub fn of(word: &str) -> Self {
        let (status, code, message) = match word {
            "unauthorized" => (401, "unauthorized", "sign in first"),
            "rate_limited" => (429, "rate_limited", "too many requests"),
            "too_large" => (413, "too_large", "the body is too large"),
            "not_found" => return Refusal::not_found(),
            "unreadable" => (400, "invalid_request", "the body cannot be read"),
            "unreachable" => (502, "upstream_error", "the service could not be reached"),
            "late" => (504, "upstream_timeout", "the service did not answer in time"),
            _ => (500, "gateway_error", "the gateway failed"),
        };
        Refusal::new(status, code, message)
    }

    /// A body that breaks a rule.
    pub(super) fn invalid(message: &str) -> Self {
        Refusal::new(400, "invalid_request", message)
    }

    /// An id that is no task of this caller's. Which of the reasons it is, nobody is told.
    pub fn not_found() -> Self {
        Refusal::new(404, "task_not_found", "no such task of yours")
    }

    /// The service said something that is not passed on.
    pub(super) fn upstream(message: &str) -> Self {
        Refusal::new(502, "upstream_error", message)
    }

    /// The body.
    pub fn body(&self) -> String {
        let mut json = Writer::default();
        json.object(|json| {
            json.key("error").object(|json| {
                json.key("message").string(&self.message);
                json.key("type").string("gateway_error");
                if !self.code.is_empty() {
                    json.key("code").string(self.code);
                }
            });
        });
        json.finish()
    }
}
