//! One reading of a task: from the reply's words to a [`Task`]. One table of words serves both families.
//! protocol.md 1.12, 1.13, 1.17.

use super::assets::{self, Harvest};
use super::classify::{Judge, Purpose, Words, is_unfinished};
use super::error::{Code, Error};
use super::http::{HttpRequest, Reply};
use super::json::{Value, Writer, scaled};
use super::task::{self, Family, Kind, Makes, Millis, Progress, Status, Task, TaskHandle, TaskId};
use super::text;
use super::time::{earlier, time};

/// The operation of [`content_request`].
pub const CONTENT: &str = "videos.content";

/// The read of one task: `GET /mj/task/{id}/fetch` or `GET /v1/videos/{id}`.
pub fn request(handle: &TaskHandle) -> HttpRequest {
    let (start, end) = match handle.family {
        Family::Midjourney => ("/mj/task/", "/fetch"),
        Family::Videos => ("/v1/videos/", ""),
    };
    HttpRequest::get(operation(handle), start, handle, end)
}

/// The name of [`request`].
pub fn operation(handle: &TaskHandle) -> &'static str {
    match handle.family {
        Family::Midjourney => "midjourney.fetch",
        Family::Videos => "videos.retrieve",
    }
}

/// How a task is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Its own address.
    Single,
    /// The list route, which shows every row of an id.
    List,
}

impl Route {
    /// The request for so many tasks; one if the route is single.
    pub fn request<'a>(self, count: usize, handle: &dyn Fn(usize) -> &'a TaskHandle) -> HttpRequest {
        match self {
            Route::Single => request(handle(0)),
            Route::List => list_request(count, &|at| &handle(at).id),
        }
    }

    /// What its reply says of each; None of those that the service left out of a list.
    pub fn read<'a>(
        self,
        count: usize,
        handle: &dyn Fn(usize) -> &'a TaskHandle,
        reply: &Reply,
        base_url: &str,
        now: Millis,
    ) -> Result<Vec<Option<Task>>, Error> {
        match self {
            Route::Single => read(handle(0), reply, base_url, now).map(|task| vec![Some(task)]),
            Route::List => read_many(count, handle, reply, base_url, now),
        }
    }
}

/// The read of so many Midjourney tasks: `POST /mj/task/list-by-condition`.
pub fn list_request<'a>(count: usize, id: &dyn Fn(usize) -> &'a TaskId) -> HttpRequest {
    let mut body = Writer::default();
    body.object(|body| body.key("ids").list(|list| (0..count).for_each(|at| list.string(id(at).as_str()))));
    HttpRequest {
        operation: "midjourney.list",
        method: "POST",
        path: "/mj/task/list-by-condition".into(),
        body: super::http::Body::Json { text: body.finish(), images: Vec::new() },
    }
}

/// The content of a finished /v1/videos task: `GET /v1/videos/{id}/content`. Needs the key.
pub fn content_request(handle: &TaskHandle) -> HttpRequest {
    HttpRequest::get(CONTENT, "/v1/videos/", handle, "/content")
}

/// Whether a reply, by its head, is the video itself. A page or JSON is none; any other type, and none, may be a video: gateways
/// say `application/octet-stream`, or nothing.
pub fn is_content(head: &Reply) -> bool {
    let content_type = head.content_type.as_deref().unwrap_or_default().trim().to_ascii_lowercase();
    let is_text = content_type.starts_with("text/") || content_type.starts_with("application/json");
    head.is_ok() && head.status != 204 && !head.redirected && !is_text
}

/// Why the content did not come. A task that has not finished answers 400, and in words only. protocol.md 1.18.
pub fn content_error(handle: &TaskHandle, reply: &Reply, now: Millis) -> Error {
    let judge = Judge { operation: CONTENT, purpose: Purpose::Read, reply, now };
    let text = reply.text();
    let mut error = match judge.json(text) {
        Err(error) => error,
        Ok(_) => judge.error(Code::Protocol, "the reply is no video"),
    };
    let is_early = reply.status == 400 && is_unfinished(&error.message);
    if is_early || (reply.is_ok() && reply.body.is_empty()) {
        error.code = Code::NotReady;
        error.retryable = true;
    }
    error.with_handle(handle)
}

/// The task in the reply to [`request`].
pub fn read(handle: &TaskHandle, reply: &Reply, base_url: &str, now: Millis) -> Result<Task, Error> {
    let judge = Judge { operation: operation(handle), purpose: Purpose::Read, reply, now };
    let text = reply.text();
    let verdict = judge.json(text).and_then(|body| match body {
        Value::Null => Err(judge.error(Code::NotFound, "the reply is empty")),
        Value::List(rows) if rows.is_empty() => Err(judge.error(Code::NotFound, "the reply is empty")),
        body => {
            // Of several rows only the task's own count; a single one is the answer, whatever its id.
            let rows = rows(&body).unwrap_or_default();
            own_row(rows, &ids(rows), handle, base_url)
                .or_else(|| task(&body, handle, base_url))
                .map(|task| task.with_wish(reply, now))
                .ok_or_else(|| unreadable(&judge, &body, text))
        }
    });
    verdict.map_err(|error| error.with_handle(handle))
}

impl Task {
    /// With what the reply says of the next request.
    fn with_wish(mut self, reply: &Reply, now: Millis) -> Self {
        self.retry_after_ms = reply.retry_after_ms(now);
        self
    }
}

/// The task's row in the reply to [`list_request`]; None when the service left it out.
pub fn read_listed(handle: &TaskHandle, reply: &Reply, base_url: &str, now: Millis) -> Result<Option<Task>, Error> {
    let judge = Judge { operation: "midjourney.list", purpose: Purpose::Read, reply, now };
    let text = reply.text();
    let body = judge.json(text).map_err(|error| error.with_handle(handle))?;
    let rows = rows(&body).unwrap_or_default();
    let task = own_row(rows, &ids(rows), handle, base_url);
    Ok(task.map(|task| task.with_wish(reply, now)))
}

/// The row of each task in the reply to [`list_request`]; None for those that the service left out.
/// A reply that is no list says nothing of any task: it is an error.
pub fn read_many<'a>(
    count: usize,
    handle: &dyn Fn(usize) -> &'a TaskHandle,
    reply: &Reply,
    base_url: &str,
    now: Millis,
) -> Result<Vec<Option<Task>>, Error> {
    let judge = Judge { operation: "midjourney.list", purpose: Purpose::Read, reply, now };
    let text = reply.text();
    let body = judge.json(text)?;
    let rows = rows(&body).ok_or_else(|| judge.error(Code::Protocol, "the reply is no list of tasks"))?;
    let ids = ids(rows);
    let mut tasks = Vec::new();
    for at in 0..count {
        let task = own_row(rows, &ids, handle(at), base_url);
        tasks.push(task.map(|task| task.with_wish(reply, now)));
    }
    Ok(tasks)
}

/// Whether a gateway said in this way that it has no list route. An outage or a refused key says nothing of routes.
pub fn lacks_list(error: &Error) -> bool {
    let is_missing = matches!(error.status, Some(404 | 405 | 410 | 501));
    let is_odd = matches!(
        error.code,
        Code::NotFound | Code::Unsupported | Code::Protocol | Code::Redirect | Code::Validation | Code::Rejected
    );
    is_missing || (is_odd && !error.retryable && !error.is_callers())
}

/// The rows of a list, which may be wrapped: `{"data": [...]}`.
fn rows<'v, 'a>(body: &'v Value<'a>) -> Option<&'v [Value<'a>]> {
    let is_list = |value: &&'v Value<'a>| matches!(value, Value::List(_));
    [body, body.get("data")].into_iter().find(is_list).filter(|_| !is_object_of_task(body)).map(Value::items)
}

fn ids(rows: &[Value]) -> Vec<Option<TaskId>> {
    let mut ids = Vec::new();
    for row in rows {
        ids.push(TaskId::read(row.get("id")));
    }
    ids
}

fn own_row(rows: &[Value], ids: &[Option<TaskId>], handle: &TaskHandle, base_url: &str) -> Option<Task> {
    most_advanced(rows, &|at| ids[at].as_ref() == Some(&handle.id), handle, base_url)
}

/// After a modal the gateway keeps two rows with one id, and only one of them moves. protocol.md 1.5.
fn most_advanced(rows: &[Value], is_own: &dyn Fn(usize) -> bool, handle: &TaskHandle, base_url: &str) -> Option<Task> {
    // A result outranks the end of a row that nobody waited for.
    let rank = |task: &Task| (task.status.rank(), task.status == Status::Succeeded, task.progress);
    let mut best: Option<Task> = None;
    for (at, row) in rows.iter().enumerate() {
        if !is_own(at) {
            continue;
        }
        let Some(mut task) = task(row, handle, base_url) else { continue };
        task.row = Some(at as u32);
        if best.as_ref().is_none_or(|best| rank(&task) >= rank(best)) {
            best = Some(task);
        }
    }
    best
}

/// A 2xx object that is no task.
fn unreadable(judge: &Judge, body: &Value, text: &str) -> Error {
    let words = Words::read(body, text);
    let code = super::midjourney::code(body);
    if code == Some(3) {
        let mut error = judge.error(Code::NotFound, &words.message);
        words.sign(&mut error);
        return error;
    }
    let says_error = !body.get("error").is_null() || words.code.is_some();
    if says_error && !matches!(code, Some(0 | 1 | 200)) {
        return judge.refusal(&words);
    }
    let mut error = judge.doubtful(Code::Protocol, "the reply holds no task");
    error.excerpt = Some(super::http::excerpt(text));
    error
}

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
    let envelope = super::midjourney::code(body) == Some(1) && body.members().iter().any(|(key, _)| key == "data");
    let is_bare = inner.is_none() && !matches!(body.get("data"), Value::List(_));
    (is_task(body) || (is_bare && envelope)).then_some(body)
}

/// It says by itself where a task stands, or whose object it is.
fn is_object_of_task(value: &Value) -> bool {
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
