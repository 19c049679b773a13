//! The cases of fixtures/wire.json, and how an outcome is held against what a case expects. README.md beside the file
//! says what each word means.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use comet_tasks::core::error::{Error, Resend};
use comet_tasks::core::http::Reply;
use comet_tasks::core::json::Writer;
use comet_tasks::core::task::{Millis, Task, TaskHandle};
use serde::Deserialize;
use serde_json::{Map, Value};

/// When every case is judged: 2026-03-12T11:30:00Z.
pub(crate) const NOW: Millis = 1_773_315_000_000;
/// Where every case's service is.
pub(crate) const BASE_URL: &str = "https://api.cometapi.com";
/// What the package reads of a reply, in bytes, unless told otherwise.
const CAP: usize = 1024 * 1024;

/// One body, and what it must come to.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) group: String,
    pub(crate) call: String,
    pub(crate) title: String,
    #[serde(rename = "expect_text")]
    _expect_text: String,
    pub(crate) expect: Map<String, Value>,
    #[serde(flatten)]
    pub(crate) reply: WireReply,
    #[serde(default)]
    pub(crate) sequence: Vec<WireReply>,
    pub(crate) network: Option<String>,
    #[serde(default)]
    pub(crate) request: Map<String, Value>,
    #[serde(rename = "source")]
    _source: String,
    #[serde(rename = "note")]
    _note: Option<String>,
}

/// One reply as it comes over the wire.
#[derive(Clone, Deserialize)]
pub(crate) struct WireReply {
    #[serde(default)]
    pub(crate) status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<String>,
    /// A body that is no UTF-8.
    #[serde(default)]
    hex: String,
    /// So many spaces stand before the body.
    #[serde(default)]
    padding: usize,
    /// The host followed a redirect although it was told not to.
    #[serde(default)]
    redirected: bool,
}

impl WireReply {
    pub(crate) fn text(&self) -> &str {
        self.body.as_deref().unwrap_or_default()
    }

    /// All but the words and the numbers of the body.
    pub(crate) fn shape(&self) -> String {
        let body = match serde_json::from_str(self.text()) {
            Ok(body) => shape(body).to_string(),
            Err(_) => self.text().into(),
        };
        let rest = (&self.headers, &self.hex, self.padding, self.redirected);
        format!("{} {body} {rest:?}", self.status)
    }

    /// As the transport hands it to the core.
    pub(crate) fn reply(&self) -> Reply {
        let header = |name: &str| {
            let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.clone())
        };
        let mut body = vec![b' '; self.padding];
        body.extend(self.text().bytes());
        let digits = (0..self.hex.len()).step_by(2);
        body.extend(digits.map(|at| u8::from_str_radix(&self.hex[at..at + 2], 16).expect("hex is pairs of digits")));
        let over_cap = body.len() > CAP;
        Reply {
            status: self.status,
            redirected: self.redirected,
            retry_after: header("Retry-After"),
            request_id: header("X-Oneapi-Request-Id"),
            content_type: None,
            body: if over_cap { String::new() } else { String::from_utf8_lossy(&body).into_owned() },
            over_cap,
        }
    }
}

fn shape(value: Value) -> Value {
    match value {
        Value::String(text) if !text.is_empty() => "…".into(),
        Value::Number(_) => 0.into(),
        Value::Array(items) => items.into_iter().map(shape).collect(),
        Value::Object(members) => members.into_iter().map(|(key, value)| (key, shape(value))).collect(),
        value => value,
    }
}

impl Case {
    /// Every case of the file.
    pub(crate) fn all() -> Vec<Self> {
        #[derive(Deserialize)]
        struct File {
            cases: Vec<Case>,
        }
        let text = include_str!("../fixtures/wire.json");
        serde_json::from_str::<File>(text).expect("wire.json is a list of cases").cases
    }

    /// The replies in their order; the last one is repeated for as long as anybody asks.
    pub(crate) fn replies(&self) -> Vec<&WireReply> {
        if self.sequence.is_empty() { vec![&self.reply] } else { self.sequence.iter().collect() }
    }

    pub(crate) fn expects(&self, key: &str) -> &Value {
        self.expect.get(key).unwrap_or(&Value::Null)
    }

    pub(crate) fn expects_success(&self) -> bool {
        self.expects("ok") == true
    }
}

/// What came of a case, in the words of the public contract.
pub(crate) enum Seen {
    /// The plain JSON of a task, a handle, or `{urls}`, `{seed}` and the like.
    Value(Value),
    /// The fields of a CometError, and whether the submit may go out again.
    Error(Value, Resend),
}

impl From<Error> for Seen {
    fn from(error: Error) -> Self {
        Seen::Error(plain(|json| error.write(json)), error.resend)
    }
}

impl From<&Task> for Seen {
    fn from(task: &Task) -> Self {
        Seen::Value(plain(|json| task.write(json)))
    }
}

impl From<&TaskHandle> for Seen {
    fn from(handle: &TaskHandle) -> Self {
        Seen::Value(plain(|json| handle.write(json)))
    }
}

/// What `write` writes, as serde_json reads it.
pub(crate) fn plain(write: impl FnOnce(&mut Writer)) -> Value {
    let mut json = Writer::default();
    write(&mut json);
    serde_json::from_str(&json.finish()).expect("the writer writes JSON")
}

/// Every way in which `seen` is not what the case expects, one per line; empty when there is none.
pub(crate) fn complaints(case: &Case, seen: &Seen) -> String {
    let mut found = String::new();
    match (case.expects_success(), seen) {
        (true, Seen::Value(value)) => success_complaints(case, value, &mut found),
        (false, Seen::Error(error, resend)) => error_complaints(case, error, *resend, &mut found),
        (_, Seen::Value(value)) => note(&mut found, "outcome", &"an error".into(), value),
        (_, Seen::Error(error, _)) => note(&mut found, "outcome", &"a success".into(), error),
    }
    found
}

fn success_complaints(case: &Case, seen: &Value, found: &mut String) {
    for (key, expected) in &case.expect {
        let actual = match key.as_str() {
            // `mime` and `events` are what the package makes of several replies, or of a body that the core never sees.
            "ok" | "accepted" | "attempts" | "mime" | "events" => continue,
            "inferred" => &seen["rawStatus"].as_str().map(str::is_empty).into(),
            "id" => one_of(&seen["id"], &seen["handle"]["id"]),
            "buttons" if expected.is_number() => &seen["buttons"].as_array().map(Vec::len).into(),
            "raw" => &seen["rawStatus"],
            "queue" => &seen["queuePosition"],
            "absent" => &seen.is_null().into(),
            "code"
            | "more"
            | "model"
            | "kind"
            | "urls"
            | "seed"
            | "status"
            | "progress"
            | "images"
            | "videos"
            | "content"
            | "preview"
            | "texts"
            | "buttons"
            | "prompt"
            | "state"
            | "submittedAt"
            | "startedAt"
            | "finishedAt"
            | "expiresAt"
            | "failure"
            | "requestPath"
            | "requestBodyJsonEquals"
            | "parts" => &seen[key],
            _ => panic!("{}: no runner knows the expectation {key:?}", case.id),
        };
        if !same(actual, expected) {
            note(found, key, expected, actual);
        }
    }
}

fn error_complaints(case: &Case, seen: &Value, resend: Resend, found: &mut String) {
    for (key, expected) in &case.expect {
        let actual = match key.as_str() {
            "ok" | "fetchCalls" | "maxRetries" => continue,
            "kind" => &seen["code"],
            "code" => &seen["serviceCode"],
            "id" => &seen["handle"]["id"],
            "truncated" => &seen["details"]["truncated"],
            "field" | "rule" => &seen["details"][key],
            "failure" => &seen["task"]["failure"],
            "retryable" | "ambiguous" | "message" | "hint" | "requestId" | "retryAfterMs" | "excerpt" | "status" => {
                &seen[key]
            }
            _ => panic!("{}: no runner knows the expectation {key:?} of an error", case.id),
        };
        if !same(actual, expected) {
            note(found, key, expected, actual);
        }
    }
    let may_resend = resend != Resend::Never;
    let proves_nothing_created = matches!(case.expects("kind").as_str(), Some("rate_limited" | "queue_full"))
        && case.expects("ambiguous") == false;
    let once = case.expects("maxRetries") == 1;
    let is_read = matches!(case.call.as_str(), "fetch" | "retrieve" | "list" | "seed" | "content" | "webhook");
    if !is_read && may_resend != (proves_nothing_created || once) {
        note(found, "resend", &once.into(), &may_resend.into());
    }
    if once && resend != Resend::Once {
        note(found, "resend", &"once".into(), &format!("{resend:?}").into());
    }
    if seen["ambiguous"] == true && seen["retryable"] == true {
        note(found, "retryable", &"false, since a task may exist".into(), &true.into());
    }
}

fn one_of<'a>(first: &'a Value, second: &'a Value) -> &'a Value {
    if first.is_null() { second } else { first }
}

/// 100 and 100.0 are one number.
fn same(actual: &Value, expected: &Value) -> bool {
    match (actual.as_f64(), expected.as_f64()) {
        (Some(actual), Some(expected)) => actual == expected,
        _ => actual == expected,
    }
}

fn note(found: &mut String, key: &str, expected: &Value, actual: &Value) {
    writeln!(found, "    {key}: expected {expected}, got {actual}").expect("a String takes everything");
}
