//! A request's body: from what the caller sent to what goes to the service. Nothing of the caller's text is passed on as it
//! is: it is read, and what was understood is written anew, by the same functions that the client's own submits go through.
//! So a body that two parsers read in two ways has only one meaning behind the gateway.

use std::borrow::Cow;

use crate::core::error::Error;
use crate::core::handle::Kind;
use crate::core::http::{Body, HttpRequest, Part};
use crate::core::json::{self, Value};
use crate::core::submit::{Dialect, Speed, Submission};
use crate::core::task::{Family, TaskId};
use crate::core::{midjourney, reading, text};

use super::rules::{Field, field, fits, form_field};
use super::{Check, Gateway, Refusal, Route};

/// A request that may go to the service as soon as each check has been made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// What to send.
    pub request: HttpRequest,
    /// The ids that it names.
    pub checks: Vec<Check>,
}

/// The most ids of one list: what the client sends.
const MOST_IDS: usize = 100;

type Members<'a> = Vec<(Cow<'a, str>, Value<'a>)>;

impl Gateway {
    /// A JSON body. Data URIs stay with the host: in their places stand `{image, uri}`, `pictures` of them.
    pub fn read_json(
        &self,
        route: Route,
        speed: Option<Speed>,
        parent: Option<&TaskId>,
        body: &str,
        pictures: usize,
    ) -> Result<Outgoing, Refusal> {
        let value = json::parse(body).map_err(|_| Refusal::invalid("the body must be JSON"))?;
        if !value.is_object() {
            return Err(Refusal::invalid("the body must be an object"));
        }
        let outgoing = match route {
            Route::Tasks => read_list(&value)?,
            Route::Upload => read_upload(&value)?,
            Route::Submit(kind) => self.read_submit(kind, speed, parent, &value)?,
            _ => return Err(Refusal::invalid("this route takes no body")),
        };
        check_pictures(&outgoing.request.body, pictures)?;
        Ok(outgoing)
    }

    fn read_submit<'a>(
        &'a self,
        kind: Kind,
        speed: Option<Speed>,
        parent: Option<&'a TaskId>,
        body: &Value<'a>,
    ) -> Result<Outgoing, Refusal> {
        let (mut arguments, mut extra, mut checks) = (Members::new(), Members::new(), Vec::new());
        for (name, value) in body.members() {
            let refused = |rule: &str| Refusal::invalid(&text::concat(&[name, " ", rule]));
            let Some(place) = field(kind, name) else { return Err(unknown_field(name)) };
            if !fits(name, value) {
                return Err(refused("is too large, or not of its type"));
            }
            match place {
                Field::Extra => add(&mut extra, name, value.clone())?,
                Field::Argument("index") => add(&mut arguments, "index", number(value))?,
                Field::Argument(argument) => add(&mut arguments, argument, value.clone())?,
                Field::Parent => {
                    let check = value.text().and_then(|id| Check::new(Family::Midjourney, id));
                    let check = check.ok_or_else(Refusal::not_found)?;
                    add(&mut arguments, "taskId", own(check.named.id.as_str()))?;
                    checks.push(check);
                }
            }
        }
        match parent {
            Some(parent) => arguments.push(("handle".into(), handle(parent))),
            None => self.add_hook(&mut arguments),
        }
        if !extra.is_empty() {
            arguments.push(("extra".into(), Value::Object(extra)));
        }
        let dialect = if body.get("task_id").is_null() { Dialect::Comet } else { Dialect::Snake };
        let submission = Submission::read(kind, &Value::Object(arguments), dialect, speed).map_err(refusal)?;
        Ok(Outgoing { request: submission.request, checks })
    }

    fn add_hook<'a>(&'a self, arguments: &mut Members<'a>) {
        if let Some(hook) = &self.notify_hook {
            arguments.push(("notifyHook".into(), Value::Text(Cow::Borrowed(hook))));
        }
    }

    /// A form, as the host took it apart: a list of `{name, value}` and `{name, file: {image, type, size, name, head}}`.
    pub fn read_form(&self, parts: &Value) -> Result<Outgoing, Refusal> {
        let (mut arguments, mut extra, mut files) = (Members::new(), Members::new(), Vec::new());
        for part in parts.items() {
            let name = part.get("name").letters();
            let file = part.get("file");
            if file.is_object() {
                if name != "input_reference" {
                    return Err(unknown_field(name));
                }
                files.push(file.clone());
                continue;
            }
            let value = part.get("value").clone();
            let Some(place) = form_field(name) else { return Err(unknown_field(name)) };
            if !fits(name, &value) {
                return Err(Refusal::invalid(&text::concat(&[name, " is too large"])));
            }
            match place {
                Field::Argument(argument) => add(&mut arguments, argument, value)?,
                _ => add(&mut extra, name, value)?,
            }
        }
        let model = arguments.iter().find(|(name, _)| name == "model").and_then(|(_, value)| value.text());
        self.check_model(model)?;
        let count = files.len();
        arguments.push(("inputReference".into(), Value::List(files)));
        arguments.push(("extra".into(), Value::Object(extra)));
        let params = Value::Object(arguments);
        let submission = Submission::read(Kind::Veo, &params, Dialect::Comet, None).map_err(refusal)?;
        check_pictures(&submission.request.body, count)?;
        Ok(Outgoing { request: submission.request, checks: Vec::new() })
    }

    fn check_model(&self, model: Option<&str>) -> Result<(), Refusal> {
        let Some(models) = &self.models else { return Ok(()) };
        match model.is_some_and(|model| models.iter().any(|one| one == model)) {
            true => Ok(()),
            false => Err(Refusal::new(400, "model_not_allowed", "model must be one that this gateway allows")),
        }
    }
}

/// A field that is there twice has no one meaning.
fn add<'a>(members: &mut Members<'a>, name: &str, value: Value<'a>) -> Result<(), Refusal> {
    if members.iter().any(|(other, _)| other == name) {
        return Err(Refusal::invalid(&text::concat(&[name, " must not be given twice"])));
    }
    members.push((Cow::Owned(name.into()), value));
    Ok(())
}

fn own(text: &str) -> Value<'static> {
    Value::Text(Cow::Owned(text.into()))
}

/// One of the service's pages writes the index as a text.
fn number<'a>(value: &Value<'a>) -> Value<'a> {
    match value {
        Value::Text(Cow::Borrowed(digit)) if digit.len() == 1 => Value::Number(digit),
        value => value.clone(),
    }
}

fn handle(id: &TaskId) -> Value<'static> {
    let text = |value: &'static str| Value::Text(Cow::Borrowed(value));
    Value::Object(vec![
        ("v".into(), Value::Number("1")),
        ("family".into(), text("videos")),
        ("kind".into(), text("veo")),
        ("id".into(), own(id.as_str())),
    ])
}

/// The name is a caller's own text: shown only as far as it looks like a field's.
fn unknown_field(name: &str) -> Refusal {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') && name.len() <= 40;
    let name = if plain { name } else { "a field" };
    let rule = if name == "notifyHook" { " is the operator's to set" } else { " is not taken by this gateway" };
    Refusal::invalid(&text::concat(&[name, rule]))
}

fn refusal(error: Error) -> Refusal {
    let mut refusal = Refusal::invalid("");
    refusal.message.clone_from(&error.message);
    refusal
}

/// Each of the host's pictures goes out once: no other number names one, and none is left behind.
fn check_pictures(body: &Body, count: usize) -> Result<(), Refusal> {
    let mut places: Vec<usize> = match body {
        Body::Empty => Vec::new(),
        Body::Json { images, .. } => images.iter().map(|(_, image)| image.index).collect(),
        Body::Form(parts) => parts.iter().filter_map(index_of).collect(),
    };
    places.sort_unstable();
    match places.len() == count && places.iter().enumerate().all(|(at, index)| at == *index) {
        true => Ok(()),
        false => Err(Refusal::invalid("a picture is where none is taken")),
    }
}

fn index_of(part: &Part) -> Option<usize> {
    match part {
        Part::File { image, .. } => Some(image.index),
        Part::Text { .. } => None,
    }
}

fn read_upload(body: &Value) -> Result<Outgoing, Refusal> {
    let fine = |(name, value): &(Cow<str>, Value)| name == "base64Array" && fits(name, value);
    if body.members().len() != 1 || !body.members().iter().all(fine) {
        return Err(Refusal::invalid("base64Array must be a list of at most 10 pictures, and nothing else is taken"));
    }
    let arguments = Value::Object(vec![("images".into(), body.get("base64Array").clone())]);
    Ok(Outgoing { request: midjourney::upload(&arguments).map_err(refusal)?, checks: Vec::new() })
}

/// What is no id of a gateway's is left out, as the service leaves out what it does not know.
fn read_list(body: &Value) -> Result<Outgoing, Refusal> {
    let ids = body.get("ids").items();
    if body.members().len() != 1 || ids.is_empty() || ids.len() > MOST_IDS {
        return Err(Refusal::invalid("ids must be a list of 1 to 100 ids, and nothing else is taken"));
    }
    if ids.iter().any(|id| id.text().is_none()) {
        return Err(Refusal::invalid("ids must be texts"));
    }
    let mut checks = Vec::<Check>::new();
    for check in ids.iter().filter_map(|id| Check::new(Family::Midjourney, id.text()?)) {
        if !checks.contains(&check) {
            checks.push(check);
        }
    }
    Ok(Outgoing { request: reading::list_request(checks.len(), &|at| &checks[at].named.id), checks })
}

/// The body of a list of those ids whose checks were good.
pub fn list_of(ids: &[TaskId]) -> String {
    match reading::list_request(ids.len(), &|at| &ids[at]).body {
        Body::Json { text, .. } => text,
        _ => String::new(),
    }
}
