//! One client: drives `core` with the real clock, timer and network.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Date, Function, Math, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::Headers;

use crate::call::{Call, Limit, Stop, handle_json};
use crate::cancel::{Cancel, Interrupt};
use crate::core::belief::{self, Belief, Beliefs};
use crate::core::classify::{Judge, Purpose};
use crate::core::error::{Code, Error, Hint, Resend};
use crate::core::http::{HttpRequest, READ_TIMEOUT_MS, Reply, SUBMIT_TIMEOUT_MS};
use crate::core::json::{Value, Writer};
use crate::core::poller::{PollOptions, Poller};
use crate::core::reading;
use crate::core::submit::{self, Accepted, Dialect, Submission};
use crate::core::task::{Kind, Millis, Status, Task, TaskHandle};
use crate::core::time::earlier;
use crate::js::Outcome;
use crate::transport::{NoReply, Outgoing, Transport, Why};
use crate::waits::{Caller, Waits};

/// A submit that provably created nothing is sent again so many times at most.
const RESENDS: u32 = 3;

/// A client's settings and its way to the service.
pub struct Client {
    /// The way to the service.
    pub transport: Transport,
    /// The spelling of the video body.
    pub dialect: Dialect,
    /// Takes each event as JSON.
    pub on_event: Option<Function>,
    /// How long tasks take, as far as this client has seen.
    pub beliefs: RefCell<Beliefs>,
    /// The calls under way that are no waits.
    pub calls: RefCell<Vec<(u32, Cancel)>>,
    /// The options of the last wait.
    pub poll_options: RefCell<Rc<PollOptions>>,
    /// The waits that share requests.
    pub waits: Rc<Waits>,
    /// Those that share none.
    pub alone: RefCell<Vec<Rc<Waits>>>,
    /// Takes the name of a call or of a wait, and what became of it.
    pub on_outcome: Function,
}

/// A task, and the reply's bytes that it was read from.
pub type Seen = (Task, JsValue);

/// The wall clock, which never runs backward here: one that is put back would hold up every wait by as much.
pub fn now() -> Millis {
    thread_local!(static CLOCK: Cell<(Millis, Millis)> = const { Cell::new((0, 0)) });
    let (last, ahead) = CLOCK.get();
    let wall = Date::now() as Millis;
    // Ahead by what it was put back, until it is put right again.
    let ahead = if wall >= last { 0 } else { ahead.max(last - wall) };
    CLOCK.set((wall + ahead, ahead));
    wall + ahead
}

/// `timeoutMs` was over before a submit was answered.
fn over(request: &HttpRequest, sent: bool) -> Error {
    let message = "timeoutMs was over before the submit was answered";
    let code = if sent { Code::SubmitUnknown } else { Code::Deadline };
    let mut error = Error::new(code, request.operation, message);
    (error.ambiguous, error.retryable) = (sent, !sent);
    error
}

impl Client {
    /// Sends a submit, again only where the reply proves that nothing was created.
    pub async fn submit(
        &self,
        call: &Call,
        kind: Kind,
        params: &Value<'_>,
        deadline: Option<Millis>,
    ) -> Result<(Accepted, JsValue), Stop> {
        let submission = Submission::read(kind, params, self.dialect, call.speed)?;
        let limit = call.limit(SUBMIT_TIMEOUT_MS);
        let give_up = earlier(limit.map(|ms| now() + ms), deadline);
        let mut sent = 0;
        loop {
            sent += 1;
            let left = deadline.map(|end| (end - now()).max(0));
            let cut = left.filter(|left| limit.is_none_or(|limit| *left < limit));
            let asked = self.ask(call, &submission.request, Purpose::Submit, cut.or(limit), sent, 1).await;
            let (reply, raw) = asked.map_err(|stop| match stop {
                Stop::Error { error, .. } if cut.is_some() && error.code == Code::Timeout => {
                    over(&submission.request, error.ambiguous).into()
                }
                stop => stop,
            })?;
            let error = match submission.judge(&reply, &self.transport.base_url, now()) {
                Ok(accepted) => {
                    self.tell_handle(call.id, &accepted.handle);
                    return Ok((accepted, raw));
                }
                Err(error) => error,
            };
            let pause = backoff(sent).max(error.retry_after_ms.unwrap_or(0));
            let most = match error.resend {
                Resend::Never => 0,
                Resend::Once => 1,
                Resend::Backoff => RESENDS,
            };
            if sent > most || give_up.is_some_and(|end| now() + pause > end) {
                return Err(error.into());
            }
            self.emit_pause(&error, None, pause);
            call.cancel.sleep(pause).await.map_err(|_| Stop::Aborted)?;
        }
    }

    /// The task in the reply to a read of it.
    pub fn read_task(&self, handle: &TaskHandle, reply: &Reply) -> Result<Task, Error> {
        let mut task = reading::read(handle, reply, &self.transport.base_url, now())?;
        self.consider(&mut task);
        self.emit_reading(&task);
        Ok(task)
    }

    /// A wait for the task, by what this client believes of its kind.
    pub fn poller(&self, handle: TaskHandle, options: PollOptions) -> Poller {
        let belief = self.beliefs.borrow().of(handle.family, handle.kind, handle.model.as_deref());
        // Those of ten thousand waits are mostly the same.
        let mut shared = self.poll_options.borrow_mut();
        if **shared != options {
            *shared = Rc::new(options);
        }
        Poller::new(handle, shared.clone(), belief, now(), seed())
    }

    /// Learns from a reading, and says what it lets expect.
    pub fn consider(&self, task: &mut Task) -> Belief {
        self.beliefs.borrow_mut().learn(task);
        let belief = self.beliefs.borrow().of_task(task);
        if task.status == Status::Running {
            task.estimate = Some(belief::estimate(belief, task, now()));
        }
        belief
    }

    /// A wait begins. Its caller hears of it by `on_outcome` from now on. `own`: headers and a time limit that are not everybody's.
    pub fn enter(
        self: &Rc<Self>,
        own: Option<(Headers, Option<Limit>)>,
        caller: Caller,
        poller: Poller,
        first: Option<Seen>,
    ) {
        let waits = match own {
            Some((headers, limit)) => {
                let waits = Rc::new(Waits::new(headers, limit, 1));
                self.alone.borrow_mut().push(waits.clone());
                waits
            }
            None => self.waits.clone(),
        };
        waits.enter(self, caller, poller, first);
    }

    /// The caller of a call or of a wait does not want it any more.
    pub fn leave(&self, caller: u32) {
        if let Some((_, call)) = self.calls.borrow().iter().find(|(id, _)| *id == caller) {
            call.abort();
        }
        let alone = self.alone.borrow().clone();
        let left = self.waits.leave(caller).or_else(|| alone.iter().find_map(|waits| waits.leave(caller)));
        if let Some(operation) = left {
            self.conclude(operation, Err(Stop::Aborted));
        }
    }

    /// Tells the facade of a call or a wait.
    pub fn tell(&self, caller: u32, outcome: &Outcome) -> Result<JsValue, JsValue> {
        let outcome = serde_wasm_bindgen::to_value(outcome)?;
        self.on_outcome.call2(&JsValue::UNDEFINED, &caller.into(), &outcome)
    }

    /// The task of a call is known from now on: how the call ends may be decided outside.
    pub fn tell_handle(&self, caller: u32, handle: &TaskHandle) {
        self.tell(caller, &Outcome("begun", handle_json(handle), JsValue::UNDEFINED, JsValue::UNDEFINED)).ok();
    }

    /// A reading is news.
    pub fn tell_reading(&self, caller: u32, task: &Task, raw: JsValue) {
        let mut json = Writer::default();
        task.write(&mut json);
        self.tell(caller, &Outcome("reading", json.finish().into(), raw, JsValue::UNDEFINED)).ok();
    }

    /// Submit, then begin to wait. The handle is given out before that, and waited for if that gives a promise.
    pub async fn run(
        self: &Rc<Self>,
        call: &Call,
        kind: Kind,
        params: &Value<'_>,
        options: PollOptions,
    ) -> Result<(), Stop> {
        let started_at = now();
        let deadline = Poller::deadline_of(kind, &options, started_at);
        let (accepted, raw) = self.submit(call, kind, params, deadline).await?;
        let submitted = Outcome("submitted", handle_json(&accepted.handle), JsValue::UNDEFINED, JsValue::UNDEFINED);
        let stored = self.tell(call.id, &submitted).map_err(Stop::Thrown)?;
        let left = deadline.map(|end| (end - now()).max(0));
        match call.cancel.race(left, JsFuture::from(Promise::resolve(&stored))).await {
            Ok(stored) => stored.map_err(Stop::Thrown)?,
            Err(Interrupt::Aborted) => return Err(Stop::Aborted),
            // What holds the handle's keeper up does not hold the wait up: it makes its last request, and ends.
            Err(Interrupt::TimedOut) => JsValue::UNDEFINED,
        };
        if call.cancel.is_aborted() {
            return Err(Stop::Aborted);
        }
        let mut poller = self.poller(accepted.handle, options);
        poller.count_from(started_at);
        let own = call.is_alone.then(|| (call.headers.clone(), call.request_timeout));
        let caller = Caller { id: call.id, listens: call.listens, operation: submit::operation(kind), submitted: true };
        self.enter(own, caller, poller, accepted.task.map(|task| (task, raw)));
        Ok(())
    }

    /// The exchange that brings the content of a finished /v1/videos task; its body is the caller's to read.
    pub async fn content(&self, call: &Call, handle: &TaskHandle) -> Result<JsValue, Stop> {
        let request = reading::content_request(handle);
        let limit = call.request_timeout.unwrap_or(Some(READ_TIMEOUT_MS));
        let lost = |lost| self.lost(&request, Purpose::Read, lost).with_handle(handle);
        self.emit_request(&request, 1, 1);
        let open = self.transport.respond(&self.outgoing(call, &request, limit)).await.map_err(lost)?;
        if open.head.is_ok() && !open.head.redirected && !reading::is_no_video(open.head.content_type.as_deref()) {
            return Ok(open.into_exchange());
        }
        let (reply, _) = open.read().await.map_err(lost)?;
        Err(reading::content_error(handle, &reply, now()).into())
    }

    /// One read, of so many tasks.
    pub async fn read(&self, call: &Call, request: &HttpRequest, tasks: usize) -> Result<(Reply, JsValue), Stop> {
        self.ask(call, request, Purpose::Read, call.limit(READ_TIMEOUT_MS), 1, tasks).await
    }

    fn outgoing<'a>(&self, call: &'a Call, request: &'a HttpRequest, limit_ms: Limit) -> Outgoing<'a> {
        Outgoing { request, images: &call.images, headers: &call.headers, limit_ms, cancel: &call.cancel }
    }

    /// One request and its reply.
    pub async fn ask(
        &self,
        call: &Call,
        request: &HttpRequest,
        purpose: Purpose,
        limit: Limit,
        attempt: u32,
        tasks: usize,
    ) -> Result<(Reply, JsValue), Stop> {
        self.emit_request(request, attempt, tasks);
        let began = now();
        let exchanged = self.transport.exchange(&self.outgoing(call, request, limit)).await;
        let (reply, bytes) = exchanged.map_err(|lost| self.lost(request, purpose, lost))?;
        if let Some(mut event) = self.event(request.operation, "response", None) {
            event.key("status").integer(reply.status.into());
            event.key("ms").integer(now() - began);
            if let Some(id) = &reply.request_id {
                event.key("requestId").string(id);
            }
            self.send(event);
        }
        Ok((reply, bytes))
    }

    /// The error of a request without a reply.
    fn lost(&self, request: &HttpRequest, purpose: Purpose, lost: NoReply) -> Stop {
        let submit = purpose == Purpose::Submit;
        let reply = Reply::default();
        let judge = Judge { operation: request.operation, purpose, reply: &reply, now: 0 };
        let error = match lost.why {
            Why::Aborted if submit && lost.sent => {
                judge.doubtful(Code::SubmitUnknown, "aborted after the request had left: a task may exist")
            }
            Why::Aborted => return Stop::Aborted,
            Why::TimedOut if !lost.sent => {
                let message = "the key or a picture was not there within requestTimeoutMs: nothing was sent";
                judge.refused(Code::Timeout, message, Resend::Never)
            }
            Why::TimedOut => judge.doubtful(Code::Timeout, "no answer within requestTimeoutMs"),
            Why::Network { is_page } => {
                let mut error = judge.doubtful(Code::Network, "the request failed without an answer");
                error.hint = is_page.then_some(Hint::Cors);
                error
            }
            Why::Argument(ref name) => {
                Error::argument(request.operation, name, "must be usable in a request", "an error")
            }
        };
        Stop::Error { error, cause: lost.cause, raw: JsValue::UNDEFINED }
    }

    /// The beginning of an event, if there is a hook that takes them; its end is [`Client::send`].
    pub fn event(&self, operation: &str, kind: &str, handle: Option<&TaskHandle>) -> Option<Writer> {
        self.on_event.as_ref()?;
        let mut json = Writer::default();
        json.raw("{");
        json.key("operation").string(operation);
        json.key("at").integer(now());
        if let Some(handle) = handle {
            json.key("id").string(handle.id.as_str());
        }
        json.key("type").string(kind);
        Some(json)
    }

    /// Tells the caller's hook. What it throws is its own affair.
    pub fn send(&self, mut event: Writer) {
        event.close_object();
        if let Some(on_event) = &self.on_event {
            on_event.call1(&JsValue::UNDEFINED, &event.finish().into()).ok();
        }
    }

    fn emit_request(&self, request: &HttpRequest, attempt: u32, tasks: usize) {
        let Some(mut event) = self.event(request.operation, "request", None) else { return };
        event.key("method").string(request.method);
        event.key("path").string(&request.path);
        event.key("attempt").integer(attempt.into());
        if tasks > 1 {
            event.key("batch").integer(tasks as i64);
        }
        self.send(event);
    }

    /// A reading is there.
    pub fn emit_reading(&self, task: &Task) {
        let operation = reading::request(&task.handle).operation;
        let Some(mut event) = self.event(operation, "reading", Some(&task.handle)) else { return };
        task.write_standing(&mut event);
        self.send(event);
    }

    /// The client's waits sleep.
    pub fn emit_sleep(&self, ms: Millis, waiting: usize) {
        let Some(mut event) = self.event("poll", "sleep", None) else { return };
        event.key("ms").integer(ms);
        event.key("waiting").integer(waiting as i64);
        self.send(event);
    }

    /// A read failed, and its wait goes on or ends.
    pub fn emit_retry(&self, error: &Error, handle: Option<&TaskHandle>) {
        self.emit_pause(error, handle, error.retry_after_ms.unwrap_or(0));
    }

    fn emit_pause(&self, error: &Error, handle: Option<&TaskHandle>, ms: Millis) {
        let Some(mut event) = self.event(error.operation, "retry", handle) else { return };
        event.key("code").string(error.code.as_str());
        event.key("waitMs").integer(ms);
        self.send(event);
    }
}

/// For jitter.
pub fn seed() -> u32 {
    (Math::random() * f64::from(u32::MAX)) as u32
}

/// Full jitter under 1 s · 2^n, at most 30 s.
fn backoff(attempt: u32) -> Millis {
    let ceiling = (1_000_i64 << attempt.saturating_sub(1).min(5)).min(30_000);
    (Math::random() * ceiling as f64) as Millis
}
