//! One reading of a task: what to ask, by its own address or by the list route, and what the reply says of it.
//! protocol.md 1.5, 1.12, 1.13, 1.17.

mod object;

use super::classify::{Judge, Purpose, Words, is_unfinished};
use super::error::{Code, Error};
use super::http::{HttpRequest, Reply};
use super::json::{Value, Writer};
use super::task::{Family, Millis, Status, Task, TaskHandle, TaskId};
use object::is_object_of_task;
pub use object::{state, task, unwrap};

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
