//! The wait for one task, as a state machine without clock or network: [`Poller::step`] says what to do next,
//! [`Poller::handle_reply`] takes what came of it. protocol.md 3.

use std::rc::Rc;

use super::belief::{self, Belief, Growth};
use super::error::{Code, Error};
use super::reading;
use super::task::{Family, Kind, Makes, Millis, Progress, Status, Task, TaskHandle};

mod options;
mod replies;
mod state;

pub use super::reading::Route;
pub use options::{DEFAULT_STALENESS_BUDGET, PICTURE_TIMEOUT_MS, PollOptions, Timeout, VIDEO_TIMEOUT_MS};
pub use state::Turn;

/// After a reply that says nothing of the task.
const NO_NEWS_PAUSE_MS: Millis = 2_000;
/// A wait in company is late by no more than this.
const COMPANY_PATIENCE_MS: Millis = 2_000;
/// Where between the last reading and the one that shows it a step of progress is taken to have been reached. The middle
/// would be unbiased; later asks less. `tests/schedule.rs` has what it comes to.
const STEP_SEEN: f64 = 0.85;
/// The request made at a wait's deadline is given this long.
pub const LAST_READ_MS: Millis = 5_000;
const OVER: &str = "timeoutMs is over; the task goes on";

/// What the wait wants next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// One request; its outcome goes to [`Poller::handle_reply`].
    Fetch(Route),
    /// Nothing for so many milliseconds.
    Sleep(Millis),
    /// The wait is over.
    Done(Result<Task, Error>),
}

/// The last request.
#[derive(Clone, Copy, Debug)]
struct Asked {
    at: Millis,
    route: Route,
}

/// What the schedule goes by since the last reading.
#[derive(Clone, Copy, Debug)]
struct Seen {
    at: Millis,
    age_s: f64,
    /// The next request is the schedule's, and may come earlier in company. None: it is a pause that was asked for.
    growth: Option<Growth>,
}

/// Of the last reading what the next is compared with. The reading itself may be kept elsewhere.
#[derive(Clone, Copy, Debug)]
struct Last {
    status: Status,
    progress: Option<Progress>,
    makes: Makes,
}

/// One wait. There may be ten thousand, so it is kept small.
#[derive(Clone, Debug)]
pub struct Poller {
    handle: TaskHandle,
    options: Rc<PollOptions>,
    belief: Belief,
    last_gap_s: f64,
    age_is_known: bool,
    started_at: Millis,
    next_at: Millis,
    /// The service asked for no request before that.
    not_before: Millis,
    requests: u32,
    route: Route,
    asked: Asked,
    seen: Seen,
    last: Option<Last>,
    reading: Option<Task>,
    /// Ok: the last reading is the result.
    outcome: Option<Result<(), Error>>,
    failures: u32,
    failing_since: Millis,
    empties: u32,
    unknown_since: Option<Millis>,
    misses: u32,
    settling: usize,
    modal_since: Option<Millis>,
    may_list: bool,
    step: Option<(Progress, f64)>,
    /// Whatever chance decides next.
    pub(super) jitter: u32,
}

impl Poller {
    /// A wait that starts now. `seed` is for jitter alone.
    pub fn new(
        handle: TaskHandle,
        options: impl Into<Rc<PollOptions>>,
        belief: Belief,
        now: Millis,
        seed: u32,
    ) -> Self {
        let mut poller = Poller {
            handle,
            options: options.into(),
            belief,
            last_gap_s: 0.0,
            age_is_known: true,
            started_at: now,
            next_at: now,
            not_before: 0,
            requests: 0,
            route: Route::Single,
            asked: Asked { at: now, route: Route::Single },
            seen: Seen { at: now, age_s: 0.0, growth: None },
            last: None,
            reading: None,
            outcome: None,
            failures: 0,
            failing_since: 0,
            empties: 0,
            unknown_since: None,
            misses: 0,
            settling: 0,
            modal_since: None,
            may_list: true,
            step: None,
            jitter: seed | 1,
        };
        let first = poller.options.interval_ms.unwrap_or_else(|| {
            let gap = belief.gap(0.0, poller.options.staleness_budget, 0.0).min(belief::FIRST_S);
            (gap * 1000.0) as Millis
        });
        // Counted from the submit. Of a task that is older, or comes from a clock that is ahead, nobody knows whether it
        // has ended: it is asked for at once.
        if poller.handle.submitted_at <= now {
            poller.next_at = now.max(poller.handle.submitted_at.saturating_add(first));
        }
        let age_s = belief::age_s(poller.handle.submitted_at, now);
        let gap_s = (poller.next_at - now) as f64 / 1000.0;
        let is_paced = poller.options.interval_ms.is_none() && gap_s > 0.0;
        let growth = is_paced.then(|| belief.growth(age_s, gap_s, poller.options.staleness_budget, 0.0));
        poller.seen = Seen { at: now, age_s, growth };
        poller
    }

    /// The call began earlier than the wait, and its time limit counts from there.
    pub fn count_from(&mut self, started_at: Millis) {
        self.started_at = started_at;
    }

    /// The clock has leapt by so much: the time limit is as far away as it was.
    pub fn extend(&mut self, ms: Millis) {
        self.started_at += ms;
    }

    /// Nobody knows how old the task is: it is asked for at once, and the service's own time of submission counts.
    pub fn age_is_unknown(&mut self) {
        self.age_is_known = false;
        self.next_at = self.started_at;
    }

    /// The task waited for.
    pub fn handle(&self) -> &TaskHandle {
        &self.handle
    }

    /// The last good reading, unless it was set aside.
    pub fn last(&self) -> Option<&Task> {
        self.reading.as_ref()
    }

    /// Forgets the last reading, which whoever drives the wait keeps in less memory.
    pub fn set_aside(&mut self) {
        self.reading = None;
    }

    /// Gives back what was set aside.
    pub fn restore(&mut self, task: Task) {
        self.reading = Some(task);
    }

    /// When the wait ends whatever happens; None when it has no end of its own.
    pub fn deadline(&self) -> Option<Millis> {
        let video = self.last.is_some_and(|last| last.makes == Makes::Video);
        Poller::deadline_of(if video { Kind::Video } else { self.handle.kind }, &self.options, self.started_at)
    }

    /// The deadline of a wait for a task of this kind that no reading is known of.
    pub fn deadline_of(kind: Kind, options: &PollOptions, started_at: Millis) -> Option<Millis> {
        let timeout = match options.timeout {
            Some(Timeout::Never) => return None,
            Some(Timeout::After(ms)) => ms,
            None if matches!(kind, Kind::Video | Kind::Veo | Kind::Remix) => VIDEO_TIMEOUT_MS,
            None => PICTURE_TIMEOUT_MS,
        };
        Some(started_at.saturating_add(timeout))
    }

    /// What to do at this time.
    pub fn step(&mut self, now: Millis) -> Step {
        match self.due() {
            Some(due) if now < due => Step::Sleep(due - now),
            None if let Some(outcome) = self.outcome() => Step::Done(outcome),
            _ => {
                self.asked(now, self.route);
                Step::Fetch(self.route)
            }
        }
    }

    /// When the next request is due; None when the wait is over.
    pub fn due(&mut self) -> Option<Millis> {
        if self.outcome.is_none() && self.options.max_requests.is_some_and(|most| self.requests >= most) {
            self.outcome = Some(Err(self.error(Code::RequestBudget, "maxRequests is used up; the task goes on")));
        }
        if self.outcome.is_some() {
            return None;
        }
        // The last request is made at the deadline itself.
        Some(self.deadline().map_or(self.next_at, |deadline| self.next_at.min(deadline)))
    }

    /// When it is due although others go with it: a little later, because the next batch is never far.
    pub fn due_in_company(&mut self) -> Option<Millis> {
        let patience = if self.seen.growth.is_some() { COMPANY_PATIENCE_MS } else { 0 };
        let due = self.due()?.max(self.next_at.saturating_add(patience));
        Some(self.deadline().map_or(due, |deadline| due.min(deadline)))
    }

    /// A request for the task has left.
    pub fn asked(&mut self, now: Millis, route: Route) {
        self.requests += 1;
        self.asked = Asked { at: now, route };
    }

    /// The route of the last request.
    pub fn asked_by(&self) -> Route {
        self.asked.route
    }

    /// When a request that is under way is given up, because the wait ends then.
    pub fn gives_up_at(&self) -> Option<Millis> {
        let deadline = self.deadline()?;
        Some(if self.asked.at >= deadline { self.asked.at + LAST_READ_MS } else { deadline })
    }

    /// Whether it has ended.
    pub fn is_over(&self) -> bool {
        self.outcome.is_some()
    }

    /// How the wait ended, once it has.
    pub fn outcome(&self) -> Option<Result<Task, Error>> {
        let mut error = match (self.outcome.clone()?, self.last()) {
            (Ok(()), Some(task)) => return Some(Ok(task.clone())),
            // A modal that was seen earlier, at the deadline: what was read then is gone.
            (Ok(()), None) => self.error(Code::Deadline, OVER),
            (Err(error), _) => error,
        };
        error.task = self.reading.clone();
        Some(Err(error))
    }

    /// Whether the list route may be asked for it.
    pub fn may_list(&self) -> bool {
        self.may_list && self.handle.family == Family::Midjourney
    }

    /// The route that this wait asks by when it asks alone.
    pub fn route(&self) -> Route {
        self.route
    }

    /// The budget of [`PollOptions`].
    pub fn staleness_budget(&self) -> f64 {
        self.options.staleness_budget
    }

    /// The needless wait that is to be expected at this time, in seconds; None when the next request is not the schedule's
    /// to move. A wait with an interval is worth no request before its time, and goes along with one once half of the
    /// pause is over: so all that have it come together, whenever they began.
    pub fn waste(&self, at: Millis) -> Option<f64> {
        if self.options.interval_ms.is_some() {
            return (at >= self.not_before && at - self.asked.at >= self.next_at - at).then_some(0.0);
        }
        let growth = self.seen.growth?;
        Some(growth.waste((at - self.seen.at) as f64 / 1000.0))
    }

    /// Asks as soon as may be: the page was hidden, or offline, and nobody knows what happened meanwhile. What it failed at
    /// may work again; it waits for no company.
    pub fn hurry(&mut self, now: Millis) {
        let may_come = self.options.interval_ms.is_none() && (self.seen.growth.is_some() || self.failures > 0);
        if may_come {
            let soonest = (self.asked.at + (belief::GAP_S.0 * 1000.0) as Millis).max(self.not_before);
            self.next_at = self.next_at.min(now.max(soonest));
            self.seen.growth = None;
        }
    }

    /// Until the next request of a task that was unfinished just now.
    fn pause(&mut self, now: Millis, progress: Option<Progress>) -> Millis {
        if let Some(interval_ms) = self.options.interval_ms {
            return interval_ms;
        }
        let age = belief::age_s(self.handle.submitted_at, now);
        // Progress comes in steps: what a step foretells counts from when it was reached, between the last two readings,
        // and not from each time that it is read again.
        if let Some(progress) = progress.filter(|progress| self.step.is_none_or(|(known, _)| known != *progress)) {
            self.step = Some((progress, self.seen.age_s + (age - self.seen.age_s) * STEP_SEEN));
        }
        let (progress, since) = self.step.map_or((None, age), |(progress, since)| (Some(progress), since));
        let belief = self.belief.unless_overdue(self.belief.with_progress(progress, since), age);
        let budget = self.options.staleness_budget;
        let gap = belief.gap(age, budget, self.last_gap_s);
        self.seen = Seen { at: now, age_s: age, growth: Some(belief.growth(age, gap, budget, self.last_gap_s)) };
        self.last_gap_s = gap;
        (self.last_gap_s * 1000.0) as Millis
    }

    /// After a reply that says nothing of the task.
    fn no_news(&mut self, now: Millis) {
        self.seen.growth = None;
        self.next_at = now + self.options.interval_ms.unwrap_or(NO_NEWS_PAUSE_MS);
    }

    /// What is known by now of how long such tasks take.
    pub fn believe(&mut self, belief: Belief) {
        self.belief = belief;
    }

    /// An error of the wait itself: polling on is always safe.
    fn error(&self, code: Code, message: &str) -> Error {
        let mut error = Error::new(code, reading::operation(&self.handle), message);
        error.retryable = true;
        error.with_handle(&self.handle)
    }
}
