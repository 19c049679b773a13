//! Submits, and runs until they wait.

use super::calls::{Call, Outcome, Work};
use super::options::{Options, Start};
use super::waits::Caller;
use super::{CallerId, Done, Engine, Limit, handle_json};
use crate::core::classify::Purpose;
use crate::core::error::{Code, Error, Resend};
use crate::core::http::{HttpRequest, Reply, SUBMIT_TIMEOUT_MS};
use crate::core::json::Value;
use crate::core::poller::{PollOptions, Poller};
use crate::core::submit::{self, Accepted, Submission};
use crate::core::task::{Kind, Millis, Status};
use crate::core::time::earlier;

/// A submit that provably created nothing is sent again so many times at most.
const RESENDS: u32 = 3;

/// A submit, and what its run is to be.
#[derive(Debug)]
pub(super) struct Submit {
    pub(super) submission: Submission,
    pub(super) attempt: u32,
    pub(super) limit: Limit,
    /// No repetition after that.
    pub(super) give_up: Option<Millis>,
    /// The request's time is what `timeoutMs` leaves.
    pub(super) is_cut: bool,
    pub(super) run: Option<Run>,
}

#[derive(Debug)]
pub(super) struct Run {
    pub(super) options: PollOptions,
    pub(super) started_at: Millis,
    pub(super) deadline: Option<Millis>,
}

impl<V: Clone + Default + for<'a> From<&'a str>> Engine<V> {
    pub(super) fn begin_submit(
        &mut self,
        start: Start,
        kind: Kind,
        is_run: bool,
        params: &Value,
        options: &mut Options,
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
        let work = Work::Submit(submit);
        let call = Call { start, operation: submit::operation(kind), limit: options.request_timeout, work };
        self.send_submit(Box::new(call))
    }

    pub(super) fn send_submit(&mut self, mut call: Box<Call<V>>) -> Outcome<V> {
        let id = call.id();
        if let Work::Submit(submit) = &mut call.work {
            submit.attempt += 1;
            let deadline = submit.run.as_ref().and_then(|run| run.deadline);
            let left = deadline.map(|end| end - self.clock.now);
            if left.is_some_and(|left| left <= 0) {
                // Nobody would wait for the answer: the task would be billed for nothing.
                return Err(over(&submit.submission.request, false));
            }
            let cut = left.filter(|left| submit.limit.is_none_or(|limit| *left < limit));
            submit.is_cut = cut.is_some();
            let limit = cut.or(submit.limit);
            self.send(id, &submit.submission.request, Purpose::Submit, limit, (submit.attempt, 1), None);
        }
        self.calls.push(call);
        Ok(None)
    }

    pub(super) fn submit_came(
        &mut self,
        mut call: Box<Call<V>>,
        outcome: Result<&Reply, Error>,
        raw: &V,
    ) -> Outcome<V> {
        let Work::Submit(submit) = &mut call.work else { return Ok(None) };
        let reply = outcome.map_err(|error| match error.code {
            Code::Timeout if submit.is_cut => over(&submit.submission.request, error.ambiguous),
            _ => error,
        })?;
        let error = match submit.submission.judge(reply, &self.settings.base_url, self.clock.now) {
            Ok(accepted) => return self.accepted(call, accepted, raw),
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
            return Err(error);
        }
        self.trace_retry(&error, None, pause);
        self.sleep(call.id(), Some(pause));
        self.calls.push(call);
        Ok(None)
    }

    /// A task is there. A run's caller has its handle before anything else, and says when to go on.
    fn accepted(&mut self, mut call: Box<Call<V>>, accepted: Accepted, raw: &V) -> Outcome<V> {
        let Work::Submit(submit) = &mut call.work else { return Ok(None) };
        let id = call.start.caller;
        let Accepted { handle, task } = accepted;
        self.tell_handle(id, "begun", &handle);
        let Some(Run { options, started_at, deadline }) = submit.run.take() else {
            let status = task.map_or(Status::Queued, |task| task.status);
            return Ok(Some(Done::with_status(handle_json(&handle), status, Some(&handle))));
        };
        self.tell_handle(id, "submitted", &handle);
        // What holds the handle's keeper up does not hold the wait up: it makes its last request, and ends.
        self.sleep(id, deadline.map(|end| (end - self.clock.now).max(0)));
        let mut poller = self.poller(handle, options);
        poller.count_from(started_at);
        call.work = Work::Held(poller, task.map(|task| (task, raw.clone())));
        self.calls.push(call);
        Ok(None)
    }

    /// A run's caller has its handle safe: now it waits.
    pub fn proceed(&mut self, id: CallerId) {
        if let Some(call) = self.take_call(id) {
            self.enter_run(call);
        }
    }

    pub(super) fn enter_run(&mut self, call: Box<Call<V>>) {
        if !matches!(call.work, Work::Held(..)) {
            return self.calls.push(call);
        }
        let call = *call;
        let Work::Held(poller, first) = call.work else { return };
        let Start { caller: id, is_alone, listens } = call.start;
        self.sleep(id, None);
        self.tell(id, "waits", String::new(), Vec::new());
        let caller = Caller { listens, operation: call.operation, submitted: true };
        self.enter(id, is_alone.then_some(call.limit), caller, poller, first);
    }
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
