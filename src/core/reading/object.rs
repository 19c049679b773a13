//! From the object of a task to a [`Task`]. One table of words serves both families.

use crate::core::assets::{self, Harvest};
use crate::core::classify::Words;
use crate::core::json::{Value, Writer, scaled};
use crate::core::task::{self, Family, Kind, Makes, Millis, Progress, Status, Task, TaskHandle};
use crate::core::text;
use crate::core::time::{earlier, time};

/// The task in an object, or in what the object wraps. None when there is none.
pub fn task(body: &Value, handle: &TaskHandle, base_url: &str) -> Option<Task> {
    let object = unwrap(body)?;
    let raw_status = object.first_words("status task_status").unwrap_or_default();
    let action = object.get("action").words().unwrap_or_default().to_ascii_uppercase();
    let makes = makes(object, handle, &action, base_url);
    let found = assets::harvest(object, makes == Makes::Video, base_url);
    let has_video = found.content || !found.videos.is_empty();
    let has_asset = has_video || (makes == Makes::Picture && !found.images.is_empty());
    let progress = progress(object.get("progress"));
    let finished_at = any_time(object, "finishTime completed_at finish_time");
    // A row without a status that is at 100 %, has an end and a result: done.
    let looks_done = progress == Some(Progress(100_000)) && finished_at.is_some() && has_asset;
    let status = match raw_status {
        "" if looks_done && makes != Makes::Texts => Status::Succeeded,
        word => status(word),
    };
    let mut task = Task::from(task::Reading {
        handle: handle.clone(),
        status,
        progress,
        has_result: has_asset && status == Status::Succeeded,
        submitted_at: any_time(object, "submitTime created_at submit_time"),
        // One gateway writes the time of the last change here. protocol.md 1.17.
        finished_at: finished_at.filter(|_| status.is_terminal()),
        estimate: None,
        reason: None,
        makes,
        retry_after_ms: None,
        row: None,
        rest: String::new(),
    });
    let mut rest = Writer::default();
    rest.key("rawStatus").string(raw_status);
    write_results(&mut task, object, found, &mut rest);
    write_buttons(object.get("buttons"), &mut rest);
    rest.key("prompt").string_or_null(object.get("prompt").words());
    rest.key("state").string_or_null(state(object));
    rest.key("submittedAt").integer_or_null(task.submitted_at);
    rest.key("startedAt").integer_or_null(any_time(object, "startTime start_time started_at"));
    rest.key("finishedAt").integer_or_null(task.finished_at);
    if matches!(status, Status::Failed | Status::Canceled) {
        let reason = reason(object, status);
        rest.key("failure").object(|json| {
            json.key("code").string_or_null(object.get("error").get("code").written());
            json.key("message").string(&reason);
        });
        task.reason = Some(reason);
    }
    task.rest = rest.finish();
    Some(task)
}

/// The caller's tag as the service echoes it.
pub fn state<'v>(object: &'v Value) -> Option<&'v str> {
    object.get("state").text().filter(|state| !state.is_empty())
}

/// The results of a task that has succeeded. Until then a URL is nothing to keep, and a picture is a preview.
fn write_results(task: &mut Task, object: &Value, mut found: Harvest, json: &mut Writer) {
    let preview = found.images.first().filter(|_| !task.status.is_terminal());
    json.key("preview").string_or_null(preview.map(String::as_str));
    let (mut texts, mut expires_at) = (Vec::new(), None);
    if task.status != Status::Succeeded {
        found = Harvest::default();
    } else {
        if task.handle.family == Family::Videos && found.videos.is_empty() {
            (found.content, task.has_result) = (true, true);
        }
        if task.makes == Makes::Texts {
            texts = self::texts(object);
            task.has_result = !texts.is_empty();
        }
        let signed = earlier(assets::expires_at(&found.images), assets::expires_at(&found.videos));
        expires_at = earlier(time(object.get("expires_at")), signed);
    }
    json.key("images").strings(&found.images);
    json.key("videos").strings(&found.videos);
    json.key("content").boolean(found.content);
    json.key("texts").strings(&texts);
    json.key("expiresAt").integer_or_null(expires_at);
}

/// An imagine whose prompt asks for a video is a video from the first reading that says so.
fn makes(object: &Value, handle: &TaskHandle, action: &str, base_url: &str) -> Makes {
    let texts = matches!(handle.kind, Kind::Describe | Kind::Shorten) || matches!(action, "DESCRIBE" | "SHORTEN");
    let video = handle.family == Family::Videos
        || handle.kind == Kind::Video
        || matches!(action, "VIDEO" | "EXTEND")
        || assets::names_video(object, base_url);
    match (texts, video) {
        (true, _) => Makes::Texts,
        (_, true) => Makes::Video,
        _ => Makes::Picture,
    }
}

/// Wrappers seen: `{data: {…}}`, `{result: {…}}`, a list of one. `{code: "success", data: null}` is a task without a state.
pub fn unwrap<'v, 'a>(body: &'v Value<'a>) -> Option<&'v Value<'a>> {
    if let Value::List(rows) = body {
        return rows.first().filter(|_| rows.len() == 1).and_then(unwrap);
    }
    let is_task = |value: &Value| is_object_of_task(value) || !value.get("task_id").is_null();
    if is_object_of_task(body) {
        return Some(body);
    }
    let mut inner = None;
    for wrapped in [body.get("result"), body.get("data")] {
        match wrapped {
            Value::Object(_) => inner = Some(wrapped),
            Value::List(rows) if rows.len() == 1 => inner = rows.first(),
            _ => {}
        }
    }
    if inner.is_some_and(is_task) {
        return inner;
    }
    let envelope =
        crate::core::midjourney::code(body) == Some(1) && body.members().iter().any(|(key, _)| key == "data");
    let is_bare = inner.is_none() && !matches!(body.get("data"), Value::List(_));
    (is_task(body) || (is_bare && envelope)).then_some(body)
}

/// It says by itself where a task stands, or whose object it is.
pub(super) fn is_object_of_task(value: &Value) -> bool {
    // A number under "status" is an HTTP status that somebody copied into an error body.
    !value.first("status task_status", &|word| word.text().is_some()).is_null() || !value.get("id").is_null()
}

fn status(word: &str) -> Status {
    let word = &*word.to_ascii_lowercase();
    let queued = "queued pending submitted not_start notstarted created starting preparing";
    if word.is_empty() || text::is_one_of(word, queued) {
        Status::Queued
    } else if word == "modal" {
        Status::ActionRequired
    } else if text::is_one_of(word, "completed complete success succeeded succeed finished") {
        Status::Succeeded
    } else if text::is_one_of(word, "failed failure fail error rejected expired") {
        Status::Failed
    } else if text::is_one_of(word, "cancelled canceled cancel") {
        Status::Canceled
    } else {
        // in_progress, processing … and every word that nobody has written yet: bounded by the deadline.
        Status::Running
    }
}

/// `"40%"`, `40`, `"40"`, `0.5` (half a percent); words are none.
fn progress(value: &Value) -> Option<Progress> {
    let written = value.written()?;
    let number = written.strip_suffix("%").unwrap_or(written).trim();
    scaled(number, 3).map(|(thousandths, _)| Progress(thousandths.clamp(0, 100_000)))
}

fn any_time(object: &Value, names: &str) -> Option<Millis> {
    time(object.first(names, &|value| time(value).is_some()))
}

/// What can be done next.
fn write_buttons(buttons: &Value, json: &mut Writer) {
    json.key("buttons").raw("[");
    for button in buttons.items() {
        if let Some(custom_id) = button.get("customId").words() {
            json.object(|json| {
                json.key("customId").string(custom_id);
                json.key("label").string(button.get("label").letters());
                json.key("emoji").string(button.get("emoji").letters());
            });
        }
    }
    json.close_list();
}

/// The prompts that describe and shorten answer with: one text, a line each, numbered by keycaps. protocol.md 1.7.
fn texts(object: &Value) -> Vec<String> {
    let sources = "properties.finalPrompt promptEn properties.promptEn finalPrompt";
    let mut texts = Vec::new();
    for line in text::split(object.first_words(sources).unwrap_or_default(), "\n") {
        let line = without_keycap(line);
        if !line.is_empty() {
            texts.push(line.into());
        }
    }
    texts
}

/// `1️⃣ a boat` without its number.
fn without_keycap(line: &str) -> &str {
    let line = line.trim();
    match text::split_once(line, "\u{20E3}") {
        Some((number, rest)) if number.chars().count() <= 3 => rest.trim(),
        _ => line,
    }
}

/// The first reason that says something and is no URL.
fn reason(object: &Value, status: Status) -> String {
    let reasons = "failReason fail_reason error.message error description task_status_msg";
    let says = |value: &Value| value.words().is_some_and(|words| assets::WebUrl::parse(words).is_none());
    let silent = if status == Status::Canceled {
        "the task was canceled"
    } else {
        "the task failed; the service gave no reason"
    };
    // It may be an error body itself, or a gateway's web page.
    let reason = Words::read(object.first(reasons, &says), "").message;
    if reason.is_empty() { silent.into() } else { reason }
}
