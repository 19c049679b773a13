//! One HTTP exchange as values: what leaves, and what came back.

use super::json::{self, JsonError, Value, Writer};
use super::task::{Millis, TaskHandle};
use super::text;
use super::time;

/// Submits and the image seed are given this long: the gateways' own limit is 60 s, and a shorter one makes doubt.
pub const SUBMIT_TIMEOUT_MS: Millis = 120_000;
/// Reads are given this long.
pub const READ_TIMEOUT_MS: Millis = 30_000;

/// A request that has not left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRequest {
    /// The call, e.g. `midjourney.imagine`.
    pub operation: &'static str,
    /// `GET` or `POST`.
    pub method: &'static str,
    /// From the base URL on, e.g. `/mj/submit/imagine`.
    pub path: String,
    /// What goes with it.
    pub body: Body,
}

impl HttpRequest {
    /// A read of the path that begins and ends so, with the task's id between.
    pub fn get(operation: &'static str, start: &str, handle: &TaskHandle, end: &str) -> Self {
        let path = text::concat(&[start, &handle.id.path_segment(), end]);
        HttpRequest { operation, method: "GET", path, body: Body::Empty }
    }

    /// For the host, which sends it: `{method, path, limitMs}`, and `{text, gaps}` of JSON or the parts of a `form`.
    pub fn write(&self, json: &mut Writer, limit_ms: Option<Millis>) {
        json.object(|json| {
            json.key("method").string(self.method);
            json.key("path").string(&self.path);
            json.key("limitMs").integer_or_null(limit_ms);
            match &self.body {
                Body::Empty => {}
                Body::Json { text, images } => {
                    json.key("text").string(text);
                    json.key("gaps").list(|json| {
                        images.iter().for_each(|(at, image)| {
                            json.list(|json| {
                                json.integer(*at as i64);
                                image.write(json);
                            });
                        })
                    });
                }
                Body::Form(parts) => json.key("form").list(|json| parts.iter().for_each(|part| part.write(json))),
            }
        });
    }
}

/// A request's body. Pictures are named by their place in the caller's list: their bytes never come here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// None.
    Empty,
    /// `application/json`. Each picture's data URI goes in between the quotes at its byte offset, in rising order.
    Json {
        /// The body but for the pictures.
        text: String,
        /// Where in `text` each goes.
        images: Vec<(usize, ImageData)>,
    },
    /// `multipart/form-data`, in this order.
    Form(Vec<Part>),
}

/// A picture whose bytes the caller holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageData {
    /// Its place in the caller's list.
    pub index: usize,
    /// Its type, e.g. `image/png`.
    pub mime: String,
}

impl ImageData {
    fn write(&self, json: &mut Writer) {
        json.integer(self.index as i64);
        json.string(&self.mime);
    }
}

/// One part of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// A text field.
    Text {
        /// The field.
        name: String,
        /// Its text.
        value: String,
    },
    /// A file.
    File {
        /// The field.
        name: &'static str,
        /// Safe ASCII.
        filename: String,
        /// The file.
        image: ImageData,
    },
}

impl Part {
    /// `[name, text]` or `[name, filename, place, type]`.
    fn write(&self, json: &mut Writer) {
        json.list(|json| match self {
            Part::Text { name, value } => {
                json.string(name);
                json.string(value);
            }
            Part::File { name, filename, image } => {
                json.string(name);
                json.string(filename);
                image.write(json);
            }
        });
    }
}

/// What came back, body and all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status; 0 for a redirect that the host would not show.
    pub status: u16,
    /// A redirect was followed although none should have been.
    pub redirected: bool,
    /// The header of that name.
    pub retry_after: Option<String>,
    /// The header of that name.
    pub request_id: Option<String>,
    /// The header of that name.
    pub content_type: Option<String>,
    /// The body, up to the cap; what is not UTF-8 reads as U+FFFD.
    pub body: String,
    /// The body is longer than the cap.
    pub over_cap: bool,
}

/// What a body is, judged by its bytes: the type header of real gateways says nothing. protocol.md 2, Parsing rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content<'a> {
    /// Nothing, or white space.
    Empty,
    /// A web page.
    Html,
    /// JSON.
    Json(Value<'a>),
    /// JSON that cannot be read.
    Broken {
        /// It ends in the middle.
        truncated: bool,
    },
    /// Anything else.
    Text,
}

impl Reply {
    /// All but the body, as the host tells it.
    pub fn head(head: &Value) -> Self {
        let text = |name| head.get(name).text().map(str::to_string);
        Reply {
            status: head.get("status").integer().unwrap_or_default() as u16,
            redirected: matches!(head.get("redirected"), Value::Bool(true)),
            retry_after: text("retryAfter"),
            request_id: text("requestId"),
            content_type: text("type"),
            ..Reply::default()
        }
    }

    /// The body without a byte order mark and outer white space.
    pub fn text(&self) -> &str {
        self.body.strip_prefix("\u{FEFF}").unwrap_or(&self.body).trim_ascii()
    }

    /// One that has this body, and nothing else to say.
    pub fn sound(body: &str) -> Self {
        Reply { status: 200, body: body.into(), ..Reply::default() }
    }

    /// Status 200 to 299.
    pub fn is_ok(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The service's wish for a pause. protocol.md 1.22.
    pub fn retry_after_ms(&self, now: Millis) -> Option<Millis> {
        time::retry_after(self.retry_after.as_deref()?, now)
    }
}

/// Judges a body's text.
pub fn content(text: &str) -> Content<'_> {
    match text.as_bytes().first() {
        None => Content::Empty,
        Some(b'<') => Content::Html,
        Some(first) => match json::parse(text) {
            Ok(value) => Content::Json(value),
            Err(error) if matches!(first, b'{' | b'[') => Content::Broken { truncated: error == JsonError::Truncated },
            Err(_) => Content::Text,
        },
    }
}

/// Whether an angle bracket with this letter behind it begins a tag; that of "3 < 4" does not.
pub fn begins_tag(next: Option<&char>) -> bool {
    next.is_some_and(|next| next.is_ascii_alphabetic() || matches!(next, '/' | '!' | '?'))
}

/// The first 200 characters of a body, without its tags and with single spaces.
pub fn excerpt(text: &str) -> String {
    let mut plain = String::new();
    let mut in_tag = false;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '<' if begins_tag(letters.peek()) => in_tag = true,
            '>' if in_tag => in_tag = false,
            _ if in_tag => continue,
            _ if letter.is_whitespace() || letter.is_control() => {
                if !plain.is_empty() && !plain.ends_with(" ") {
                    plain.push(' ');
                }
            }
            _ => plain.push(letter),
        }
        if plain.len() >= 800 {
            break;
        }
    }
    text::start(plain.trim(), 200).into()
}
