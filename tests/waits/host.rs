//! A wait in steps that a host drives.

use comet_tasks::core::belief::Belief;
use comet_tasks::core::error::{Code, Error};
use comet_tasks::core::http::Reply;
use comet_tasks::core::json::{self, Value, Writer};
use comet_tasks::core::poller::{PollOptions, Poller, Route, Step, Turn};
use comet_tasks::core::reading;
use comet_tasks::core::task::{Kind, Millis, Task, TaskHandle, TaskId};

use super::SUBMITTED;

pub(crate) const HOUR_MS: Millis = 3_600_000;

pub(crate) fn handle(kind: Kind) -> TaskHandle {
    TaskHandle::new(kind, TaskId::new("1773314942177684").expect("a sound id"), SUBMITTED)
}

pub(crate) fn options() -> PollOptions {
    PollOptions { throw_on_failure: false, ..PollOptions::default() }
}

/// A host's wait: what it keeps between two steps is the state's text.
pub(crate) struct Host {
    pub(crate) handle: TaskHandle,
    pub(crate) options: PollOptions,
    pub(crate) is_bare: bool,
    pub(crate) state: Option<String>,
    pub(crate) now: Millis,
}

impl Host {
    pub(crate) fn new(kind: Kind, options: PollOptions, now: Millis) -> Self {
        Host { handle: handle(kind), options, is_bare: false, state: None, now }
    }

    pub(crate) fn poller(&self) -> Poller {
        let belief = Belief::shipped(self.handle.family, self.handle.kind);
        // Another seed each time: another process.
        let mut poller = Poller::new(self.handle.clone(), self.options, belief, self.now, 1 + self.now as u32);
        if self.is_bare {
            poller.age_is_unknown();
        }
        if let Some(state) = &self.state {
            poller.resume(&json::parse(state).unwrap_or(Value::Null), self.now);
        }
        poller
    }

    /// One step. The answer is asked for when a request is made.
    pub(crate) fn step(&mut self, answer: impl FnOnce(Route) -> Reply) -> (Turn, Option<Task>) {
        let mut poller = self.poller();
        let mut read = None;
        if let Step::Fetch(route) = poller.step(self.now) {
            let reply = answer(route);
            let task = read_reply(&poller, route, &reply, self.now);
            read = task.as_ref().ok().cloned().flatten();
            poller.handle_reply(self.now, task);
        }
        let mut json = Writer::default();
        poller.write_state(&mut json);
        self.state = Some(json.finish());
        (poller.turn(self.now, read.as_ref()), read)
    }

    pub(crate) fn see(&mut self, status: &str, more: &str) -> Turn {
        self.step(|_| row(status, more)).0
    }

    pub(crate) fn fail(&mut self, status: u16) -> Turn {
        self.step(|_| Reply { status, body: "{}".into(), ..Reply::default() }).0
    }
}

pub(crate) fn read_reply(poller: &Poller, route: Route, reply: &Reply, now: Millis) -> Result<Option<Task>, Error> {
    match route {
        Route::Single => reading::read(poller.handle(), reply, "https://h.test", now).map(Some),
        Route::List => reading::read_listed(poller.handle(), reply, "https://h.test", now),
    }
}

pub(crate) fn row(status: &str, more: &str) -> Reply {
    let comma = if more.is_empty() { "" } else { "," };
    let body = format!(r#"[{{"id":"1773314942177684","status":"{status}"{comma}{more}}}]"#);
    Reply { status: 200, body, ..Reply::default() }
}

pub(crate) fn later(turn: &Turn) -> Millis {
    match turn {
        Turn::Later(ms) => *ms,
        turn => panic!("over: {turn:?}"),
    }
}

pub(crate) fn failed(turn: Turn) -> (Code, bool) {
    match turn {
        Turn::Failed(error) => (error.code, error.handle.is_some()),
        turn => panic!("not failed: {turn:?}"),
    }
}
