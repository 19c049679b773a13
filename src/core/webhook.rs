//! What the service posts to a notifyHook: the whole task, unsigned, in any order, perhaps twice. protocol.md 1.20.

use super::error::{Code, Error};
use super::json;
use super::reading;
use super::task::{Kind, Millis, Task, TaskHandle, TaskId};

const OPERATION: &str = "webhook";

/// Reads the body. It proves nothing: anybody may have sent it.
pub fn parse(body: &str, base_url: &str, now: Millis) -> Result<Task, Error> {
    let refuse = |message| Error::new(Code::Protocol, OPERATION, message);
    let body = body.strip_prefix("\u{FEFF}").unwrap_or(body).trim();
    let value = json::parse(body).map_err(|_| refuse("the body is not JSON"))?;
    let object = reading::unwrap(&value).unwrap_or(&value);
    let id = TaskId::first(object, "id task_id data.id result.id").ok_or_else(|| refuse("the body names no task"))?;
    let kind = if id.is_of_videos() { Kind::Veo } else { Kind::Imagine };
    let mut task = reading::task(&value, &TaskHandle::new(kind, id, now), base_url)
        .ok_or_else(|| refuse("the body holds no task"))?;
    if let Some(submitted_at) = task.submitted_at {
        task.handle.submitted_at = submitted_at;
    }
    task.handle.state = reading::state(object).map(str::to_string);
    Ok(task)
}
