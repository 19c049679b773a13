//! A wait that the host drives, between two of its steps: plain JSON of some 250 bytes, with no URL and no key in it.
//!
//! `{"v":1,"deadline":1773316142177,"n":[…]}`. Who cannot read `n`, whose order is [`Poller::visit`]'s, can read `deadline`
//! in every version: a wait's time does not grow by an update of this package, nor by a state that was damaged.

use std::rc::Rc;

use super::{Last, PollOptions, Poller, Route, Timeout};
use crate::core::error::Error;
use crate::core::json::{Value, Writer};
use crate::core::task::{Makes, Millis, Progress, Status, Task};
use crate::core::time::LONGEST_RETRY_AFTER_MS;

/// Whoever changes [`Poller::visit`] changes this.
const VERSION: i64 = 1;
/// How many it visits.
const NUMBERS: usize = 21;
/// Stands for what there is not.
const NONE: i64 = -1;
/// The largest number that JavaScript holds exactly.
const MOST: i64 = 1 << 53;
const NANOS: f64 = 1e9;

const STATUSES: [Status; 6] =
    [Status::Queued, Status::Running, Status::ActionRequired, Status::Succeeded, Status::Failed, Status::Canceled];

/// What a step has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The task has settled.
    Done(Task),
    /// The next step is due in so many milliseconds.
    Later(Millis),
    /// The wait is over without that.
    Failed(Error),
}

impl Poller {
    /// Goes on from the state of an earlier step; `self` is a new wait for the same task. A state that cannot be read leaves
    /// it a new one, with the deadline if that can be read.
    pub fn resume(&mut self, state: &Value, now: Millis) {
        let deadline = state.get("deadline");
        let mut numbers = Vec::new();
        for item in state.get("n").items() {
            if let Some(number) = number(item) {
                numbers.push(number);
            }
        }
        let mut has_default_time = false;
        if state.get("v").integer() == Some(VERSION) && numbers.len() == NUMBERS {
            has_default_time = self.visit(&mut Ledger::Read(numbers, 0));
            // The clock that wrote it may have been ahead.
            let longest = self.options.interval_ms.unwrap_or(0).max(LONGEST_RETRY_AFTER_MS);
            self.next_at = self.next_at.min(now.saturating_add(longest));
            // A host decides itself how long it stands failures that pass.
            self.failing_since = Millis::MAX;
        }
        let is_endless = || state.members().iter().any(|(key, value)| key == "deadline" && value.is_null());
        if has_default_time {
            self.set_timeout(None);
        }
        match number(deadline) {
            // Numbers that say another deadline were damaged.
            Some(at) if at >= 0 && !(has_default_time && self.deadline() == Some(at)) => {
                self.started_at = self.started_at.min(at);
                self.set_timeout(Some(Timeout::After(at - self.started_at)));
            }
            None if !has_default_time && is_endless() => self.set_timeout(Some(Timeout::Never)),
            _ => {}
        }
    }

    fn set_timeout(&mut self, timeout: Option<Timeout>) {
        self.options = Rc::new(PollOptions { timeout, ..*self.options });
    }

    /// The state after a step.
    pub fn write_state(&mut self, json: &mut Writer) {
        let mut ledger = Ledger::Write(Vec::new());
        self.visit(&mut ledger);
        let Ledger::Write(numbers) = ledger else { return };
        json.object(|json| {
            json.key("v").integer(VERSION);
            json.key("deadline").integer_or_null(self.deadline());
            json.key("n").list(|list| numbers.iter().for_each(|number| list.integer(*number)));
        });
    }

    /// Where the wait stands after a step, in which this reading came, if one did.
    pub fn turn(&mut self, now: Millis, read: Option<&Task>) -> Turn {
        if let Some(due) = self.due() {
            return Turn::Later((due - now).max(0));
        }
        match self.outcome() {
            Some(Ok(task)) => Turn::Done(task),
            Some(Err(mut error)) => {
                error.task = read.cloned();
                Turn::Failed(error)
            }
            None => Turn::Later(0),
        }
    }

    /// All that the next step needs, and that neither the handle nor the options say. Returns whether the time of the wait is
    /// the default one.
    fn visit(&mut self, ledger: &mut Ledger) -> bool {
        ledger.number(&mut self.started_at);
        ledger.number(&mut self.handle.submitted_at);
        ledger.number(&mut self.next_at);
        ledger.count(&mut self.requests);
        ledger.seconds(&mut self.last_gap_s);
        let mut jitter = i64::from(self.jitter);
        ledger.number(&mut jitter);
        self.jitter = jitter.clamp(1, u32::MAX.into()) as u32;
        ledger.count(&mut self.failures);
        ledger.count(&mut self.empties);
        ledger.count(&mut self.misses);
        ledger.option(&mut self.unknown_since);
        ledger.option(&mut self.modal_since);
        ledger.flag(&mut self.may_list);
        let mut settling = self.settling as u32;
        ledger.count(&mut settling);
        self.settling = settling as usize;
        let mut lists = self.route == Route::List;
        ledger.flag(&mut lists);
        self.route = if lists { Route::List } else { Route::Single };
        self.visit_pace(ledger);
        self.visit_last(ledger);
        let mut has_default_time = self.options.timeout.is_none();
        ledger.flag(&mut has_default_time);
        has_default_time
    }

    fn visit_pace(&mut self, ledger: &mut Ledger) {
        ledger.seconds(&mut self.seen.age_s);
        let (mut step, mut since_s) = self.step.map_or((None, 0.0), |(progress, since_s)| (Some(progress.0), since_s));
        ledger.option(&mut step);
        ledger.seconds(&mut since_s);
        self.step = step.map(|step| (Progress(step), since_s));
    }

    /// Of the last reading what the next is compared with.
    fn visit_last(&mut self, ledger: &mut Ledger) {
        let mut status =
            self.last.and_then(|last| STATUSES.iter().position(|known| *known == last.status)).map(|at| at as i64);
        let mut progress = self.last.and_then(|last| last.progress).map(|progress| progress.0);
        let mut is_video = self.last.is_some_and(|last| last.makes == Makes::Video);
        ledger.option(&mut status);
        ledger.option(&mut progress);
        ledger.flag(&mut is_video);
        let status = status.and_then(|at| STATUSES.get(at as usize));
        self.last = status.map(|&status| Last {
            status,
            progress: progress.map(Progress),
            makes: if is_video { Makes::Video } else { Makes::Picture },
        });
    }
}

/// Goes over a wait's numbers in one order, to write them or to read them.
enum Ledger {
    Write(Vec<i64>),
    Read(Vec<i64>, usize),
}

impl Ledger {
    fn number(&mut self, number: &mut i64) {
        match self {
            Ledger::Write(numbers) => numbers.push((*number).clamp(NONE, MOST)),
            Ledger::Read(numbers, at) => {
                *number = numbers.get(*at).copied().unwrap_or(NONE);
                *at += 1;
            }
        }
    }

    fn count(&mut self, count: &mut u32) {
        let mut number = i64::from(*count);
        self.number(&mut number);
        *count = number.clamp(0, i32::MAX.into()) as u32;
    }

    fn flag(&mut self, flag: &mut bool) {
        let mut number = i64::from(*flag);
        self.number(&mut number);
        *flag = number == 1;
    }

    fn option(&mut self, option: &mut Option<i64>) {
        let mut number = option.unwrap_or(NONE);
        self.number(&mut number);
        *option = Some(number).filter(|number| *number != NONE);
    }

    fn seconds(&mut self, seconds: &mut f64) {
        let mut nanos = (*seconds * NANOS + 0.5) as i64;
        self.number(&mut nanos);
        *seconds = nanos.max(0) as f64 / NANOS;
    }
}

/// A whole number that is one in JavaScript too.
fn number(value: &Value) -> Option<i64> {
    match value {
        Value::Number(_) => value.integer().filter(|number| (NONE..=MOST).contains(number)),
        _ => None,
    }
}
