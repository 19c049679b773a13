//! A wait and its clock, for tests in virtual time.
#![allow(dead_code, reason = "each test file uses a part of it")]

pub(crate) mod host;

use comet_tasks::core::belief::Belief;
use comet_tasks::core::error::Error;
use comet_tasks::core::http::Reply;
use comet_tasks::core::poller::{PollOptions, Poller, Route, Step};
use comet_tasks::core::reading;
use comet_tasks::core::task::{Kind, Millis, Task, TaskHandle, TaskId};

pub(crate) const SUBMITTED: Millis = 1_773_314_942_177;
/// Long enough after the submit for an unknown id to be an error.
pub(crate) const START: Millis = SUBMITTED + 60_000;
pub(crate) const IMAGE: &str = r#""imageUrl":"https://a.test/1.png""#;

/// A fixed pause, so that the rules about all else show plainly. schedule.rs has the schedule's own.
pub(crate) const INTERVAL_MS: Millis = 2_000;

/// A wait and its clock.
pub(crate) struct Wait {
    pub(crate) poller: Poller,
    pub(crate) now: Millis,
}

impl Wait {
    pub(crate) fn new(kind: Kind, options: PollOptions, now: Millis) -> Self {
        let handle = TaskHandle::new(kind, TaskId::new("1773314942177684").unwrap(), SUBMITTED);
        let options = PollOptions { interval_ms: options.interval_ms.or(Some(INTERVAL_MS)), ..options };
        let belief = Belief::shipped(handle.family, kind);
        Wait { poller: Poller::new(handle, options, belief, now, 1), now }
    }

    pub(crate) fn plain() -> Self {
        Wait::new(Kind::Imagine, PollOptions::default(), START)
    }

    pub(crate) fn after_modal() -> Self {
        Wait::new(Kind::Modal, PollOptions::default(), START)
    }

    /// Sleeps until the next request is due.
    pub(crate) fn until_fetch(&mut self) -> Route {
        loop {
            match self.poller.step(self.now) {
                Step::Sleep(ms) => self.now += ms,
                Step::Fetch(route) => return route,
                Step::Done(outcome) => panic!("done: {outcome:?}"),
            }
        }
    }

    /// The next request, answered with this status and body. True when that is news.
    pub(crate) fn answer(&mut self, status: u16, body: &str) -> bool {
        self.answer_with(Reply { status, body: body.into(), ..Reply::default() })
    }

    pub(crate) fn answer_with(&mut self, reply: Reply) -> bool {
        let (route, handle) = (self.until_fetch(), self.poller.handle().clone());
        let read = match route {
            Route::Single => reading::read(&handle, &reply, "https://h.test", self.now).map(Some),
            Route::List => reading::read_listed(&handle, &reply, "https://h.test", self.now),
        };
        self.poller.handle_reply(self.now, read)
    }

    /// The next request, answered with a row of this status.
    pub(crate) fn see(&mut self, status: &str, more: &str) -> bool {
        let comma = if more.is_empty() { "" } else { "," };
        let row = format!(r#"{{"id":"1773314942177684","status":"{status}"{comma}{more}}}"#);
        let body = if self.next_route() == Route::List { format!("[{row}]") } else { row };
        self.answer(200, &body)
    }

    pub(crate) fn next_route(&self) -> Route {
        Wait { poller: self.poller.clone(), now: self.now }.until_fetch()
    }

    pub(crate) fn outcome(&mut self) -> Result<Task, Error> {
        match self.poller.step(self.now) {
            Step::Done(outcome) => outcome,
            step => panic!("not done: {step:?}"),
        }
    }

    pub(crate) fn error(&mut self) -> Error {
        self.outcome().expect_err("the wait fails")
    }

    pub(crate) fn is_done(&mut self) -> bool {
        let mut copy = self.poller.clone();
        matches!(copy.step(self.now), Step::Done(_))
    }
}
