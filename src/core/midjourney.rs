//! `/mj`: what the replies to submits, uploads and seeds say. protocol.md 1.1 to 1.14.

use super::classify::{Judge, Purpose, Words, is_queue_full, service_code};
use super::error::{Code, Error};
use super::http::{HttpRequest, Reply};
use super::json::Value;
use super::task::{Millis, TaskHandle, TaskId};
use super::text;

pub use super::form::upload;

type Outcome<T> = Result<T, Error>;

/// The URLs of an upload's reply.
pub fn uploaded(reply: &Reply, now: Millis) -> Outcome<Vec<String>> {
    let (judge, text) = (Judge { operation: "midjourney.upload", purpose: Purpose::Submit, reply, now }, reply.text());
    let body = judge.json(text)?;
    let (mut texts, mut urls) = (Vec::new(), Vec::new());
    super::assets::collect(body.get("result"), &mut texts);
    for text in texts {
        if super::fields::is_web_url(&text) {
            urls.push(text);
        }
    }
    if matches!(code(&body), Some(1 | 21 | 22)) && !urls.is_empty() {
        return Ok(urls);
    }
    Err(verdict(&judge, &body, &Words::read(&body, text), false, false)
        .unwrap_or_else(|| judge.doubtful(Code::Protocol, "the reply names no URL")))
}

/// `GET /mj/task/{id}/image-seed`
pub fn seed(handle: &TaskHandle) -> HttpRequest {
    HttpRequest::get("midjourney.seed", "/mj/task/", handle, "/image-seed")
}

/// The seed in its reply, as digits.
pub fn seeded(reply: &Reply, now: Millis) -> Outcome<String> {
    let (judge, text) = (Judge { operation: "midjourney.seed", purpose: Purpose::Read, reply, now }, reply.text());
    let body = judge.json(text)?;
    match (code(&body), body.get("result").written()) {
        (Some(1), Some(seed)) => Ok(seed.into()),
        _ => Err(verdict(&judge, &body, &Words::read(&body, text), true, false)
            .unwrap_or_else(|| judge.doubtful(Code::Protocol, "the reply names no seed"))),
    }
}

/// The envelope's code; `"success"` is 1.
pub fn code(body: &Value) -> Option<i64> {
    match body.get("code") {
        Value::Text(word) if word.eq_ignore_ascii_case("success") => Some(1),
        code => code.integer(),
    }
}

/// The ids of `result`: one, a number or text, or several, in a list or with commas between.
pub fn result_ids(body: &Value) -> Vec<TaskId> {
    ids_in(body.get("result"))
}

/// The ids of a `result`.
pub fn ids_in(result: &Value) -> Vec<TaskId> {
    let mut ids = Vec::new();
    let mut add = |id: Option<TaskId>| {
        if let Some(id) = id {
            ids.push(id);
        }
    };
    match result {
        Value::Text(texts) => text::split(texts, ",").for_each(|text| add(TaskId::new(text))),
        Value::List(items) => items.iter().for_each(|item| add(TaskId::read(item))),
        result => add(TaskId::read(result)),
    }
    ids
}

/// What a 2xx envelope says against the task; None when it says "accepted", for then the result decides, which the caller
/// reads. protocol.md 1.1 and 4, rule 7.
pub fn verdict(judge: &Judge, body: &Value, words: &Words, has_parent: bool, has_id: bool) -> Option<Error> {
    let message = words.message.as_str();
    let (code, is_known) = match code(body) {
        _ if matches!(body.get("success"), Value::Bool(false)) => (Code::Validation, true),
        Some(1 | 21 | 22) => return None,
        None if service_code(body.get("code")).is_none() => (Code::Protocol, true),
        Some(23) => (Code::QueueFull, true),
        Some(9) if is_queue_full(message) => (Code::QueueFull, true),
        Some(30) => (Code::RateLimited, true),
        Some(24) => (Code::Moderation, true),
        Some(4 | -1) => (Code::Validation, true),
        Some(3) if has_parent => (Code::NotFound, true),
        Some(3) => (Code::Unavailable, true),
        Some(5) => (Code::Gateway, true),
        Some(9) => (Code::Rejected, true),
        // Another number, or a word.
        _ => (Code::Rejected, false),
    };
    let mut error = judge.told(code, words);
    error.ambiguous |= !is_known && has_id;
    Some(error)
}
