//! What a call is given: its task's handle, and its options by their public names.

use super::{CallerId, Engine, Limit};
use crate::core::error::{Code, Error};
use crate::core::fields::Fields;
use crate::core::handle::TaskHandle;
use crate::core::json::{self, Value, Writer};
use crate::core::poller::{DEFAULT_STALENESS_BUDGET, PollOptions, Poller, Timeout};
use crate::core::submit::Speed;
use crate::core::task::{Kind, Millis};
use crate::core::{submit, text};
use std::rc::Rc;

/// How a call or a wait begins.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    /// The caller's name for it, and for the wait that it may end in.
    pub caller: CallerId,
    /// Its wait shares nothing with others: it has headers or a time limit of its own, or the host forbids it.
    pub is_alone: bool,
    /// It wants to hear of readings that are news.
    pub listens: bool,
}

impl Start {
    pub(super) fn parse<'a>(&self, operation: &'static str, json: &'a str) -> Result<Value<'a>, Error> {
        json::parse(json).map_err(|_| Error::new(Code::Validation, operation, "not JSON"))
    }

    pub(super) fn options<'a>(&self, operation: &'static str, object: &'a Value<'a>) -> Result<Options<'a>, Error> {
        let mut fields = Fields::new(operation, object);
        let word = fields.text("speed");
        let speed = word.and_then(Speed::new);
        if speed.is_none() && word.is_some() {
            fields.wrong("speed", "must be \"relax\", \"fast\" or \"turbo\"");
        }
        let request_timeout = limit(&fields, "requestTimeoutMs", 1, "must be milliseconds, 1 or more, or null");
        fields.check()?;
        Ok(Options { request_timeout, speed, fields })
    }
}

/// A call's plain options.
pub(super) struct Options<'a> {
    fields: Fields<'a>,
    /// None: the default of the request's kind.
    pub(super) request_timeout: Option<Limit>,
    /// For submits.
    pub(super) speed: Option<Speed>,
}

impl Options<'_> {
    /// Those of a wait.
    pub(super) fn poll(&mut self) -> Result<PollOptions, Error> {
        let options = &self.fields;
        let budget = thousandths(options, "stalenessBudget", 1, "must be seconds, 0.001 or more");
        let positive = |name| thousandths(options, name, 1000, "must be 1 or more").map(|count| count / 1000);
        let poll = PollOptions {
            staleness_budget: budget.map_or(DEFAULT_STALENESS_BUDGET, |thousandths| thousandths as f64 / 1000.0),
            timeout: limit(options, "timeoutMs", 0, "must be milliseconds, 0 or more, or null")
                .map(|ms| ms.map_or(Timeout::Never, Timeout::After)),
            interval_ms: positive("intervalMs"),
            max_requests: positive("maxRequests").map(|count| count.min(u32::MAX.into()) as u32),
            after_modal: options.flag("afterModal"),
            throw_on_failure: options.flag("throwOnFailure").unwrap_or(true) && options.operation != "pollOnce",
        };
        self.fields.check()?;
        Ok(poll)
    }
}

impl<V: Clone + Default + for<'a> From<&'a str>> Engine<V> {
    /// A wait for the task that the argument names, by what this client believes of its kind.
    pub(super) fn read_wait(
        &mut self,
        caller: CallerId,
        argument: &Value<'_>,
        options: &mut Options<'_>,
    ) -> Result<Box<Poller>, Error> {
        let handle = self.read_task_handle(caller, argument, options.fields.operation)?;
        let waiting = options.poll().map_err(|error| error.with_handle(&handle))?;
        let mut poller = self.poller(handle, waiting);
        if argument.text().is_some() {
            poller.age_is_unknown();
        }
        Ok(poller)
    }

    /// A wait for the task.
    pub(super) fn poller(&mut self, handle: TaskHandle, options: PollOptions) -> Box<Poller> {
        let belief = self.beliefs.of(handle.family, handle.kind, handle.model.as_deref());
        if *self.poll_options != options {
            self.poll_options = Rc::new(options);
        }
        Box::new(Poller::new(handle, self.poll_options.clone(), belief, self.clock.now, self.dice()))
    }

    /// The handle of a call's task. Who gave only its id is told what it is.
    pub(super) fn read_task_handle(
        &mut self,
        caller: CallerId,
        argument: &Value<'_>,
        operation: &'static str,
    ) -> Result<TaskHandle, Error> {
        let handle = self.read_handle(argument, "handle", operation)?;
        if argument.text().is_some() {
            self.tell_handle(caller, "begun", &handle);
        }
        Ok(handle)
    }

    /// `name` is the argument's in errors.
    fn read_handle(&self, value: &Value<'_>, name: &str, operation: &'static str) -> Result<TaskHandle, Error> {
        TaskHandle::read(value, self.clock.now).map_err(|(field, rule)| {
            let mut got = Writer::default();
            got.value(value);
            let name = text::concat(&[name, field.strip_prefix("handle").unwrap_or(field)]);
            Error::argument(operation, &name, rule, &got.finish())
        })
    }

    pub(super) fn read_handles(&self, argument: &Value<'_>) -> Result<Vec<TaskHandle>, Error> {
        if !matches!(argument, Value::List(_)) {
            return Err(Error::argument("fetchTasks", "handles", "must be a list of tasks' handles or ids", "no list"));
        }
        let mut handles = Vec::new();
        for (at, value) in argument.items().iter().enumerate() {
            let name = text::concat(&["handles[", &text::digits(at as i64), "]"]);
            handles.push(self.read_handle(value, &name, "fetchTasks")?);
        }
        Ok(handles)
    }
}

/// The name that errors and events have for a call.
pub(super) fn operation_of(name: &str) -> &'static str {
    match Kind::new(name.strip_prefix("run.").unwrap_or(name)) {
        Some(kind) => submit::operation(kind),
        None => match name {
            "poll" => "poll",
            "seed" => "midjourney.seed",
            "upload" => "midjourney.upload",
            "content" => "videos.content",
            "webhook" => "webhook",
            "fetch" => "fetchTask",
            "fetchTasks" => "fetchTasks",
            "pollOnce" => "pollOnce",
            _ => "run",
        },
    }
}

/// False stands for "no limit".
fn limit(options: &Fields, name: &str, least: i64, rule: &'static str) -> Option<Limit> {
    match options.get(name) {
        Value::Bool(false) => Some(None),
        _ => thousandths(options, name, 1000 * least, rule).map(|ms| Some(ms / 1000)),
    }
}

/// A number times 1000. No JavaScript number that is a whole one for sure is larger than 9e15.
fn thousandths(options: &Fields, name: &str, least: i64, rule: &'static str) -> Option<Millis> {
    let number = match options.get(name) {
        Value::Null => return None,
        Value::Number(digits) => json::scaled(digits, 3).map(|(number, _)| number),
        _ => None,
    };
    let sound = number.filter(|number| (least..=9_000_000_000_000_000_000).contains(number));
    if sound.is_none() {
        options.wrong(name, rule);
    }
    sound
}
