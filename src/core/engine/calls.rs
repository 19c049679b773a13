//! The calls that are no waits: submits, runs until they wait, and readings.

use super::options::{Options, Start, operation_of};
use super::waits::Caller;
use super::{AskId, CallerId, Done, Engine, Limit, Stop, handle_json};
use crate::core::classify::{Judge, Purpose};
use crate::core::error::{Code, Error, Resend};
use crate::core::handle::TaskHandle;
use crate::core::http::{HttpRequest, READ_TIMEOUT_MS, Reply, SUBMIT_TIMEOUT_MS};
use crate::core::json::{self, Value, Writer};
use crate::core::many::{self, Many};
use crate::core::poller::{PollOptions, Poller, Route, Step, Turn};
use crate::core::submit::{self, Accepted, Submission};
use crate::core::task::{Kind, Millis, Status, Task};
use crate::core::time::earlier;
use crate::core::{midjourney, reading, webhook};

/// A submit that provably created nothing is sent again so many times at most.
const RESENDS: u32 = 3;
/// Requests of one `fetchTasks` that are in flight at once.
const MOST_IN_FLIGHT: usize = 6;

/// A call under way.
#[derive(Debug)]
pub(super) struct Call<V> {
    start: Start,
    operation: &'static str,
    limit: Option<Limit>,
    work: Work<V>,
}

/// What it does.
#[derive(Debug)]
enum Work<V> {
    Submit(Box<Submit>),
    /// A run whose handle its caller has, and may be storing.
    Held(Box<(Poller, Option<(Task, V)>)>),
    /// One request that creates no task: a reading, a seed, an upload, a video's content.
    Single(Single, Option<TaskHandle>),
    Many(Box<Readings<V>>),
    /// One step of a wait that the host drives.
    Step(Box<Poller>, Route),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Single {
    Fetch,
    Seed,
    Upload,
    Content,
}

/// A submit, and what its run is to be.
#[derive(Debug)]
struct Submit {
    submission: Submission,
    attempt: u32,
    limit: Limit,
    /// No repetition after that.
    give_up: Option<Millis>,
    /// The request's time is what `timeoutMs` leaves.
    is_cut: bool,
    run: Option<Run>,
}

#[derive(Debug)]
struct Run {
    options: PollOptions,
    started_at: Millis,
    deadline: Option<Millis>,
}

/// The readings of one call, and for each place the bytes it was read from, or what was thrown.
#[derive(Debug)]
struct Readings<V> {
    many: Many,
    raws: Vec<V>,
    asks: Vec<(AskId, many::Ask)>,
}

/// What a call comes to: None when it goes on.
type Outcome<V> = Result<Option<Done<V>>, Stop<V>>;

impl<V> Call<V> {
    fn id(&self) -> CallerId {
        self.start.caller
    }

    fn limit(&self, default_ms: Millis) -> Limit {
        self.limit.unwrap_or(Some(default_ms))
    }
}

impl<V: Clone + Default + for<'a> From<&'a str>> Engine<V> {
    /// A call begins. `argument` is JSON: the parameters of a submit, or a task's handle; so are `options`.
    pub fn call(&mut self, start: Start, name: &str, argument: &str, options: &str) {
        let operation = operation_of(name);
        let outcome = self.begin(start, name, operation, argument, options);
        self.end(start.caller, operation, outcome);
    }

    fn end(&mut self, caller: CallerId, operation: &'static str, outcome: Outcome<V>) {
        match outcome {
            Ok(None) => {}
            Ok(Some(done)) => self.conclude(caller, operation, Ok(done)),
            Err(stop) => self.conclude(caller, operation, Err(stop)),
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
        let (argument, options) = (start.parse(operation, argument)?, start.parse(operation, options)?);
        let options = start.options(operation, &options)?;
        let (word, is_run) = name.strip_prefix("run.").map_or((name, false), |word| (word, true));
        if let Some(kind) = Kind::new(word) {
            return self.begin_submit(start, kind, is_run, &argument, &options);
        }
        if is_run {
            return Err(Error::argument(operation, "kind", "must be the kind of a submit", word).into());
        }
        let limit = options.request_timeout;
        match name {
            "fetchTasks" => {
                let handles = self.read_handles(&argument)?;
                let raws = vec![V::default(); handles.len()];
                let many = Many::new(handles, *self.lists_work());
                let work = Work::Many(Box::new(Readings { many, raws, asks: Vec::new() }));
                self.read_more(Call { start, operation, limit, work })
            }
            "pollOnce" => self.begin_step(start, &argument, &options),
            "webhook" => {
                let task =
                    webhook::parse(argument.text().unwrap_or_default(), &self.settings.base_url, self.clock.now)?;
                Ok(Some(Done::task(&task, V::default())))
            }
            _ => self.begin_single(start, name, &argument, limit),
        }
    }

    pub(super) fn take_call(&mut self, id: CallerId) -> Option<Call<V>> {
        let place = self.calls.iter().rposition(|call| call.id() == id)?;
        Some(self.calls.swap_remove(place))
    }

    /// What came of a request of it.
    pub(super) fn call_came(&mut self, call: Call<V>, ask: AskId, outcome: Result<Reply, Error>, value: V) {
        let (id, operation) = (call.id(), call.operation);
        let outcome = match call.work {
            Work::Submit(..) => self.submit_came(call, outcome, value),
            Work::Single(single, handle) => self.single_came(single, handle, outcome, value),
            Work::Many(..) => self.readings_came(call, ask, outcome, value),
            Work::Step(poller, route) => self.step_came(call.start, *poller, route, outcome, value),
            Work::Held(..) => Ok(None),
        };
        self.end(id, operation, outcome);
    }

    /// Its sleep is over.
    pub(super) fn wake_call(&mut self, call: Call<V>) {
        match call.work {
            Work::Submit(..) => self.send_submit(call),
            Work::Held(..) => self.enter_run(call),
            Work::Step(mut poller, _) => {
                self.abandon(call.start.caller, &|_| true);
                poller.expire();
                let outcome = self.end_step(*poller, None, V::default());
                self.end(call.start.caller, call.operation, outcome);
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
                Work::Held(held) => held.0.extend(ms),
                Work::Step(poller, _) => poller.extend(ms),
                Work::Single(..) | Work::Many(..) => {}
            }
        }
    }

    pub(super) fn leave_call(&mut self, call: Call<V>, is_sent: bool) {
        let id = call.id();
        self.abandon(id, &|_| true);
        self.sleep(id, None);
        let stop = match call.work {
            Work::Submit(submit) if is_sent => {
                let request = &submit.submission.request;
                let reply = Reply::default();
                let judge = Judge { operation: request.operation, purpose: Purpose::Submit, reply: &reply, now: 0 };
                judge.doubtful(Code::SubmitUnknown, "aborted after the request had left: a task may exist").into()
            }
            _ => Stop::Aborted,
        };
        self.conclude(id, call.operation, Err(stop));
    }

    // Submits and runs.

    fn begin_submit(
        &mut self,
        start: Start,
        kind: Kind,
        is_run: bool,
        params: &Value,
        options: &Options,
    ) -> Outcome<V> {
        let mut run = None;
        if is_run {
            let options = options.poll()?;
            let deadline = Poller::deadline_of(kind, &options, self.clock.now);
            run = Some(Run { options, started_at: self.clock.now, deadline });
        }
        let submission = Submission::read(kind, params, self.settings.dialect, options.speed)?;
        let limit = options.request_timeout.unwrap_or(Some(SUBMIT_TIMEOUT_MS));
        let deadline = run.as_ref().and_then(|run| run.deadline);
        let give_up = earlier(limit.map(|ms| self.clock.now + ms), deadline);
        let submit = Submit { submission, attempt: 0, limit, give_up, is_cut: false, run };
        let work = Work::Submit(Box::new(submit));
        self.send_submit(Call { start, operation: submit::operation(kind), limit: options.request_timeout, work });
        Ok(None)
    }

    fn send_submit(&mut self, mut call: Call<V>) {
        let id = call.id();
        if let Work::Submit(submit) = &mut call.work {
            submit.attempt += 1;
            let deadline = submit.run.as_ref().and_then(|run| run.deadline);
            let left = deadline.map(|end| (end - self.clock.now).max(0));
            let cut = left.filter(|left| submit.limit.is_none_or(|limit| *left < limit));
            submit.is_cut = cut.is_some();
            let limit = cut.or(submit.limit);
            self.send(id, &submit.submission.request, Purpose::Submit, limit, (submit.attempt, 1), None);
        }
        self.calls.push(call);
    }

    fn submit_came(&mut self, mut call: Call<V>, outcome: Result<Reply, Error>, value: V) -> Outcome<V> {
        let Work::Submit(submit) = &mut call.work else { return Ok(None) };
        let request = &submit.submission.request;
        let reply = match outcome {
            Ok(reply) => reply,
            Err(error) if submit.is_cut && error.code == Code::Timeout => {
                return Err(Stop::Error(over(request, error.ambiguous), value, Vec::new()));
            }
            Err(error) => return Err(Stop::Error(error, value, Vec::new())),
        };
        let error = match submit.submission.judge(&reply, &self.settings.base_url, self.clock.now) {
            Ok(accepted) => return self.accepted(call, accepted, value),
            Err(error) => error,
        };
        let (attempt, give_up) = (submit.attempt, submit.give_up);
        let pause = backoff(attempt, (self.random)()).max(error.retry_after_ms.unwrap_or(0));
        let most = match error.resend {
            Resend::Never => 0,
            Resend::Once => 1,
            Resend::Backoff => RESENDS,
        };
        if attempt > most || give_up.is_some_and(|end| self.clock.now + pause > end) {
            return Err(error.into());
        }
        self.trace_retry(&error, None, pause);
        self.sleep(call.id(), Some(pause));
        self.calls.push(call);
        Ok(None)
    }

    /// A task is there. A run's caller has its handle before anything else, and says when to go on.
    fn accepted(&mut self, mut call: Call<V>, accepted: Accepted, raw: V) -> Outcome<V> {
        let Work::Submit(submit) = &mut call.work else { return Ok(None) };
        let id = call.start.caller;
        let Accepted { handle, task } = accepted;
        self.tell_handle(id, "begun", &handle);
        let Some(Run { options, started_at, deadline }) = submit.run.take() else {
            let status = task.map_or(Status::Queued, |task| task.status);
            return Ok(Some(Done { status, ..Done::plain(handle_json(&handle)) }));
        };
        self.tell_handle(id, "submitted", &handle);
        // What holds the handle's keeper up does not hold the wait up: it makes its last request, and ends.
        self.sleep(id, deadline.map(|end| (end - self.clock.now).max(0)));
        let mut poller = self.poller(handle, options);
        poller.count_from(started_at);
        call.work = Work::Held(Box::new((poller, task.map(|task| (task, raw)))));
        self.calls.push(call);
        Ok(None)
    }

    /// A run's caller has its handle safe: now it waits.
    pub fn proceed(&mut self, id: CallerId) {
        if let Some(call) = self.take_call(id) {
            self.enter_run(call);
        }
    }

    fn enter_run(&mut self, call: Call<V>) {
        let Work::Held(held) = call.work else { return self.calls.push(call) };
        let Start { caller: id, is_alone, listens } = call.start;
        self.sleep(id, None);
        self.tell(id, "waits", String::new(), Vec::new());
        let (poller, first) = *held;
        let caller = Caller { listens, operation: call.operation, submitted: true };
        self.enter(id, is_alone.then_some(call.limit), caller, poller, first);
    }

    // Calls of one request that creates no task.

    fn begin_single(&mut self, start: Start, name: &str, argument: &Value, limit: Option<Limit>) -> Outcome<V> {
        let operation = operation_of(name);
        let (single, request, default_ms, handle) = if name == "upload" {
            (Single::Upload, midjourney::upload(argument)?, SUBMIT_TIMEOUT_MS, None)
        } else {
            let handle = self.read_task_handle(start.caller, argument, operation)?;
            let (single, request, default_ms) = match name {
                "content" => (Single::Content, reading::content_request(&handle), READ_TIMEOUT_MS),
                "seed" => (Single::Seed, midjourney::seed(&handle), SUBMIT_TIMEOUT_MS),
                _ => (Single::Fetch, reading::request(&handle), READ_TIMEOUT_MS),
            };
            (single, request, default_ms, Some(handle))
        };
        let call = Call { start, operation, limit, work: Work::Single(single, handle) };
        let limit = call.limit(default_ms);
        self.calls.push(call);
        self.send(start.caller, &request, Purpose::Read, limit, (1, 1), None);
        Ok(None)
    }

    fn single_came(
        &mut self,
        single: Single,
        handle: Option<TaskHandle>,
        outcome: Result<Reply, Error>,
        value: V,
    ) -> Outcome<V> {
        let Some(handle) = handle else {
            let reply = outcome.map_err(|error| Stop::Error(error, value, Vec::new()))?;
            let urls = midjourney::uploaded(&reply, self.clock.now)?;
            return Ok(Some(Done::plain(json_of(|json| json.strings(&urls)))));
        };
        let reply = outcome.map_err(|error| Stop::Error(error.with_handle(&handle), value.clone(), Vec::new()))?;
        match single {
            Single::Seed => {
                let seed = midjourney::seeded(&reply, self.clock.now).map_err(|error| error.with_handle(&handle))?;
                Ok(Some(Done::plain(json_of(|json| json.string(&seed)))))
            }
            Single::Content if reading::is_content(&reply) => {
                Ok(Some(Done { raws: vec![value], ..Done::plain(handle_json(&handle)) }))
            }
            Single::Content => Err(reading::content_error(&handle, &reply, self.clock.now).into()),
            _ => {
                let mut task = reading::read(&handle, &reply, &self.settings.base_url, self.clock.now)?;
                self.consider(&mut task);
                self.trace_reading(&task);
                Ok(Some(Done::task(&task, value)))
            }
        }
    }

    // Many readings.

    /// Sends what may be in flight at once. The result, when nothing is left: the JSON of [`Many::write`].
    fn read_more(&mut self, mut call: Call<V>) -> Outcome<V> {
        let (id, limit) = (call.id(), call.limit(READ_TIMEOUT_MS));
        let Work::Many(readings) = &mut call.work else { return Ok(None) };
        let Readings { many, raws, asks } = &mut **readings;
        while asks.len() < MOST_IN_FLIGHT {
            let Some(ask) = many.next_ask() else { break };
            let name = self.send(id, &many.request(&ask), Purpose::Read, limit, (1, ask.places.len()), None);
            asks.push((name, ask));
        }
        if asks.is_empty() {
            let mut own = Vec::new();
            for &first in many.firsts() {
                own.push(raws[first].clone());
            }
            return Ok(Some(Done { raws: own, ..Done::plain(json_of(|json| many.write(json))) }));
        }
        self.calls.push(call);
        Ok(None)
    }

    fn readings_came(&mut self, mut call: Call<V>, ask: AskId, outcome: Result<Reply, Error>, value: V) -> Outcome<V> {
        let id = call.id();
        let Work::Many(readings) = &mut call.work else { return Ok(None) };
        let Readings { many, raws, asks } = &mut **readings;
        let Some(place) = asks.iter().position(|(name, _)| *name == ask) else { return self.read_more(call) };
        let (_, ask) = asks.swap_remove(place);
        let reply = outcome.as_ref().map_err(Clone::clone);
        if let Err(error) = many.replied(&ask, reply, &self.settings.base_url, self.clock.now) {
            self.abandon(id, &|_| true);
            return Err(error.into());
        }
        *self.lists_work() &= many.lists_work();
        for &at in &ask.places {
            raws[at] = value.clone();
        }
        for task in many.tasks(&ask) {
            self.consider(task);
            self.trace_reading(task);
        }
        self.read_more(call)
    }

    // One step of a wait that the host drives: at most one request, whose time limits are the only timers.

    /// The argument is the handle, and the JSON of the state as a text: that one may be anybody's, and is judged by itself.
    fn begin_step(&mut self, start: Start, argument: &Value, options: &Options) -> Outcome<V> {
        let [value, state] = argument.items() else {
            return Err(Error::new(Code::Validation, "pollOnce", "no handle and state").into());
        };
        let mut poller = self.read_wait(start.caller, value, options)?;
        if let Some(state) = state.text() {
            poller.resume(&json::parse(state).unwrap_or(Value::Null), self.clock.now);
        }
        let Step::Fetch(route) = poller.step(self.clock.now) else { return self.end_step(poller, None, V::default()) };
        let request = match route {
            Route::Single => reading::request(poller.handle()),
            Route::List => reading::list_request(1, &|_| &poller.handle().id),
        };
        let left = poller.gives_up_at().map(|end| end - self.clock.now);
        let limit = options.request_timeout;
        let call = Call { start, operation: "pollOnce", limit, work: Work::Step(Box::new(poller), route) };
        let limit = call.limit(READ_TIMEOUT_MS);
        self.calls.push(call);
        self.sleep(start.caller, left);
        self.send(start.caller, &request, Purpose::Read, limit, (1, 1), None);
        Ok(None)
    }

    fn step_came(
        &mut self,
        start: Start,
        mut poller: Poller,
        route: Route,
        outcome: Result<Reply, Error>,
        value: V,
    ) -> Outcome<V> {
        self.sleep(start.caller, None);
        let (base_url, now) = (&self.settings.base_url, self.clock.now);
        let is_lost = outcome.is_err();
        let read = outcome.and_then(|reply| match route {
            Route::Single => reading::read(poller.handle(), &reply, base_url, now).map(Some),
            Route::List => reading::read_listed(poller.handle(), &reply, base_url, now),
        });
        match read {
            Ok(Some(mut task)) => {
                poller.believe(self.consider(&mut task));
                if poller.handle_reply(now, Ok(Some(task.clone()))) {
                    self.tell_reading(start.listens.then_some(start.caller), &task, value.clone());
                }
                self.end_step(poller, Some((task, value)), V::default())
            }
            Ok(None) => {
                poller.handle_reply(now, Ok(None));
                self.end_step(poller, None, V::default())
            }
            Err(error) => {
                self.trace_retry(&error, Some(poller.handle()), error.retry_after_ms.unwrap_or(0));
                poller.handle_reply(now, Err(error));
                self.end_step(poller, None, if is_lost { value } else { V::default() })
            }
        }
    }

    /// The JSON of `PollStep` in `index.d.ts`.
    fn end_step(&mut self, mut poller: Poller, seen: Option<(Task, V)>, cause: V) -> Outcome<V> {
        let (task, raw) = seen.map_or((None, V::default()), |(task, raw)| (Some(task), raw));
        let (task, wait_ms) = match poller.turn(self.clock.now, task.as_ref()) {
            Turn::Done(task) => (Some(*task), None),
            Turn::Later(ms) => (task, Some(ms)),
            Turn::Failed(error) => return Err(Stop::Error(error, cause, vec![raw])),
        };
        let json = json_of(|json| {
            json.object(|json| {
                match &task {
                    Some(task) => task.write(json.key("task")),
                    None => json.key("task").raw("null"),
                }
                json.key("done").boolean(wait_ms.is_none());
                match wait_ms {
                    Some(_) => poller.write_state(json.key("state")),
                    None => json.key("state").raw("null"),
                }
                json.key("waitMs").integer(wait_ms.unwrap_or(0));
            });
        });
        Ok(Some(Done { json, raws: vec![raw], status: task.map_or(Status::Running, |task| task.status) }))
    }
}

#[inline(always)]
fn json_of(write: impl FnOnce(&mut Writer)) -> String {
    let mut json = Writer::default();
    write(&mut json);
    json.finish()
}

/// `timeoutMs` was over before a submit was answered.
fn over(request: &HttpRequest, is_sent: bool) -> Error {
    let message = "timeoutMs was over before the submit was answered";
    let code = if is_sent { Code::SubmitUnknown } else { Code::Deadline };
    let mut error = Error::new(code, request.operation, message);
    (error.ambiguous, error.retryable) = (is_sent, !is_sent);
    error
}

/// Full jitter under 1 s · 2^n, at most 30 s. `random` is from 0 to 1.
fn backoff(attempt: u32, random: f64) -> Millis {
    let ceiling = (1_000_i64 << attempt.saturating_sub(1).min(5)).min(30_000);
    (random * ceiling as f64) as Millis
}
