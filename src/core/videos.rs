//! `/v1/videos`: what create and remix send, and where their replies keep the id. protocol.md 1.16 to 1.19.

use super::classify::{Judge, Words, service_code};
use super::error::{Code, Error, ServiceCode};
use super::fields::Fields;
use super::http::{Body, HttpRequest, Part};
use super::json::{Value, Writer};
use super::submit::Submission;
use super::task::{Family, Kind, TaskHandle, TaskId};
use super::text;

type Outcome<T> = Result<T, Error>;

/// What the service's own page takes when no model is named. Always sent: one gateway refuses a request without.
pub const DEFAULT_MODEL: &str = "veo3-fast";

/// Checks a submit's arguments and builds its request.
pub fn submission(kind: Kind, params: &Value) -> Outcome<Submission> {
    match kind {
        Kind::Remix => remix(params),
        _ => create(params),
    }
}

/// `POST /v1/videos`, a form: text fields first, then the pictures in their order.
fn create(params: &Value) -> Outcome<Submission> {
    let fields = Fields::new("videos.create", params)?;
    let model = fields.words("model")?.unwrap_or(DEFAULT_MODEL);
    let mut parts = vec![text("prompt", fields.required("prompt")?), text("model", model)];
    for (name, value) in [("size", fields.words("size")?), ("seconds", seconds(&fields)?)] {
        if let Some(value) = value {
            parts.push(text(name, value));
        }
    }
    extra(&fields, &mut parts)?;
    let references = fields.images_data("inputReference")?;
    if references.len() > 2 {
        let rule = "must be at most two pictures: the first frame and the last";
        return Err(fields.error("inputReference", rule, fields.get("inputReference")));
    }
    for file in references {
        parts.push(Part::File { name: "input_reference", filename: file.name, image: file.data });
    }
    let request =
        HttpRequest { operation: fields.operation, method: "POST", path: "/v1/videos".into(), body: Body::Form(parts) };
    Ok(Submission { kind: Kind::Veo, request, model: Some(model.into()), state: None, has_parent: false })
}

fn text(name: &str, value: &str) -> Part {
    Part::Text { name: name.into(), value: value.into() }
}

/// A number or a text; goes out as text, since one gateway refuses anything else.
fn seconds<'a>(fields: &Fields<'a>) -> Outcome<Option<&'a str>> {
    match fields.get("seconds") {
        Value::Null => Ok(None),
        value @ (Value::Number(_) | Value::Text(_)) => Ok(value.written()),
        other => Err(fields.error("seconds", "must be a number or a string", other)),
    }
}

fn extra(fields: &Fields, parts: &mut Vec<Part>) -> Outcome<()> {
    for (name, value) in fields.object("extra")?.members() {
        if matches!(&**name, "prompt" | "model" | "size" | "seconds" | "input_reference") {
            let rule = "must not repeat a field that has its own argument";
            return Err(fields.error("extra", rule, &Value::Text(name.clone())));
        }
        let field = text::concat(&["extra.", name]);
        let value = match value {
            Value::Null => continue,
            Value::Text(text) => text,
            Value::Number(digits) => *digits,
            Value::Bool(true) => "true",
            Value::Bool(false) => "false",
            other => return Err(fields.error(&field, "must be a string, a number, true or false", other)),
        };
        parts.push(text(name, value));
    }
    Ok(())
}

/// `POST /v1/videos/{id}/remix`
fn remix(params: &Value) -> Outcome<Submission> {
    let fields = Fields::new("videos.remix", params)?;
    let parent = TaskHandle::read(fields.get("handle"), 0)
        .map_err(|(field, rule)| fields.error(field, rule, fields.get("handle")))?;
    if parent.family != Family::Videos {
        return Err(fields.error("handle", "must be a task of /v1/videos", &Value::Text(parent.id.as_str().into())));
    }
    let mut body = Writer::default();
    let prompt = fields.required("prompt")?;
    body.object(|body| body.key("prompt").string(prompt));
    let request = HttpRequest {
        operation: fields.operation,
        method: "POST",
        path: text::concat(&["/v1/videos/", &parent.id.path_segment(), "/remix"]),
        body: Body::Json { text: body.finish(), images: Vec::new() },
    };
    Ok(Submission { kind: Kind::Remix, request, model: parent.model, state: None, has_parent: true })
}

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
