//! `/v1/videos`: where the replies to create and remix keep the id. protocol.md 1.16 to 1.19.

use super::classify::{Judge, Words, service_code};
use super::error::{Code, Error, ServiceCode};
use super::json::Value;
use super::task::TaskId;

/// The new task's id, wherever a relay put it.
pub fn created_id(body: &Value) -> Option<TaskId> {
    TaskId::first(body, "id task_id data.id data.task_id result")
}

/// A 2xx reply to create that names no task: an error of the service's, or nothing that we understand.
pub fn no_id(judge: &Judge, body: &Value, words: &Words) -> Error {
    let fine = match service_code(body.get("code")) {
        None => true,
        Some(ServiceCode::Number(number)) => matches!(number, 0 | 1 | 200),
        Some(ServiceCode::Word(word)) => word.eq_ignore_ascii_case("success"),
    };
    if matches!(body.get("success"), Value::Bool(false)) {
        return judge.error(Code::Validation, &words.message);
    }
    if !body.get("error").is_null() || !fine {
        return judge.refusal(words);
    }
    judge.doubtful(Code::Protocol, "the reply names no task: one may exist")
}
