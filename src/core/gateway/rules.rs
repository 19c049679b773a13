//! Which fields a submit may have, what each is called among the client's own arguments, and how long it may be.

use crate::core::assets::WebUrl;
use crate::core::handle::Kind;
use crate::core::json::Value;

/// What a body's field becomes among the arguments that [`Submission::read`](crate::core::submit::Submission::read) takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    /// An argument of this name.
    Argument(&'static str),
    /// The id of the task to go on from.
    Parent,
    /// Something of `extra`.
    Extra,
}

/// The field of a JSON submit. None: no such field, so the request is refused.
pub(super) fn field(kind: Kind, name: &str) -> Option<Field> {
    use Kind::{Action, Blend, Describe, Edits, Imagine, Modal, Remix, Shorten, Video};
    Some(match (kind, name) {
        (Imagine | Shorten | Video | Modal | Edits | Remix, "prompt") => Field::Argument("prompt"),
        (Remix, _) => return None,
        (_, "state") => Field::Argument("state"),
        (Imagine | Shorten | Blend, "base64Array") => Field::Argument("images"),
        (Imagine | Shorten | Blend | Describe | Edits, "botType") => Field::Argument("botType"),
        (Imagine | Shorten | Action | Blend | Describe | Edits, "accountFilter") => Field::Argument("accountFilter"),
        (Video | Action | Modal, "taskId" | "task_id") => Field::Parent,
        (Video, "motion") => Field::Argument("motion"),
        (Video, "videoType") => Field::Argument("videoType"),
        (Video, "action") => Field::Argument("action"),
        (Video, "index") => Field::Argument("index"),
        (Video | Action, "noStorage") => Field::Argument("noStorage"),
        (Video, "loop" | "endImage" | "batchSize") => Field::Extra,
        (Video | Edits, "image") | (Describe, "base64" | "link") => Field::Argument("image"),
        (Action, "customId") => Field::Argument("customId"),
        (Action, "enableRemix") => Field::Argument("enableRemix"),
        (Action, "chooseSameChannel") => Field::Argument("chooseSameChannel"),
        (Modal | Edits, "maskBase64") => Field::Argument("mask"),
        (Blend, "dimensions") => Field::Argument("dimensions"),
        _ => return None,
    })
}

/// The text fields of a form for /v1/videos that have an argument of their own, and those that go along.
pub(super) fn form_field(name: &str) -> Option<Field> {
    Some(match name {
        "prompt" => Field::Argument("prompt"),
        "model" => Field::Argument("model"),
        "size" => Field::Argument("size"),
        "seconds" => Field::Argument("seconds"),
        "aspect_ratio" | "resolution" | "negative_prompt" | "seed" | "generate_audio" | "enhance_prompt"
        | "watermark" => Field::Extra,
        _ => return None,
    })
}

/// The most characters that a field's text may have.
fn longest(name: &str) -> usize {
    match name {
        "prompt" | "negative_prompt" => 10_000,
        "image" | "link" | "endImage" => 4_096,
        "customId" | "state" => 512,
        _ => 128,
    }
}

/// Whether a value is no larger than its field may be. Pictures' bytes are elsewhere; an object is one.
pub(super) fn fits(name: &str, value: &Value) -> bool {
    match value {
        Value::Text(text) => text.chars().count() <= longest(name) && may_say(name, text),
        Value::Number(digits) => digits.len() <= 32,
        Value::Null | Value::Bool(_) => true,
        Value::List(items) => name == "base64Array" && items.len() <= 10 && items.iter().all(is_picture),
        Value::Object(_) if name == "accountFilter" => is_filter(value),
        Value::Object(_) => is_picture(value),
    }
}

/// What goes along as it is has nobody behind it that looks.
fn may_say(name: &str, text: &str) -> bool {
    match name {
        "endImage" => WebUrl::parse(text).is_some(),
        "loop" | "batchSize" => false,
        _ => true,
    }
}

/// What the host puts in the place of a data URI.
fn is_picture(value: &Value) -> bool {
    value.get("image").integer().is_some() && value.get("uri").text().is_some() && value.members().len() == 2
}

/// Which of the operator's accounts works. protocol.md 1.2.
fn is_filter(value: &Value) -> bool {
    let is_small = |value: &Value| match value {
        Value::Text(text) => text.chars().count() <= 128,
        Value::Bool(_) | Value::Null => true,
        _ => false,
    };
    value.members().iter().all(|(name, value)| match &**name {
        "modes" => value.items().len() <= 3 && value.items().iter().all(|mode| mode.text().is_some() && is_small(mode)),
        "instanceId" | "channelId" | "remark" | "remix" | "nijiRemix" | "remixAutoConsidered" => is_small(value),
        _ => false,
    })
}
