//! The waits that share requests: what is asked when is decided in [`crate::core::scheduler`]; here it is sent, read and told.

use super::{CallerId, Done, Effect, Engine, Limit, Start, consider};
use crate::core::classify::Purpose;
use crate::core::error::Error;
use crate::core::http::{READ_TIMEOUT_MS, Reply};
use crate::core::poller::Poller;
use crate::core::reading;
use crate::core::rows::rows;
use crate::core::scheduler::{self, Action, Scheduler, Wait};
use crate::core::task::{Millis, Task};
use crate::core::text;

/// Waits that share requests; or one that does not.
#[derive(Debug)]
pub(super) struct Waits<V> {
    owner: CallerId,
    limit: Option<Limit>,
    scheduler: Scheduler<Guest<V>>,
    /// A turn of [`Effect::Soon`] is on its way.
    is_soon: bool,
}

/// What is kept for a wait.
#[derive(Debug)]
struct Guest<V> {
    caller: Caller,
    /// The body of the last reading, until that is told.
    raw: V,
    /// The row that the last reading was read from, in less memory than either.
    row: Option<Box<str>>,
    /// What was thrown at the last request.
    cause: V,
}

/// Who waits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller {
    /// It wants to hear of readings that are news.
    pub(super) listens: bool,
    /// The call's name in events.
    pub(super) operation: &'static str,
    /// The call began with a submit: to repeat it would make a second task.
    pub(super) submitted: bool,
}

impl<V> Waits<V> {
    pub(super) fn new(owner: CallerId, limit: Option<Limit>, most_in_flight: usize) -> Self {
        Waits { owner, limit, scheduler: Scheduler::new(most_in_flight), is_soon: false }
    }
}

impl<V: Clone + Default + for<'a> From<&'a str>> Engine<V> {
    /// A wait begins. `argument` is the JSON of its task's handle or id.
    pub fn wait(&mut self, start: Start, argument: &str, options: &str) {
        if let Err(error) = self.begin_wait(&start, argument, options) {
            self.conclude(start.caller, "poll", Err(error), V::default(), V::default());
        }
    }

    fn begin_wait(&mut self, start: &Start, argument: &str, options: &str) -> Result<(), Error> {
        let (argument, options) = (start.parse("poll", argument)?, start.parse("poll", options)?);
        let mut options = start.options("poll", &options)?;
        let poller = self.read_wait(start.caller, &argument, &mut options)?;
        let caller = Caller { listens: start.listens, operation: "poll", submitted: false };
        self.enter(start.caller, start.is_alone.then_some(options.request_timeout), caller, poller, None);
        Ok(())
    }

    /// A page that becomes visible or comes back online asks for what it may have missed.
    pub fn hurry(&mut self) {
        let now = self.clock.now;
        for at in 0..self.waits.len() {
            self.waits[at].scheduler.hurry(now);
            self.soon(at);
        }
    }

    /// The clock has leapt.
    pub(super) fn leap(&mut self, ms: Millis) {
        self.leap_calls(ms);
        for waits in &mut self.waits {
            waits.scheduler.extend(ms);
        }
        self.hurry();
    }

    /// Whether the gateway may have the list route: until it says otherwise, to a wait or to another call.
    pub(super) fn lists_work(&mut self) -> &mut bool {
        &mut self.waits[0].scheduler.lists_work
    }

    /// A wait begins. `own`: it shares no requests, and this is its time limit. `first` is a reading that is there already.
    pub(super) fn enter(
        &mut self,
        id: CallerId,
        own: Option<Option<Limit>>,
        caller: Caller,
        mut poller: Box<Poller>,
        first: Option<(Task, V)>,
    ) {
        let at = match own {
            Some(limit) => {
                self.waits.push(Waits::new(id, limit, 1));
                self.waits.len() - 1
            }
            None => 0,
        };
        let mut raw = V::default();
        let is_read = first.is_some();
        if let Some((task, bytes)) = first {
            poller.take(self.clock.now, task);
            raw = bytes;
        }
        let guest = Guest { caller, raw, row: None, cause: V::default() };
        self.waits[at].scheduler.add(id, guest, *poller, self.clock.now);
        if is_read {
            self.tell_news(at, id);
        }
        self.soon(at);
    }

    /// Asks for a turn: many waits may begin before it.
    fn soon(&mut self, at: usize) {
        let waits = &mut self.waits[at];
        if !std::mem::replace(&mut waits.is_soon, true) {
            self.effects.push(Effect::Soon(waits.owner));
        }
    }

    fn place(&self, owner: CallerId) -> Option<usize> {
        self.waits.iter().position(|waits| waits.owner == owner)
    }

    pub(super) fn leave_wait(&mut self, id: CallerId) {
        for at in 0..self.waits.len() {
            let scheduler = &mut self.waits[at].scheduler;
            let Some(wait) = scheduler.wait(id) else { continue };
            let (operation, handle) = (wait.guest.caller.operation, wait.poller.handle().clone());
            let abandoned = scheduler.remove(id);
            self.abandon_ask(at, abandoned);
            self.soon(at);
            return self.trace_settled(operation, "aborted", false, Some(&handle.id));
        }
    }

    fn abandon_ask(&mut self, at: usize, abandoned: Option<scheduler::AskId>) {
        if let Some(id) = abandoned {
            self.abandon(self.waits[at].owner, &|asked| asked.ask.as_ref().is_some_and(|ask| ask.id == id));
        }
    }

    /// Does what is due, and sleeps until more is.
    pub(super) fn drive(&mut self, owner: CallerId) {
        let Some(at) = self.place(owner) else { return };
        self.waits[at].is_soon = false;
        let mut pause = None;
        while !self.waits[at].scheduler.is_empty() {
            match self.waits[at].scheduler.next(self.clock.now) {
                Action::Settle { mut wait, abandoned } => {
                    self.abandon_ask(at, abandoned);
                    self.settle(&mut wait);
                }
                Action::Ask(ask) => self.ask(at, ask),
                Action::Sleep(ms) => {
                    pause = ms;
                    break;
                }
            }
        }
        let waiting = self.waits[at].scheduler.len();
        if let Some(ms) = pause.filter(|_| !self.asks.iter().any(|asked| asked.owner == owner)) {
            self.trace_sleep(ms, waiting);
        }
        self.sleep(owner, pause);
        if waiting == 0 && at > 0 {
            self.waits.swap_remove(at);
        }
    }

    fn ask(&mut self, at: usize, ask: scheduler::Ask) {
        let request = ask.route.request(ask.handles.len(), &|at| &ask.handles[at]);
        let (owner, limit) = (self.waits[at].owner, self.waits[at].limit.unwrap_or(Some(READ_TIMEOUT_MS)));
        self.send(owner, &request, Purpose::Read, limit, (1, ask.handles.len()), Some(ask));
    }

    /// What came of a request.
    pub(super) fn wait_came(
        &mut self,
        owner: CallerId,
        ask: &scheduler::Ask,
        outcome: Result<&Reply, Error>,
        value: V,
    ) {
        let Some(at) = self.place(owner) else { return };
        let (raw, cause) = if outcome.is_ok() { (value, V::default()) } else { (V::default(), value) };
        let body = outcome.as_ref().map_or("", |reply| reply.text());
        let tasks = readings(ask, outcome, &self.settings.base_url, self.clock.now);
        let (mut read, mut failed) = (Vec::new(), Vec::new());
        let (now, beliefs) = (self.clock.now, &mut self.beliefs);
        let news = self.waits[at].scheduler.replied(ask, now, |Wait { id, poller, guest, .. }| {
            let place = ask.handles.iter().position(|handle| handle.id == poller.handle().id).unwrap_or(0);
            let mut task = tasks[place].clone();
            guest.cause = cause.clone();
            if let Ok(Some(task)) = &mut task {
                task.handle = poller.handle().clone();
                poller.believe(consider(beliefs, task, now));
                read.push((*id, task.row));
                guest.raw = raw.clone();
            } else if task.is_err() {
                failed.push(*id);
            }
            task
        });
        self.trace_failed(at, &failed, tasks.iter().find_map(|task| task.as_ref().err()));
        for id in news {
            self.tell_news(at, id);
        }
        self.set_aside(at, body, read);
        self.soon(at);
    }

    /// A request failed: of the waits that it was for, the first that goes on tells when it is made again.
    fn trace_failed(&mut self, at: usize, failed: &[CallerId], error: Option<&Error>) {
        let goes_on = failed.iter().find_map(|&id| {
            let poller = &mut self.waits[at].scheduler.wait(id)?.poller;
            Some((poller.due()?, poller.handle().clone()))
        });
        if let (Some((due, handle)), Some(error)) = (goes_on, error) {
            self.trace_retry(error, Some(&handle), due - self.clock.now);
        }
    }

    /// Of a wait that goes on only its own row is kept: the rest of the reply, and what was read from it, may go.
    fn set_aside(&mut self, at: usize, body: &str, read: Vec<(CallerId, Option<u32>)>) {
        let rows = rows(body);
        for (id, row) in read {
            let wait = self.waits[at].scheduler.wait(id).filter(|wait| !wait.poller.is_over());
            if let Some(Wait { poller, guest, .. }) = wait {
                let row = row.map_or(Some(&body), |row| rows.get(row as usize));
                let own = row.filter(|row| text::find(row, poller.handle().id.as_str()).is_some());
                guest.row = own.map(|&row| row.into());
                guest.raw = V::default();
                poller.set_aside();
            }
        }
    }

    /// Gives a reading to its caller, who may end the wait for it.
    fn tell_news(&mut self, at: usize, id: CallerId) {
        let Some(Wait { poller, guest, .. }) = self.waits[at].scheduler.wait(id) else { return };
        let (Some(task), raw) = (poller.last().cloned(), guest.raw.clone()) else { return };
        let listener = guest.caller.listens.then_some(id);
        self.tell_reading(listener, &task, raw);
    }

    /// Tells a wait's caller how it ended.
    fn settle(&mut self, wait: &mut Wait<Guest<V>>) {
        let Wait { id, poller, guest, .. } = wait;
        if let (None, Some(row)) = (poller.last(), &guest.row) {
            let reply = Reply::sound(row);
            if let Ok(mut task) = reading::read(poller.handle(), &reply, &self.settings.base_url, self.clock.now) {
                self.consider(&mut task);
                poller.restore(task);
                guest.raw = (&**row).into();
            }
        }
        let Some(outcome) = poller.outcome() else { return };
        let Guest { caller, raw, cause, .. } = guest;
        let outcome = outcome.map(|task| Done::task(&task)).map_err(|mut error| {
            error.retryable &= !caller.submitted;
            error
        });
        self.conclude(*id, caller.operation, outcome, std::mem::take(cause), std::mem::take(raw));
    }
}

/// What a reply says of each task that was asked for.
fn readings(
    ask: &scheduler::Ask,
    reply: Result<&Reply, Error>,
    base_url: &str,
    now: Millis,
) -> Vec<Result<Option<Task>, Error>> {
    let handle = |at: usize| &ask.handles[at];
    let tasks = reply.and_then(|reply| ask.route.read(ask.handles.len(), &handle, reply, base_url, now));
    let mut readings = Vec::new();
    match tasks {
        Ok(tasks) => {
            for task in tasks {
                readings.push(Ok(task));
            }
        }
        Err(error) => {
            ask.handles.iter().for_each(|handle| readings.push(Err(error.clone().with_handle(handle))));
        }
    }
    readings
}
