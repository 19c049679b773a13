//! Replies that are errors: which one, whether the call may be repeated, and whether a task may exist all the same.
//!
//! The order of the rules is that of protocol.md 4 ("Classifier for a submit reply"); reads use the same rules, but a
//! read creates nothing: it is never ambiguous, and repeating it is always safe.

use super::error::{Code, Details, Error, Hint, Resend, ServiceCode};
use super::http::{Content, Reply, content, excerpt};
use super::json::{self, Value};
use super::task::Millis;
use super::text;

/// What the request was: only a submit can leave a task behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Creates a task.
    Submit,
    /// Only looks.
    Read,
}

/// A reply on its way to a verdict.
#[derive(Clone, Copy, Debug)]
pub struct Judge<'a> {
    /// The call.
    pub operation: &'static str,
    /// What it was for.
    pub purpose: Purpose,
    /// Its reply.
    pub reply: &'a Reply,
    /// The clock, for Retry-After.
    pub now: Millis,
}

impl Judge<'_> {
    /// The JSON of a 2xx reply, or what stands against reading it. `text` is [`Reply::text`].
    pub fn json<'t>(&self, text: &'t str) -> Result<Value<'t>, Error> {
        if self.reply.redirected || self.reply.status == 0 || (300..400).contains(&self.reply.status) {
            return Err(self.redirect());
        }
        if self.reply.over_cap {
            return Err(self.over_cap());
        }
        match content(text) {
            Content::Empty => Err(self.by_status("")),
            Content::Html => Err(self.html(text)),
            Content::Broken { truncated } => Err(self.broken(text, truncated)),
            Content::Text if self.reply.is_ok() => Err(self.broken(text, false)),
            Content::Text => Err(self.words(&Words { message: excerpt(text), ..Words::default() })),
            Content::Json(body) if self.reply.is_ok() => Ok(body),
            Content::Json(body) => Err(self.words(&Words::read(&body, text))),
        }
    }

    /// An error with what every reply has: status, request id, Retry-After.
    pub fn error(&self, code: Code, message: &str) -> Error {
        let mut error = Error::new(code, self.operation, message);
        if error.message.is_empty() {
            error.message = match self.reply.status {
                200..300 => "the reply was not understood".into(),
                status => text::concat(&["the service answered HTTP ", &text::digits(status.into())]),
            };
        }
        error.status = Some(self.reply.status).filter(|status| *status > 0);
        error.request_id = self.reply.request_id.clone().or_else(|| request_id(&error.message));
        error.retry_after_ms = self.reply.retry_after_ms(self.now);
        error
    }

    /// A reply after which nobody knows whether the task exists.
    pub fn doubtful(&self, code: Code, message: &str) -> Error {
        let mut error = self.error(code, message);
        error.ambiguous = self.purpose == Purpose::Submit;
        error.retryable = self.purpose == Purpose::Read;
        error
    }

    /// A reply that proves that nothing was created, and may be different next time.
    pub fn refused(&self, code: Code, message: &str, resend: Resend) -> Error {
        let mut error = self.error(code, message);
        error.retryable = true;
        error.resend = resend;
        error
    }

    /// What the service says, under this code, which says what a repetition would be: where a queue or a limit is full, or nobody
    /// is there, nothing was created; what broke, was late or odd leaves doubt; all else would be the same again.
    pub fn told(&self, code: Code, words: &Words) -> Error {
        let message = words.message.as_str();
        let mut error = match code {
            Code::RateLimited | Code::QueueFull => self.refused(code, message, Resend::Backoff),
            Code::Unavailable => self.refused(code, message, Resend::Never),
            Code::Gateway | Code::Timeout | Code::Protocol => self.doubtful(code, message),
            _ => self.error(code, message),
        };
        words.sign(&mut error);
        error
    }

    fn redirect(&self) -> Error {
        let mut error = self.error(Code::Redirect, "the service answered with a redirect: check baseUrl");
        error.ambiguous = self.reply.redirected && self.purpose == Purpose::Submit;
        error.hint = Some(Hint::BaseUrl);
        error
    }

    fn over_cap(&self) -> Error {
        if self.reply.is_ok() {
            let mut error = self.doubtful(Code::TooLarge, "the reply is larger than maxReplyBytes");
            error.retryable = false;
            return error;
        }
        self.by_status("the reply is larger than maxReplyBytes")
    }

    /// A reply with nothing in it but its status.
    fn by_status(&self, message: &str) -> Error {
        match self.reply.status {
            200..300 if self.purpose == Purpose::Read => self.error(Code::NotFound, "the reply is empty"),
            200..300 => self.doubtful(Code::Protocol, "the reply is empty: a task may exist"),
            400 | 409 | 422 => self.error(Code::Rejected, message),
            425 if self.purpose == Purpose::Submit => self.error(Code::Rejected, message),
            501 if self.purpose == Purpose::Submit => self.doubtful(Code::Gateway, message),
            _ => self.words(&Words { message: message.into(), ..Words::default() }),
        }
    }

    fn html(&self, text: &str) -> Error {
        let status = self.reply.status;
        let message = text::concat(&["the service answered with a web page (HTTP ", &text::digits(status.into()), ")"]);
        let (code, hint) = match status {
            403 => (Code::Forbidden, Some(Hint::Waf)),
            413 => (Code::TooLarge, None),
            429 => (Code::RateLimited, None),
            401 => (Code::Unauthorized, None),
            408 => (Code::Timeout, None),
            425 => (Code::Unavailable, None),
            501 if self.purpose == Purpose::Read => (Code::Unsupported, None),
            500.. => (Code::Gateway, None),
            _ => (Code::Protocol, Some(Hint::BaseUrl)),
        };
        let mut error = match code {
            Code::Protocol => self.error(code, &message),
            _ => self.told(code, &Words { message, ..Words::default() }),
        };
        error.hint = hint;
        error.excerpt = Some(excerpt(text));
        error
    }

    fn broken(&self, text: &str, truncated: bool) -> Error {
        let message = if truncated { "the reply's JSON is cut off" } else { "the reply is not JSON" };
        let mut error = self.doubtful(Code::Protocol, message);
        error.ambiguous &= self.reply.is_ok() || self.reply.status >= 500;
        error.details = if truncated { Details::Truncated } else { Details::None };
        error.excerpt = Some(excerpt(text));
        error
    }

    /// HTTP 400 and above, with what the body says.
    fn words(&self, words: &Words) -> Error {
        let status = self.reply.status;
        let name = words.name();
        let submit = self.purpose == Purpose::Submit;
        // By the code alone: no wording ever causes a submit to be sent again.
        let lacks_model = status == 503 && words.is_code("model_not_found");
        let code = match (status, words.number()) {
            (429, _) | (_, Some(30)) => Code::RateLimited,
            (_, Some(23)) => Code::QueueFull,
            (401, _) => Code::Unauthorized,
            (413, _) => Code::TooLarge,
            (408, _) => Code::Timeout,
            (425, _) => Code::Unavailable,
            (_, Some(5)) => Code::Gateway,
            _ if name == "insert_midjourney_task_failed" => Code::Gateway,
            _ if lacks_model || text::is_one_of(name, "get_channel_info_failed 该任务所属渠道已被禁用") => {
                Code::Unavailable
            }
            (400 | 402 | 403, _) if is_quota(&words.message) => Code::Quota,
            (403, _) => Code::Forbidden,
            (404 | 410, _) | (_, Some(3)) => Code::NotFound,
            _ if is_unknown(name) => Code::NotFound,
            // A read is repeated after any 500: it creates nothing.
            (status, _) if name == "invalid_request" && (submit || status < 500) => Code::Validation,
            (400 | 409 | 422, _) => Code::Validation,
            (501, _) => Code::Unsupported,
            (500.., _) => Code::Gateway,
            _ => Code::Rejected,
        };
        let mut error = self.told(code, words);
        if lacks_model {
            error.resend = Resend::Once;
        }
        error
    }

    /// A 2xx reply that is an error all the same, by what it says.
    pub fn refusal(&self, words: &Words) -> Error {
        let message = words.message.as_str();
        let code = match (words.name(), words.number()) {
            (_, Some(5)) => Code::Gateway,
            (_, Some(23)) => Code::QueueFull,
            (_, Some(30)) => Code::RateLimited,
            _ if is_quota(message) => Code::Quota,
            (_, Some(24)) => Code::Moderation,
            _ if is_moderation(message) => Code::Moderation,
            (name, _) if is_unknown(name) => Code::NotFound,
            ("invalid_request", _) => Code::Validation,
            _ => Code::Rejected,
        };
        self.told(code, words)
    }
}

/// What an error body says, in any of its shapes. protocol.md 1.21.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// The service's code.
    pub code: Option<ServiceCode>,
    /// Its message, trimmed.
    pub message: String,
    /// Its name for the request, where the body has one.
    pub request_id: Option<String>,
}

impl Words {
    /// Reads a body; `text` is the body again, for when no shape fits. A message that is JSON itself is read once more.
    pub fn read(body: &Value, text: &str) -> Self {
        let outer = Words::shallow(body);
        if let Ok(inner @ Value::Object(_)) = json::parse(&outer.message) {
            let inner = Words::shallow(&inner);
            if !inner.message.is_empty() {
                let request_id = inner.request_id.or(outer.request_id);
                return Words { code: inner.code.or(outer.code), message: inner.message, request_id };
            }
        }
        if outer.message.is_empty() {
            return Words { message: excerpt(text), ..outer };
        }
        outer
    }

    fn shallow(body: &Value) -> Self {
        let error = body.get("error");
        let inner = body.get("errors").items().first().map_or(&Value::Null, |first| first.get("message"));
        let message = body.first_words("error.message error message description msg detail err error_msg");
        let message = message.or_else(|| inner.words()).or_else(|| body.words()).unwrap_or_default();
        let is_page = message.starts_with("<") || text::find(message, "</").is_some();
        Words {
            code: service_code(error.get("code")).or_else(|| service_code(body.get("code"))),
            // A web page is never shown, not even from inside a message.
            message: if is_page { excerpt(message) } else { message.into() },
            request_id: body.get("request_id").words().map(str::to_string),
        }
    }

    /// Into an error of theirs: the code, and the request's name unless the reply has named it elsewhere.
    pub fn sign(&self, error: &mut Error) {
        error.service_code = self.code.clone();
        error.request_id = error.request_id.take().or_else(|| self.request_id.clone());
    }

    /// The code when it is a number.
    pub fn number(&self) -> Option<i64> {
        match self.code {
            Some(ServiceCode::Number(number)) => Some(number),
            _ => None,
        }
    }

    fn is_code(&self, word: &str) -> bool {
        matches!(&self.code, Some(ServiceCode::Word(code)) if code == word)
    }

    /// The service's own name for the error: its code when that is a word, else its message.
    fn name(&self) -> &str {
        match &self.code {
            Some(ServiceCode::Word(word)) => word,
            // The gateway writes "<name> <detail>".
            _ => text::before(&self.message, " "),
        }
    }
}

/// A code as the service wrote it: a number, a number in quotes, or a word.
pub fn service_code(value: &Value) -> Option<ServiceCode> {
    match value.integer() {
        Some(number) => Some(ServiceCode::Number(number)),
        None => value.written().map(|word| ServiceCode::Word(word.into())),
    }
}

/// Whether the service's name for the error says that it knows no such task.
fn is_unknown(name: &str) -> bool {
    text::is_one_of(name, "task_no_found task_not_found task_not_exist")
}

/// Whether the text speaks of credit.
pub fn is_quota(message: &str) -> bool {
    contains_any(message, "quota|insufficient|balance|余额|额度")
}

/// Whether the text speaks of unsafe content.
pub fn is_moderation(message: &str) -> bool {
    contains_any(message, "banned|sensitive|moderation|policy|敏感")
}

/// Whether the text says that the service's queue is full: nothing was created.
pub fn is_queue_full(message: &str) -> bool {
    contains_any(message, "队列已满|queue is full")
}

/// Whether the text says that there is no video yet.
pub fn is_unfinished(message: &str) -> bool {
    contains_any(message, "not completed|not ready")
}

fn contains_any(message: &str, words: &str) -> bool {
    let message = message.to_ascii_lowercase();
    text::split(words, "|").any(|word| text::find(&message, word).is_some())
}

/// `… (request id: 2026…)` inside a message.
fn request_id(message: &str) -> Option<String> {
    let rest = text::split_once(message, "(request id: ")?.1;
    let id = text::split_once(rest, ")")?.0;
    (!id.is_empty()).then(|| id.into())
}
