//! The calls that are no waits: how they begin, what they are told, how they end before their time.

use super::options::{Start, operation_of};
use super::reads::{Readings, Single};
use super::submits::Submit;
use super::{AskId, CallerId, Done, Engine, Limit};
use crate::core::classify::{Judge, Purpose};
use crate::core::error::{Code, Error};
use crate::core::handle::TaskHandle;
use crate::core::http::Reply;
use crate::core::poller::{Poller, Route};
use crate::core::task::{Kind, Millis, Task};
use crate::core::webhook;

/// A call under way.
#[derive(Debug)]
pub(super) struct Call<V> {
    pub(super) start: Start,
    pub(super) operation: &'static str,
    pub(super) limit: Option<Limit>,
    pub(super) work: Work<V>,
}

/// What it does.
#[derive(Debug)]
pub(super) enum Work<V> {
    Submit(Submit),
    /// A run whose handle its caller has, and may be storing.
    Held(Box<Poller>, Option<(Task, V)>),
    /// One request that creates no task: a reading, a seed, an upload, a video's content.
    Single(Single, Option<TaskHandle>),
    Many(Readings<V>),
    /// One step of a wait that the host drives.
    Step(Box<Poller>, Route),
}

/// What a call comes to: None when it goes on.
pub(super) type Outcome<V> = Result<Option<Box<Done<V>>>, Error>;

impl<V> Call<V> {
    pub(super) fn id(&self) -> CallerId {
        self.start.caller
    }

    pub(super) fn limit(&self, default_ms: Millis) -> Limit {
        self.limit.unwrap_or(Some(default_ms))
    }
}

impl<V: Clone + Default + for<'a> From<&'a str>> Engine<V> {
    /// A call begins. `argument` is JSON: the parameters of a submit, or a task's handle; so are `options`.
    pub fn call(&mut self, start: Start, name: &str, argument: &str, options: &str) {
        let operation = operation_of(name);
        let outcome = self.begin(start, name, operation, argument, options);
        self.end(start.caller, operation, outcome, V::default(), V::default());
    }

    pub(super) fn end(&mut self, caller: CallerId, operation: &'static str, outcome: Outcome<V>, cause: V, raw: V) {
        if let Some(outcome) = outcome.transpose() {
            self.conclude(caller, operation, outcome, cause, raw);
        }
    }

    fn begin(
        &mut self,
        start: Start,
        name: &str,
        operation: &'static str,
        argument: &str,
        options: &str,
    ) -> Outcome<V> {
        if name == "webhook" {
            // The body itself: within JSON a large one would be there thrice.
            let task = webhook::parse(argument, &self.settings.base_url, self.clock.now)?;
            return Ok(Some(Done::task(&task)));
        }
        let (argument, options) = (start.parse(operation, argument)?, start.parse(operation, options)?);
        let mut options = start.options(operation, &options)?;
        let (word, is_run) = name.strip_prefix("run.").map_or((name, false), |word| (word, true));
        if let Some(kind) = Kind::new(word) {
            return self.begin_submit(start, kind, is_run, &argument, &mut options);
        }
        if is_run {
            return Err(Error::argument(operation, "kind", "must be the kind of a submit", word));
        }
        let limit = options.request_timeout;
        match name {
            "fetchTasks" => self.begin_readings(start, &argument, limit),
            "pollOnce" => self.begin_step(start, &argument, &mut options),
            _ => self.begin_single(start, name, &argument, limit),
        }
    }

    pub(super) fn take_call(&mut self, id: CallerId) -> Option<Box<Call<V>>> {
        let place = self.calls.iter().rposition(|call| call.id() == id)?;
        Some(self.calls.swap_remove(place))
    }

    /// What came of a request of it, and its body or what was thrown.
    pub(super) fn call_came(&mut self, mut call: Box<Call<V>>, ask: AskId, outcome: Result<&Reply, Error>, value: V) {
        let (id, operation) = (call.id(), call.operation);
        let is_lost = outcome.is_err();
        let (cause, raw) = if is_lost { (value, V::default()) } else { (V::default(), value) };
        let outcome = match &mut call.work {
            Work::Submit(..) => self.submit_came(call, outcome, &raw),
            Work::Single(single, handle) => self.single_came(*single, handle.take(), outcome),
            Work::Many(..) => self.readings_came(call, ask, outcome, if is_lost { &cause } else { &raw }),
            Work::Step(poller, route) => self.step_came(call.start, poller, *route, outcome, &raw),
            Work::Held(..) => Ok(None),
        };
        self.end(id, operation, outcome, cause, raw);
    }

    /// Its sleep is over.
    pub(super) fn wake_call(&mut self, mut call: Box<Call<V>>) {
        match &mut call.work {
            Work::Submit(..) => {
                let (id, operation) = (call.id(), call.operation);
                let outcome = self.send_submit(call);
                self.end(id, operation, outcome, V::default(), V::default());
            }
            Work::Held(..) => self.enter_run(call),
            Work::Step(poller, _) => {
                self.abandon(call.start.caller, &|_| true);
                poller.expire();
                let outcome = self.end_step(poller, None);
                self.end(call.start.caller, call.operation, outcome, V::default(), V::default());
            }
            Work::Single(..) | Work::Many(..) => self.calls.push(call),
        }
    }

    /// The clock has leapt: time limits have as long as they had.
    pub(super) fn leap_calls(&mut self, ms: Millis) {
        for call in &mut self.calls {
            match &mut call.work {
                Work::Submit(submit) => {
                    submit.give_up.iter_mut().for_each(|end| *end += ms);
                    if let Some(run) = &mut submit.run {
                        run.started_at += ms;
                        run.deadline.iter_mut().for_each(|end| *end += ms);
                    }
                }
                Work::Held(poller, _) => poller.extend(ms),
                Work::Step(poller, _) => poller.extend(ms),
                Work::Single(..) | Work::Many(..) => {}
            }
        }
    }

    pub(super) fn leave_call(&mut self, call: &Call<V>, is_sent: bool) {
        let id = call.id();
        self.abandon(id, &|_| true);
        self.sleep(id, None);
        match &call.work {
            Work::Submit(submit) if is_sent => {
                let operation = submit.submission.request.operation;
                let reply = Reply::default();
                let judge = Judge { operation, purpose: Purpose::Submit, reply: &reply, now: 0 };
                let message = "aborted after the request had left: a task may exist";
                let error = judge.doubtful(Code::SubmitUnknown, message);
                self.conclude(id, call.operation, Err(error), V::default(), V::default());
            }
            Work::Single(_, handle) => self.conclude_aborted(id, call.operation, handle.as_ref()),
            Work::Held(poller, _) | Work::Step(poller, _) => {
                self.conclude_aborted(id, call.operation, Some(poller.handle()))
            }
            _ => self.conclude_aborted(id, call.operation, None),
        }
    }
}
