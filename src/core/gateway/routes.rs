//! The paths that there are. protocol.md 1.2 to 1.19.

use crate::core::handle::Kind;
use crate::core::http::{READ_TIMEOUT_MS, SUBMIT_TIMEOUT_MS};
use crate::core::submit::Speed;
use crate::core::task::{Family, Millis, TaskHandle, TaskId};
use crate::core::{midjourney, reading, submit, text};

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// A new task.
    Submit(Kind),
    /// Pictures in, URLs out.
    Upload,
    /// A picture's seed.
    Seed,
    /// One reading.
    Task(Family),
    /// Many readings.
    Tasks,
    /// A result's bytes: `/mj/image/{id}` or `/v1/videos/{id}/content`.
    Content(Family),
}

/// A path that is one of the gateway's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place<'a> {
    pub(super) route: Route,
    pub(super) speed: Option<Speed>,
    /// The segment that holds an id, as it came.
    pub(super) id: Option<&'a str>,
}

impl Route {
    /// The public name, which `allow` uses.
    pub fn word(self) -> &'static str {
        match self {
            Route::Submit(kind) => kind.as_str(),
            Route::Upload => "upload",
            Route::Seed => "seed",
            Route::Task(_) => "task",
            Route::Tasks => "tasks",
            Route::Content(_) => "content",
        }
    }

    /// A name for each route, for the host to hand back.
    pub fn name(self) -> &'static str {
        match self {
            Route::Task(Family::Videos) => "task.videos",
            Route::Content(Family::Videos) => "content.videos",
            route => route.word(),
        }
    }

    /// The route of that name.
    pub fn new(name: &str) -> Option<Self> {
        Some(match name {
            "upload" => Route::Upload,
            "seed" => Route::Seed,
            "task" => Route::Task(Family::Midjourney),
            "task.videos" => Route::Task(Family::Videos),
            "tasks" => Route::Tasks,
            "content" => Route::Content(Family::Midjourney),
            "content.videos" => Route::Content(Family::Videos),
            word => Route::Submit(Kind::new(word)?),
        })
    }

    /// The name that events have.
    pub fn operation(self) -> &'static str {
        match self {
            Route::Submit(kind) => submit::operation(kind),
            Route::Upload => "midjourney.upload",
            Route::Seed => "midjourney.seed",
            Route::Task(Family::Midjourney) => "midjourney.fetch",
            Route::Task(Family::Videos) => "videos.retrieve",
            Route::Tasks => "midjourney.list",
            Route::Content(Family::Midjourney) => "midjourney.image",
            Route::Content(Family::Videos) => "videos.content",
        }
    }

    /// Where its ids live.
    pub fn family(self) -> Family {
        match self {
            Route::Submit(kind) => kind.family(),
            Route::Task(family) | Route::Content(family) => family,
            Route::Upload | Route::Seed | Route::Tasks => Family::Midjourney,
        }
    }

    /// Whether it costs: the rate limiter is asked.
    pub fn is_submit(self) -> bool {
        matches!(self, Route::Submit(_) | Route::Upload)
    }

    /// The service is given as long as the client gives it.
    pub fn limit_ms(self) -> Millis {
        if self.is_submit() || self == Route::Seed { SUBMIT_TIMEOUT_MS } else { READ_TIMEOUT_MS }
    }

    pub(super) fn is_post(self) -> bool {
        self.is_submit() || self == Route::Tasks
    }

    pub(super) fn takes(self, method: &str) -> bool {
        match method {
            "POST" => self.is_post(),
            "GET" => !self.is_post(),
            _ => false,
        }
    }

    pub(super) fn takes_form(self) -> bool {
        self == Route::Submit(Kind::Veo)
    }

    /// `json`, `form`, or no body.
    pub fn takes_body(self) -> Option<&'static str> {
        match self {
            route if route.takes_form() => Some("form"),
            route => route.is_post().then_some("json"),
        }
    }

    /// The service's path of a read. `extension` is an image's, with its dot.
    pub(super) fn read_path(self, id: &TaskId, extension: &str) -> String {
        let handle = |kind| TaskHandle::new(kind, id.clone(), 0);
        match self {
            Route::Content(Family::Midjourney) => text::concat(&["/mj/image/", &id.path_segment(), extension]),
            Route::Content(Family::Videos) => reading::content_request(&handle(Kind::Veo)).path,
            Route::Seed => midjourney::seed(&handle(Kind::Imagine)).path,
            route => {
                let kind = if route.family() == Family::Videos { Kind::Veo } else { Kind::Imagine };
                reading::request(&handle(kind)).path
            }
        }
    }
}

/// The place of a path below the mount point; None when there is none.
pub(super) fn find(path: &str) -> Option<Place<'_>> {
    let mut segments: Vec<&str> = text::split(path.strip_prefix('/')?, "/").collect();
    let speed = match segments[0].strip_prefix("mj-") {
        Some(word) => Some(Speed::new(word)?),
        None => None,
    };
    if speed.is_some() {
        segments.remove(0);
    }
    let (route, id) = match *segments.as_slice() {
        ["mj", "submit", word] => (submit_route(word)?, None),
        ["mj", "task", "list-by-condition"] => (Route::Tasks, None),
        ["mj", "task", id, "fetch"] => (Route::Task(Family::Midjourney), Some(id)),
        ["mj", "task", id, "image-seed"] => (Route::Seed, Some(id)),
        ["mj", "image", id] => (Route::Content(Family::Midjourney), Some(id)),
        ["v1", "videos"] => (Route::Submit(Kind::Veo), None),
        ["v1", "videos", id] => (Route::Task(Family::Videos), Some(id)),
        ["v1", "videos", id, "remix"] => (Route::Submit(Kind::Remix), Some(id)),
        ["v1", "videos", id, "content"] => (Route::Content(Family::Videos), Some(id)),
        _ => return None,
    };
    let is_prefixed_submit = matches!(route, Route::Submit(kind) if kind.family() == Family::Midjourney);
    (speed.is_none() || is_prefixed_submit).then_some(Place { route, speed, id })
}

fn submit_route(word: &str) -> Option<Route> {
    if word == "upload-discord-images" {
        return Some(Route::Upload);
    }
    let kind = Kind::new(word).filter(|kind| kind.family() == Family::Midjourney)?;
    Some(Route::Submit(kind))
}

/// The id in a path's segment. None for what no client writes: a letter that should be encoded, half an escape.
pub(super) fn decode(segment: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut letters = segment.bytes();
    while let Some(byte) = letters.next() {
        let is_plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        match byte {
            b'%' => {
                let high = (letters.next()? as char).to_digit(16)?;
                let low = (letters.next()? as char).to_digit(16)?;
                bytes.push((high * 16 + low) as u8);
            }
            _ if is_plain => bytes.push(byte),
            _ => return None,
        }
    }
    String::from_utf8(bytes).ok()
}

/// The extension of an image's name, which some gateways add to the id.
pub(super) fn extension(name: &str) -> &'static str {
    let known = [".png", ".jpg", ".jpeg", ".webp", ".gif"];
    known.into_iter().find(|extension| name.ends_with(extension)).unwrap_or_default()
}
