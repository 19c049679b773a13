//! A submit: from a call's arguments to the request, and from its reply to the task's handle.

use super::classify::{Judge, Purpose, Words};
use super::error::Error;
use super::http::{HttpRequest, Reply};
use super::json::{self, Value};
use super::task::{Family, Kind, Millis, Task, TaskHandle, TaskId};
use super::text;
use super::{form, midjourney, reading, videos};

/// How the service wants the video body spelled. Two of its pages disagree; protocol.md 1.3.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// `{taskId, index: 2}`
    #[default]
    Comet,
    /// `{task_id, index: "2"}`, and a prompt is required.
    Snake,
}

/// Which of the account's modes does the work: a prefix of the path, for /mj only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the service's own words")]
pub enum Speed {
    Relax,
    Fast,
    Turbo,
}

impl Speed {
    /// The speed of this word.
    pub fn new(word: &str) -> Option<Self> {
        [Speed::Relax, Speed::Fast, Speed::Turbo].into_iter().find(|speed| speed.as_str() == word)
    }

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        text::nth("relax fast turbo", self as usize)
    }
}

pub use super::form::operation;

/// A validated submit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// What is submitted.
    pub kind: Kind,
    /// The one request of it.
    pub request: HttpRequest,
    /// The model asked for.
    pub model: Option<String>,
    /// The caller's tag.
    pub state: Option<String>,
    /// The request names a task to go on from.
    pub has_parent: bool,
}

/// What an accepted submit gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The new task.
    pub handle: TaskHandle,
    /// Its first reading, when the reply held one.
    pub task: Option<Task>,
}

impl Submission {
    /// Checks the arguments and builds the request.
    pub fn read(kind: Kind, params: &Value, dialect: Dialect, speed: Option<Speed>) -> Result<Self, Error> {
        form::submission(kind, params, dialect, speed)
    }

    /// Judges the reply.
    pub fn judge(&self, reply: &Reply, base_url: &str, now: Millis) -> Result<Accepted, Error> {
        let judge = Judge { operation: self.request.operation, purpose: Purpose::Submit, reply, now };
        let text = reply.text();
        let body = match judge.json(text) {
            Ok(body) => body,
            Err(error) => return Err(self.keep_named_task(error, text, now)),
        };
        match self.kind.family() {
            Family::Midjourney => self.judge_midjourney(&judge, &body, text, now),
            Family::Videos => self.judge_videos(&judge, &body, text, base_url, now),
        }
    }

    /// An error status over a body that says "accepted": the task may well exist, and this is its name.
    fn keep_named_task(&self, mut error: Error, body: &str, now: Millis) -> Error {
        if error.status.is_none_or(|status| status < 400) {
            return error;
        }
        let Ok(body) = json::parse(body) else { return error };
        let code = midjourney::code(&body);
        // Where it is in doubt whether the task exists, its name is worth keeping, too; one that a video's object has only
        // if it can be no other's, such as a request's.
        let (id, may_exist) = match self.kind.family() {
            Family::Midjourney => (midjourney::result_ids(&body).into_iter().next(), error.ambiguous),
            Family::Videos => {
                let id = videos::created_id(&body);
                let says_error = !body.get("error").is_null() || error.service_code.is_some();
                // A remix names its parent in the path, and an error may repeat that.
                let is_new = |id: &TaskId| id.is_of_videos() && text::find(&self.request.path, id.as_str()).is_none();
                let is_own = id.as_ref().is_some_and(is_new);
                (id, is_own && (error.ambiguous || !says_error))
            }
        };
        let may_exist = may_exist || matches!(code, Some(1 | 21 | 22));
        if let Some(handle) = id.filter(|_| may_exist).map(|id| self.handle(id, now)) {
            error.ambiguous = true;
            error.retryable = false;
            error.resend = super::error::Resend::Never;
            error.handle = Some(handle);
        }
        error
    }

    fn judge_midjourney(&self, judge: &Judge, body: &Value, text: &str, now: Millis) -> Result<Accepted, Error> {
        let ids = midjourney::result_ids(body);
        let handle = ids.split_first().map(|(id, more)| {
            let mut handle = self.handle(id.clone(), now);
            handle.code = midjourney::code(body);
            handle.queue_position = body.get("properties").get("numberOfQueues").integer();
            handle.more = more.to_vec();
            handle
        });
        let verdict = midjourney::verdict(judge, body, &Words::read(body, text), self.has_parent, handle.is_some());
        match (verdict, handle) {
            (None, Some(handle)) => Ok(Accepted { handle, task: None }),
            (None, None) => Err(judge.doubtful(super::error::Code::Protocol, "the reply names no task: one may exist")),
            (Some(mut error), handle) => {
                error.handle = handle.filter(|_| error.ambiguous);
                Err(error)
            }
        }
    }

    fn judge_videos(
        &self,
        judge: &Judge,
        body: &Value,
        text: &str,
        base_url: &str,
        now: Millis,
    ) -> Result<Accepted, Error> {
        let says_no = matches!(body.get("success"), Value::Bool(false));
        let Some(id) = videos::created_id(body).filter(|_| !says_no) else {
            return Err(videos::no_id(judge, body, &Words::read(body, text)));
        };
        let handle = self.handle(id, now);
        let task = reading::task(body, &handle, base_url).filter(|task| task.status.is_terminal());
        Ok(Accepted { handle, task })
    }

    fn handle(&self, id: TaskId, now: Millis) -> TaskHandle {
        let mut handle = TaskHandle::new(self.kind, id, now);
        (handle.model, handle.state) = (self.model.clone(), self.state.clone());
        handle
    }
}
