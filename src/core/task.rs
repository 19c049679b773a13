//! What one reading of a task says.

use std::ops::{Deref, DerefMut};

use super::json::{self, Value, Writer};
use super::text;

pub use super::handle::{Family, Kind, TaskHandle, TaskId};

/// Milliseconds, since the epoch for a time.
pub type Millis = i64;

/// Where a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Accepted, not begun.
    Queued,
    /// Being made.
    Running,
    /// MODAL: waits for `submitModal`.
    ActionRequired,
    /// Done.
    Succeeded,
    /// Ended without a result.
    Failed,
    /// Ended on somebody's wish.
    Canceled,
}

/// In the order of [`Status`].
const WORDS: &str = "queued running action_required succeeded failed canceled";

impl Status {
    /// The word of the public contract.
    pub fn as_str(self) -> &'static str {
        text::nth(WORDS, self as usize)
    }

    /// Nothing more will happen to the task.
    pub fn is_terminal(self) -> bool {
        matches!(self, Status::Succeeded | Status::Failed | Status::Canceled)
    }

    /// How far along: of two rows with one id the higher one counts. protocol.md 1.5.
    pub fn rank(self) -> u8 {
        match self {
            Status::ActionRequired => 0,
            Status::Queued => 1,
            Status::Running => 2,
            Status::Succeeded | Status::Failed | Status::Canceled => 3,
        }
    }
}

/// Percent, in thousandths, so that "12.5%" needs no floating point: 0 to 100_000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Progress(pub i64);

impl Progress {
    fn write(self, json: &mut Writer) {
        let (whole, thousandths) = (self.0 / 1000, self.0 % 1000);
        if thousandths == 0 {
            return json.integer(whole);
        }
        let digits = text::digits(1000 + thousandths);
        json.raw(&text::concat(&[&text::digits(whole), ".", &digits[1..]]));
    }
}

/// One reading of one task. In a box: it is handed about a lot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task(Box<Reading>);

impl From<Reading> for Task {
    fn from(reading: Reading) -> Self {
        Task(Box::new(reading))
    }
}

impl Deref for Task {
    type Target = Reading;
    fn deref(&self) -> &Reading {
        &self.0
    }
}

impl DerefMut for Task {
    fn deref_mut(&mut self) -> &mut Reading {
        &mut self.0
    }
}

/// What it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The task.
    pub handle: TaskHandle,
    /// Where it stands.
    pub status: Status,
    /// None when the service said none.
    pub progress: Option<Progress>,
    /// Succeeded with something to show for it. A success may come before its URLs do.
    pub has_result: bool,
    /// The service's time of submission.
    pub submitted_at: Option<Millis>,
    /// When it ended; only of a task that has ended.
    pub finished_at: Option<Millis>,
    /// What remains of a running task, once somebody has asked a belief.
    pub estimate: Option<Estimate>,
    /// Why it failed, in the service's words; never empty.
    pub reason: Option<String>,
    /// What a success will have to show.
    pub makes: Makes,
    /// How long the reply asks to wait before the next request.
    pub retry_after_ms: Option<Millis>,
    /// Which row of a list's reply it was read from.
    pub row: Option<u32>,
    /// All else that it says, for nobody here to look at: members of `Task` in `index.d.ts`, as JSON.
    pub rest: String,
}

/// How long a task will still take, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// As likely sooner as later.
    pub median_ms: Millis,
    /// Nine times in ten sooner.
    pub p90_ms: Millis,
}

/// What a task's result is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Makes {
    /// Pictures.
    Picture,
    /// Videos, whatever was submitted.
    Video,
    /// Texts: describe and shorten. Their picture is the one that was sent.
    Texts,
}

impl Task {
    /// A list of texts among the [`rest`](Reading::rest), such as `images` or `videos`.
    pub fn list(&self, name: &str) -> Vec<String> {
        let rest = text::concat(&["{", &self.rest, "}"]);
        let rest = json::parse(&rest).unwrap_or(Value::Null);
        rest.get(name).items().iter().filter_map(|item| item.text().map(str::to_string)).collect()
    }

    /// `Task` in `index.d.ts`, without `raw`; the facade turns `row` into that.
    pub fn write(&self, json: &mut Writer) {
        json.object(|json| {
            if let Some(row) = self.row {
                json.key("row").integer(row.into());
            }
            self.handle.write(json.key("handle"));
            self.write_standing(json);
            json.raw(&self.rest);
            if self.status == Status::Running {
                match self.estimate {
                    Some(estimate) => json.key("estimate").object(|json| {
                        json.key("medianMs").integer(estimate.median_ms);
                        json.key("p90Ms").integer(estimate.p90_ms);
                    }),
                    None => json.key("estimate").raw("null"),
                }
            }
        });
    }

    /// `status` and `progress`, into an object that is being written.
    pub fn write_standing(&self, json: &mut Writer) {
        json.key("status").string(self.status.as_str());
        match self.progress {
            Some(progress) => progress.write(json.key("progress")),
            None => json.key("progress").raw("null"),
        }
    }
}
