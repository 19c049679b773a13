//! Where a task lives: its id and its handle.

use std::ops::{Deref, DerefMut};

use super::json::{Value, Writer};
use super::task::Millis;
use super::text;

/// The service's name for a task: an opaque text that is safe in a URL's path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskId(String);

impl TaskId {
    /// What an id must be; the text of a validation error.
    pub const RULE: &'static str =
        "must be a task's id: 1 to 256 characters, no control characters, not \".\" or \"..\"";

    /// Trims. None when a URL parser would collapse it, or it breaks [`TaskId::RULE`].
    pub fn new(text: &str) -> Option<Self> {
        TaskId::sound(text).map(|text| TaskId(text.into()))
    }

    /// The text of an id, trimmed; None as above.
    pub fn sound(text: &str) -> Option<&str> {
        let text = text.trim();
        let length = text.chars().count();
        let usable = (1..=256).contains(&length) && text != "." && text != ".." && !text.contains(char::is_control);
        usable.then_some(text)
    }

    /// The id in a reply: a string, or a number with every digit kept. protocol.md 1.0, Ids.
    pub fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Text(text) => TaskId::new(text),
            Value::Number(digits) if text::is_digits(digits) => TaskId::new(digits),
            // 1.77e15 stands for a whole number that a double holds exactly, or for no id.
            Value::Number(_) => {
                value.integer().filter(|id| (0..=1 << 53).contains(id)).map(|id| TaskId(text::digits(id)))
            }
            _ => None,
        }
    }

    /// The ids in a list.
    fn read_all(items: &[Value]) -> Vec<Self> {
        let mut ids = Vec::new();
        for item in items {
            if let Some(id) = TaskId::read(item) {
                ids.push(id);
            }
        }
        ids
    }

    /// The id at the first of these paths that has one.
    pub fn first(value: &Value, paths: &str) -> Option<Self> {
        TaskId::read(value.first(paths, &|value| TaskId::read(value).is_some()))
    }

    /// As it is.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it has the form that ids have under /v1/videos.
    pub fn is_of_videos(&self) -> bool {
        self.0.starts_with("task_") || self.0.starts_with("video_")
    }

    /// Percent-encoded for one segment of a path.
    pub fn path_segment(&self) -> String {
        let mut segment = String::new();
        for byte in self.0.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                segment.push(byte as char);
            } else {
                segment.push('%');
                for half in [byte >> 4, byte & 15] {
                    segment.push(b"0123456789ABCDEF"[half as usize] as char);
                }
            }
        }
        segment
    }
}

/// Which of the service's two APIs a task lives in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// `/mj`.
    Midjourney,
    /// `/v1/videos`.
    Videos,
}

/// What was submitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the submit of its name")]
pub enum Kind {
    Imagine,
    Video,
    Action,
    Modal,
    Blend,
    Describe,
    Shorten,
    Edits,
    Veo,
    Remix,
}

/// In the order of [`Kind`].
const WORDS: &str = "imagine video action modal blend describe shorten edits veo remix";
const KINDS: [Kind; 10] = [
    Kind::Imagine,
    Kind::Video,
    Kind::Action,
    Kind::Modal,
    Kind::Blend,
    Kind::Describe,
    Kind::Shorten,
    Kind::Edits,
    Kind::Veo,
    Kind::Remix,
];

impl Kind {
    /// The word in a handle.
    pub fn as_str(self) -> &'static str {
        text::nth(WORDS, self as usize)
    }

    /// The kind of this word.
    pub fn new(word: &str) -> Option<Self> {
        let place = text::split(WORDS, " ").position(|name| name == word)?;
        KINDS.get(place).copied()
    }

    /// Where tasks of this kind live.
    pub fn family(self) -> Family {
        match self {
            Kind::Veo | Kind::Remix => Family::Videos,
            _ => Family::Midjourney,
        }
    }
}

/// Where a task lives. Plain JSON outside; holds no URL and no key. In a box, as a reading is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskHandle(Box<Place>);

impl Deref for TaskHandle {
    type Target = Place;
    fn deref(&self) -> &Place {
        &self.0
    }
}

impl DerefMut for TaskHandle {
    fn deref_mut(&mut self) -> &mut Place {
        &mut self.0
    }
}

/// What a handle says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its API.
    pub family: Family,
    /// What was submitted.
    pub kind: Kind,
    /// The service's id.
    pub id: TaskId,
    /// When it was submitted, by this machine's clock.
    pub submitted_at: Millis,
    /// The model that was asked for.
    pub model: Option<String>,
    /// The caller's own tag.
    pub state: Option<String>,
    /// The submit reply's own code: 1, 21, 22.
    pub code: Option<i64>,
    /// Its place in the queue, when the reply named one.
    pub queue_position: Option<i64>,
    /// `PicReader::all` answers with several ids; the others.
    pub more: Vec<TaskId>,
}

impl TaskHandle {
    /// A handle of which only the id is known.
    pub fn new(kind: Kind, id: TaskId, submitted_at: Millis) -> Self {
        TaskHandle(Box::new(Place {
            family: kind.family(),
            kind,
            id,
            submitted_at,
            model: None,
            state: None,
            code: None,
            queue_position: None,
            more: Vec::new(),
        }))
    }

    /// From a stored handle, or from a bare id: `task_…` and `video_…` live under /v1/videos, all others are Midjourney's.
    /// The error is the field and its rule.
    pub fn read(value: &Value, now: Millis) -> Result<Self, (&'static str, &'static str)> {
        if let Some(id) = value.text() {
            let id = TaskId::new(id).ok_or(("handle", TaskId::RULE))?;
            return Ok(TaskHandle::new(if id.is_of_videos() { Kind::Veo } else { Kind::Imagine }, id, now));
        }
        if !value.is_object() {
            return Err(("handle", "must be a task's handle or its id"));
        }
        if value.get("v").integer() != Some(1) {
            return Err(("handle.v", "must be 1, the only version of a handle there is"));
        }
        let kind = value.get("kind").text().and_then(Kind::new).ok_or(("handle.kind", "must be a known kind"))?;
        let family = match value.get("family").text() {
            Some("midjourney") => Family::Midjourney,
            Some("videos") => Family::Videos,
            _ => return Err(("handle.family", "must be \"midjourney\" or \"videos\"")),
        };
        let id = value.get("id").text().and_then(TaskId::new).ok_or(("handle.id", TaskId::RULE))?;
        let mut handle = TaskHandle::new(kind, id, value.get("submittedAt").integer().unwrap_or(now));
        handle.family = family;
        handle.model = value.get("model").text().map(str::to_string);
        handle.state = value.get("state").text().map(str::to_string);
        handle.code = value.get("code").integer();
        handle.queue_position = value.get("queuePosition").integer();
        handle.more = TaskId::read_all(value.get("more").items());
        Ok(handle)
    }

    /// The plain JSON of `TaskHandle` in `index.d.ts`.
    pub fn write(&self, json: &mut Writer) {
        json.object(|json| {
            json.key("v").integer(1);
            json.key("family").string(match self.family {
                Family::Midjourney => "midjourney",
                Family::Videos => "videos",
            });
            json.key("kind").string(self.kind.as_str());
            json.key("id").string(self.id.as_str());
            json.key("submittedAt").integer(self.submitted_at);
            for (key, text) in [("model", &self.model), ("state", &self.state)] {
                if let Some(text) = text {
                    json.key(key).string(text);
                }
            }
            for (key, number) in [("code", self.code), ("queuePosition", self.queue_position)] {
                if let Some(number) = number {
                    json.key(key).integer(number);
                }
            }
            if !self.more.is_empty() {
                json.key("more").list(|list| self.more.iter().for_each(|id| list.string(id.as_str())));
            }
        });
    }
}
