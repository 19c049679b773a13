//! What one reading of a task says.

use super::json::Writer;
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
        text::split(WORDS, " ").nth(self as usize).unwrap_or_default()
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

/// A button under a finished picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Button {
    /// What `submitAction` takes.
    pub custom_id: String,
    /// "U1", "V2"; may be empty.
    pub label: String,
    /// "🔄"; may be empty.
    pub emoji: String,
}

/// Why a task failed, in the service's words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failure {
    /// Its code, if it named one.
    pub code: Option<String>,
    /// Its reason; never empty.
    pub message: String,
}

/// One reading of one task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// The task.
    pub handle: TaskHandle,
    /// Where it stands.
    pub status: Status,
    /// The service's own word for that.
    pub raw_status: String,
    /// None when the service said none.
    pub progress: Option<Progress>,
    /// Result pictures; empty until succeeded.
    pub images: Vec<String>,
    /// Result videos; empty until succeeded.
    pub videos: Vec<String>,
    /// The result has no URL: it is at the authenticated content endpoint.
    pub content: bool,
    /// An unfinished picture; never a result.
    pub preview: Option<String>,
    /// What describe and shorten answer with.
    pub texts: Vec<String>,
    /// What can be done next.
    pub buttons: Vec<Button>,
    /// The prompt as the service has it.
    pub prompt: Option<String>,
    /// The caller's tag as the service echoes it.
    pub state: Option<String>,
    /// The service's time of submission.
    pub submitted_at: Option<Millis>,
    /// When work began.
    pub started_at: Option<Millis>,
    /// When it ended; only of a task that has ended.
    pub finished_at: Option<Millis>,
    /// The earliest expiry that the result URLs name themselves.
    pub expires_at: Option<Millis>,
    /// What remains of a running task, once somebody has asked a belief.
    pub estimate: Option<Estimate>,
    /// Set when failed.
    pub failure: Option<Failure>,
    /// What a success will have to show.
    pub makes: Makes,
    /// Which row of a list's reply it was read from.
    pub row: Option<u32>,
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
    /// Succeeded with something to show for it. A success may come before its URLs do.
    pub fn has_result(&self) -> bool {
        let has_video = self.content || !self.videos.is_empty();
        match self.makes {
            Makes::Picture => has_video || !self.images.is_empty(),
            Makes::Video => has_video,
            Makes::Texts => !self.texts.is_empty(),
        }
    }

    /// `Task` in `index.d.ts`, without `raw`; the facade turns `row` into that.
    pub fn write(&self, json: &mut Writer) {
        json.object(|json| {
            if let Some(row) = self.row {
                json.key("row").integer(row.into());
            }
            self.handle.write(json.key("handle"));
            self.write_standing(json);
            json.key("rawStatus").string(&self.raw_status);
            self.write_results(json);
            json.key("prompt").string_or_null(self.prompt.as_deref());
            json.key("state").string_or_null(self.state.as_deref());
            json.key("submittedAt").integer_or_null(self.submitted_at);
            json.key("startedAt").integer_or_null(self.started_at);
            json.key("finishedAt").integer_or_null(self.finished_at);
            json.key("expiresAt").integer_or_null(self.expires_at);
            if self.status == Status::Running {
                match self.estimate {
                    Some(estimate) => json.key("estimate").object(|json| {
                        json.key("medianMs").integer(estimate.median_ms);
                        json.key("p90Ms").integer(estimate.p90_ms);
                    }),
                    None => json.key("estimate").raw("null"),
                }
            }
            if let Some(failure) = &self.failure {
                json.key("failure").object(|json| {
                    json.key("code").string_or_null(failure.code.as_deref());
                    json.key("message").string(&failure.message);
                });
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

    fn write_results(&self, json: &mut Writer) {
        json.key("images").strings(&self.images);
        json.key("videos").strings(&self.videos);
        json.key("content").boolean(self.content);
        json.key("preview").string_or_null(self.preview.as_deref());
        json.key("texts").strings(&self.texts);
        json.key("buttons").list(|list| {
            for button in &self.buttons {
                list.object(|json| {
                    json.key("customId").string(&button.custom_id);
                    json.key("label").string(&button.label);
                    json.key("emoji").string(&button.emoji);
                });
            }
        });
    }
}
