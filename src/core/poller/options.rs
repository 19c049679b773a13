//! What a caller may set of a wait.

use crate::core::task::Millis;

/// Seconds of needless waiting that one more request is worth.
pub const DEFAULT_STALENESS_BUDGET: f64 = 0.5;
/// A picture is given this long.
pub const PICTURE_TIMEOUT_MS: Millis = 15 * 60_000;
/// A video is given this long.
pub const VIDEO_TIMEOUT_MS: Millis = 30 * 60_000;

/// What a caller may set. The defaults are those of `PollOptions` in `index.d.ts`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PollOptions {
    /// None: by what the task makes.
    pub timeout: Option<Timeout>,
    /// Seconds of needless waiting that one more request is worth.
    pub staleness_budget: f64,
    /// A fixed pause instead of the schedule, in milliseconds.
    pub interval_ms: Option<Millis>,
    /// At most so many requests.
    pub max_requests: Option<u32>,
    /// MODAL counts as running. Default: for handles of `submitModal`.
    pub after_modal: Option<bool>,
    /// A failed or canceled task is an error.
    pub throw_on_failure: bool,
}

impl Default for PollOptions {
    fn default() -> Self {
        PollOptions {
            timeout: None,
            staleness_budget: DEFAULT_STALENESS_BUDGET,
            interval_ms: None,
            max_requests: None,
            after_modal: None,
            throw_on_failure: true,
        }
    }
}

/// How long a wait may last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timeout {
    /// So many milliseconds from its start.
    After(Millis),
    /// As long as it takes.
    Never,
}
