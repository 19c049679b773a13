//! What comes of a wait's requests, and how much trouble it stands.

use super::{Last, OVER, Poller, Route};
use crate::core::error::{Code, Error};
use crate::core::task::{Kind, Millis, Status, Task};

/// Just after the submit a replica may not know the task yet.
const UNKNOWN_TOLERATED_MS: Millis = 10_000;
/// The schedule may ask for the first time later than that: up to this age, the time counts from there.
const FRESH_MS: Millis = 30_000;
/// Empty replies that are taken as "no news".
const EMPTY_TOLERATED: u32 = 3;
/// A success may come before its URLs: the pauses of the window in which they may still come.
const SETTLE_PAUSES_MS: [Millis; 5] = [2_000, 4_000, 8_000, 16_000, 30_000];
/// Failed reads in a row, and for how long, before a wait gives up.
const FAILURES_TOLERATED: (u32, Millis) = (5, 60_000);
/// A MODAL that stays this long after the modal was sent is read through the list, which shows the row that moves.
const STALE_MODAL_MS: Millis = 30_000;
/// Times that the list may leave the task out before it is read singly again.
const MISSES_TOLERATED: u32 = 3;
/// The longest pause after a failed read, before jitter.
const LONGEST_BACKOFF_MS: Millis = 30_000;

impl Poller {
    /// What came of a request: a task, no row of it in the list, or an error. True when status or progress are news.
    pub fn handle_reply(&mut self, now: Millis, reply: Result<Option<Task>, Error>) -> bool {
        let news = match reply {
            Ok(Some(task)) => self.take(now, task),
            Ok(None) => {
                self.missing(now);
                false
            }
            Err(error) => {
                self.failed(now, error);
                false
            }
        };
        if self.outcome.is_none() && self.deadline().is_some_and(|deadline| now >= deadline) {
            self.expire();
        }
        news
    }

    /// The deadline has come while a request was under way.
    pub fn expire(&mut self) {
        let waits_for_modal = self.last.is_some_and(|last| last.status == Status::ActionRequired);
        self.outcome = Some(match waits_for_modal {
            true => Ok(()),
            false => Err(self.error(Code::Deadline, OVER)),
        });
    }

    /// A reading that came otherwise than by a request of this wait: with the submit's reply.
    pub fn take(&mut self, now: Millis, task: Task) -> bool {
        if self.outcome.is_some() {
            return false;
        }
        (self.failures, self.empties, self.misses) = (0, 0, 0);
        // What has ended stays so: while a success waits for its result, another word for the task is no news.
        if let Some(last) = self.last.filter(|last| last.status.is_terminal() && last.status != task.status) {
            self.next_at = now + self.pause(now, last.progress);
            self.settle(now);
            return false;
        }
        let seen = self.last.map(|last| (last.status, last.progress));
        let news = seen != Some((task.status, task.progress));
        if let (false, Some(submitted_at)) = (self.age_is_known, task.submitted_at) {
            self.handle.submitted_at = submitted_at.min(now);
        }
        self.next_at = now + self.pause(now, task.progress);
        if let Some(at) = task.retry_after_ms.map(|wish| now + wish).filter(|at| *at > self.next_at) {
            self.seen.growth = None;
            (self.next_at, self.not_before) = (at, at);
        }
        match task.status {
            Status::Queued | Status::Running => self.modal_since = None,
            Status::ActionRequired if self.after_modal() => {
                let since = *self.modal_since.get_or_insert(now);
                if self.may_list && now - since >= STALE_MODAL_MS {
                    self.route = Route::List;
                }
            }
            Status::ActionRequired => self.outcome = Some(Ok(())),
            Status::Succeeded if task.has_result => self.outcome = Some(Ok(())),
            Status::Succeeded => self.settle(now),
            Status::Failed | Status::Canceled => self.outcome = Some(self.ended(&task)),
        }
        self.last = Some(Last { status: task.status, progress: task.progress, makes: task.makes });
        self.reading = Some(task);
        news
    }

    fn after_modal(&self) -> bool {
        self.options.after_modal.unwrap_or(self.handle.kind == Kind::Modal)
    }

    fn settle(&mut self, now: Millis) {
        match SETTLE_PAUSES_MS.get(self.settling) {
            Some(pause) => {
                self.settling += 1;
                self.seen.growth = None;
                self.next_at = now + pause;
            }
            None => {
                let message = "the task succeeded, and no result of it ever showed";
                self.outcome = Some(Err(self.error(Code::NoAsset, message)));
            }
        }
    }

    fn ended(&self, task: &Task) -> Result<(), Error> {
        if !self.options.throw_on_failure {
            return Ok(());
        }
        let code = if task.status == Status::Failed { Code::TaskFailed } else { Code::TaskCanceled };
        let mut error = self.error(code, task.reason.as_deref().unwrap_or_default());
        error.retryable = false;
        Err(error)
    }

    fn missing(&mut self, now: Millis) {
        self.misses += 1;
        if self.misses >= MISSES_TOLERATED {
            self.leave_list();
        }
        self.no_news(now);
    }

    fn failed(&mut self, now: Millis, error: Error) {
        // 410 is for ever.
        if error.code == Code::NotFound && error.status != Some(410) && self.tolerates_unknown(now, &error) {
            self.no_news(now);
            return;
        }
        if self.failures == 0 {
            self.failing_since = now;
        }
        self.failures += 1;
        let (most, longest) = FAILURES_TOLERATED;
        if !error.retryable || (self.failures >= most && now - self.failing_since >= longest) {
            let is_refused =
                error.is_callers() || matches!(error.code, Code::Unauthorized | Code::Forbidden | Code::Quota);
            if self.asked.route == Route::List && !is_refused {
                // The task's own address may work all the same.
                self.leave_list();
                self.no_news(now);
            } else {
                self.outcome = Some(Err(error.with_handle(&self.handle)));
            }
            return;
        }
        self.seen.growth = None;
        self.not_before = now + error.retry_after_ms.unwrap_or(0);
        self.next_at = self.not_before.max(now + self.backoff());
    }

    /// A gateway without the list route, or whose list does not have the task: it is read singly from now on.
    fn leave_list(&mut self) {
        self.route = Route::Single;
        self.may_list = false;
    }

    fn tolerates_unknown(&mut self, now: Millis, error: &Error) -> bool {
        let empty = error.status.is_some_and(|status| status < 300) && error.service_code.is_none();
        if empty {
            self.empties += 1;
            return self.empties <= EMPTY_TOLERATED;
        }
        let first = *self.unknown_since.get_or_insert(now);
        let is_fresh = (UNKNOWN_TOLERATED_MS..FRESH_MS).contains(&(first - self.handle.submitted_at));
        // The submitter's clock may be ahead.
        let from = if is_fresh { first } else { self.handle.submitted_at.min(first) };
        (0..UNKNOWN_TOLERATED_MS).contains(&(now - from))
    }

    /// Full jitter: anywhere from nothing to 1 s · 2^n, at most 30 s.
    fn backoff(&mut self) -> Millis {
        let ceiling = (1_000_i64 << self.failures.min(6).saturating_sub(1)).min(LONGEST_BACKOFF_MS);
        self.jitter ^= self.jitter << 13;
        self.jitter ^= self.jitter >> 17;
        self.jitter ^= self.jitter << 5;
        i64::from(self.jitter) % (ceiling + 1)
    }
}
