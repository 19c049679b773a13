//! What can go wrong, told apart by what a caller does next.

use std::ops::{Deref, DerefMut};

use super::json::Writer;
use super::task::{Millis, Task, TaskHandle};
use super::text;

/// The `code` of a CometError. A caller branches on it; the message is for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The call's own arguments; nothing was sent, or the service refused them.
    Validation,
    /// The key is missing or wrong (401).
    Unauthorized,
    /// The key may not do this, or a firewall stands in the way (403).
    Forbidden,
    /// The account's credit is used up.
    Quota,
    /// The prompt was refused as unsafe.
    Moderation,
    /// The service knows no such task.
    NotFound,
    /// Too many requests (429, code 30).
    RateLimited,
    /// The service's own queue is full (code 23).
    QueueFull,
    /// Nobody there to do the work now; nothing was created.
    Unavailable,
    /// The service said no, in a way that has no code of its own.
    Rejected,
    /// The gateway or what is behind it broke (5xx, code 5).
    Gateway,
    /// A request or a reply over a size limit.
    TooLarge,
    /// The service does not offer this (501).
    Unsupported,
    /// The service answered with a redirect, which is never followed.
    Redirect,
    /// The reply was not understood.
    Protocol,
    /// No answer came: connection, DNS, CORS.
    Network,
    /// No answer in time.
    Timeout,
    /// A submit was aborted after it had left.
    SubmitUnknown,
    /// The task ended as a failure.
    TaskFailed,
    /// The task was canceled at the service.
    TaskCanceled,
    /// The task succeeded, and no result ever showed.
    NoAsset,
    /// The content was asked for before the task had finished.
    NotReady,
    /// The wait's own time is over; the task goes on.
    Deadline,
    /// The wait's own number of requests is used up; the task goes on.
    RequestBudget,
}

/// In the order of [`Code`].
const CODES: &str = "validation unauthorized forbidden quota moderation not_found rate_limited queue_full unavailable rejected \
    gateway too_large unsupported redirect protocol network timeout submit_unknown task_failed task_canceled \
    no_asset not_ready deadline request_budget";

impl Code {
    /// The word of the public contract.
    pub fn as_str(self) -> &'static str {
        text::nth(CODES, self as usize)
    }
}

/// The service's own code: most send a number, some a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceCode {
    /// `4`, `"4"`, `4.0`.
    Number(i64),
    /// `"model_not_found"`.
    Word(String),
}

/// Where a person should look first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint {
    /// The reply is a web page: baseUrl probably points at a site, not at its API.
    BaseUrl,
    /// A web application firewall answered.
    Waf,
    /// A page's request failed without a status: the server may not allow this origin.
    Cors,
}

/// Whether the same submit may go out again without asking anybody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Resend {
    /// The reply does not prove that nothing was created.
    #[default]
    Never,
    /// It does, but the condition is known to last: one more try.
    Once,
    /// It does: again after a pause.
    Backoff,
}

/// A failed call. In a box: results are passed about far more often than errors are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(Box<Fields>);

impl Deref for Error {
    type Target = Fields;
    fn deref(&self) -> &Fields {
        &self.0
    }
}

impl DerefMut for Error {
    fn deref_mut(&mut self) -> &mut Fields {
        &mut self.0
    }
}

/// What an error says. [`Error::write`] gives these as the fields of `CometError` in `index.d.ts`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields {
    /// What a caller branches on.
    pub code: Code,
    /// The call, e.g. `midjourney.video`.
    pub operation: &'static str,
    /// For people.
    pub message: String,
    /// HTTP status of the reply, if one came.
    pub status: Option<u16>,
    /// The service's own code, if it named one.
    pub service_code: Option<ServiceCode>,
    /// The service's name for this request, for its support.
    pub request_id: Option<String>,
    /// How long the service asks to wait, in milliseconds.
    pub retry_after_ms: Option<Millis>,
    /// The same call may be repeated with no risk of a second task.
    pub retryable: bool,
    /// A task may exist and be billed although no id came back.
    pub ambiguous: bool,
    /// Set once an id is known.
    pub handle: Option<TaskHandle>,
    /// The last reading of a wait.
    pub task: Option<Task>,
    /// The start of a body that was not understood, tags removed.
    pub excerpt: Option<String>,
    /// Where to look first.
    pub hint: Option<Hint>,
    /// `{field, rule}` of a validation error, `{truncated: true}` of a reply that was cut off.
    pub details: Details,
    /// Whether a submit may go out again by itself.
    pub resend: Resend,
}

/// The `details` of an error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Details {
    /// Nothing to add.
    #[default]
    None,
    /// Which argument broke which rule.
    Argument {
        /// The argument's name, e.g. `images[1]`.
        field: String,
        /// What it must be.
        rule: &'static str,
    },
    /// The JSON of the reply ends in the middle.
    Truncated,
}

impl Error {
    /// An error that says nothing of the reply, and allows no repetition.
    pub fn new(code: Code, operation: &'static str, message: &str) -> Self {
        Error(Box::new(Fields {
            code,
            operation,
            message: message.into(),
            status: None,
            service_code: None,
            request_id: None,
            retry_after_ms: None,
            retryable: false,
            ambiguous: false,
            handle: None,
            task: None,
            excerpt: None,
            hint: None,
            details: Details::None,
            resend: Resend::Never,
        }))
    }

    /// An argument that breaks a rule: `prompt must not be blank, got "  "`.
    pub fn argument(operation: &'static str, field: &str, rule: &'static str, got: &str) -> Self {
        let shown = text::start(got, 60);
        let dots = if shown.len() < got.len() { "…" } else { "" };
        let message = text::concat(&[field, " ", rule, ", got ", shown, dots]);
        let details = Details::Argument { field: field.into(), rule };
        let mut error = Error::new(Code::Validation, operation, &message);
        error.details = details;
        error
    }

    /// Nothing was sent: an argument, such as the key, could not be used. That says nothing of the service.
    pub fn is_callers(&self) -> bool {
        matches!(self.details, Details::Argument { .. })
    }

    /// The same error, going with a task that is known.
    pub fn with_handle(mut self, handle: &TaskHandle) -> Self {
        self.handle = Some(handle.clone());
        self
    }

    /// The fields of a CometError, as JSON.
    pub fn write(&self, json: &mut Writer) {
        json.object(|json| {
            json.key("code").string(self.code.as_str());
            json.key("operation").string(self.operation);
            json.key("message").string(&self.message);
            json.key("retryable").boolean(self.retryable);
            json.key("ambiguous").boolean(self.ambiguous);
            self.write_reply(json);
            if let Some(handle) = &self.handle {
                handle.write(json.key("handle"));
            }
            if let Some(task) = &self.task {
                task.write(json.key("task"));
            }
            self.write_details(json);
        });
    }

    fn write_reply(&self, json: &mut Writer) {
        if let Some(status) = self.status {
            json.key("status").integer(status.into());
        }
        match &self.service_code {
            Some(ServiceCode::Number(number)) => json.key("serviceCode").integer(*number),
            Some(ServiceCode::Word(word)) => json.key("serviceCode").string(word),
            None => {}
        }
        if let Some(id) = &self.request_id {
            json.key("requestId").string(id);
        }
        if let Some(ms) = self.retry_after_ms {
            json.key("retryAfterMs").integer(ms);
        }
        if let Some(excerpt) = &self.excerpt {
            json.key("excerpt").string(excerpt);
        }
    }

    fn write_details(&self, json: &mut Writer) {
        if let Some(hint) = self.hint {
            json.key("hint").string(match hint {
                Hint::BaseUrl => "base_url",
                Hint::Waf => "waf",
                Hint::Cors => "cors",
            });
        }
        match &self.details {
            Details::None => {}
            Details::Argument { field, rule } => json.key("details").object(|json| {
                json.key("field").string(field);
                json.key("rule").string(rule);
            }),
            Details::Truncated => json.key("details").object(|json| json.key("truncated").boolean(true)),
        }
    }
}
