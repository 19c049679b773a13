//! The calls that read and do not wait: one request, one reading of many tasks, one step of a wait that the host drives.

use super::calls::{Call, Outcome, Work};
use super::options::{Options, Start, operation_of};
use super::{AskId, Done, Engine, Limit, handle_json, json_of};
use crate::core::classify::Purpose;
use crate::core::error::{Code, Error};
use crate::core::handle::TaskHandle;
use crate::core::http::{READ_TIMEOUT_MS, Reply, SUBMIT_TIMEOUT_MS};
use crate::core::json::{self, Value};
use crate::core::many::{self, Many};
use crate::core::poller::{Poller, Route, Step, Turn};
use crate::core::task::{Status, Task};
use crate::core::{midjourney, reading};

/// Requests of one `fetchTasks` that are in flight at once.
const MOST_IN_FLIGHT: usize = 6;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Single {
    Fetch,
    Seed,
    Upload,
    Content,
}

/// The readings of one call, and for each place the bytes it was read from, or what was thrown.
#[derive(Debug)]
pub(super) struct Readings<V> {
    pub(super) many: Many,
    pub(super) raws: Vec<V>,
    pub(super) asks: Vec<(AskId, many::Ask)>,
}

impl<V: Clone + Default + for<'a> From<&'a str>> Engine<V> {
    pub(super) fn begin_single(
        &mut self,
        start: Start,
        name: &str,
        argument: &Value,
        limit: Option<Limit>,
    ) -> Outcome<V> {
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
        self.calls.push(Box::new(call));
        self.send(start.caller, &request, Purpose::Read, limit, (1, 1), None);
        Ok(None)
    }

    pub(super) fn single_came(
        &mut self,
        single: Single,
        handle: Option<TaskHandle>,
        outcome: Result<&Reply, Error>,
    ) -> Outcome<V> {
        let now = self.clock.now;
        let Some(handle) = handle else {
            let urls = midjourney::uploaded(outcome?, now)?;
            return Ok(Some(Done::plain(json_of(|json| json.strings(&urls)))));
        };
        let done = outcome.and_then(|reply| match single {
            Single::Seed => {
                let seed = midjourney::seeded(reply, now)?;
                Ok(Done::with_status(json_of(|json| json.string(&seed)), Status::Succeeded, Some(&handle)))
            }
            Single::Content if reading::is_content(reply) => {
                Ok(Done::with_status(handle_json(&handle), Status::Succeeded, Some(&handle)))
            }
            Single::Content => Err(reading::content_error(&handle, reply, now)),
            _ => {
                let mut task = reading::read(&handle, reply, &self.settings.base_url, now)?;
                self.consider(&mut task);
                self.trace_reading(&task);
                Ok(Done::task(&task))
            }
        });
        done.map(Some).map_err(|error| error.with_handle(&handle))
    }

    pub(super) fn begin_readings(&mut self, start: Start, argument: &Value, limit: Option<Limit>) -> Outcome<V> {
        let handles = self.read_handles(argument)?;
        let mut raws = Vec::new();
        for _ in &handles {
            raws.push(V::default());
        }
        let many = Many::new(handles, *self.lists_work());
        let work = Work::Many(Readings { many, raws, asks: Vec::new() });
        self.read_more(Box::new(Call { start, operation: operation_of("fetchTasks"), limit, work }))
    }

    /// Sends what may be in flight at once. The result, when nothing is left: the JSON of [`Many::write`].
    fn read_more(&mut self, mut call: Box<Call<V>>) -> Outcome<V> {
        let (id, limit) = (call.id(), call.limit(READ_TIMEOUT_MS));
        let Work::Many(readings) = &mut call.work else { return Ok(None) };
        let Readings { many, raws, asks } = readings;
        while asks.len() < MOST_IN_FLIGHT.min(self.settings.most_in_flight) {
            let Some(ask) = many.next_ask() else { break };
            let name = self.send(id, &many.request(&ask), Purpose::Read, limit, (1, ask.places.len()), None);
            asks.push((name, ask));
        }
        if asks.is_empty() {
            let mut own = Vec::new();
            for &first in many.firsts() {
                own.push(raws[first].clone());
            }
            let mut done = Done::plain(json_of(|json| many.write(json)));
            done.raws = Some(own);
            return Ok(Some(done));
        }
        self.calls.push(call);
        Ok(None)
    }

    pub(super) fn readings_came(
        &mut self,
        mut call: Box<Call<V>>,
        ask: AskId,
        outcome: Result<&Reply, Error>,
        value: &V,
    ) -> Outcome<V> {
        let id = call.id();
        let Work::Many(readings) = &mut call.work else { return Ok(None) };
        let Readings { many, raws, asks } = readings;
        let Some(place) = asks.iter().position(|(name, _)| *name == ask) else { return self.read_more(call) };
        let (_, ask) = asks.swap_remove(place);
        if let Err(error) = many.replied(&ask, outcome, &self.settings.base_url, self.clock.now) {
            self.abandon(id, &|_| true);
            return Err(error);
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

    /// One step of a wait that the host drives: at most one request, whose time limits are the only timers.
    ///
    /// The argument is the handle, and the JSON of the state as a text: that one may be anybody's, and is judged by itself.
    pub(super) fn begin_step(&mut self, start: Start, argument: &Value, options: &mut Options) -> Outcome<V> {
        let [value, state] = argument.items() else {
            return Err(Error::new(Code::Validation, "pollOnce", "no handle and state"));
        };
        let mut poller = self.read_wait(start.caller, value, options)?;
        if let Some(state) = state.text() {
            poller.resume(&json::parse(state).unwrap_or(Value::Null), self.clock.now);
        }
        let Step::Fetch(route) = poller.step(self.clock.now) else { return self.end_step(&mut poller, None) };
        let request = route.request(1, &|_| poller.handle());
        let left = poller.gives_up_at().map(|end| end - self.clock.now);
        let limit = options.request_timeout;
        let call = Call { start, operation: "pollOnce", limit, work: Work::Step(poller, route) };
        let limit = call.limit(READ_TIMEOUT_MS);
        self.calls.push(Box::new(call));
        self.sleep(start.caller, left);
        self.send(start.caller, &request, Purpose::Read, limit, (1, 1), None);
        Ok(None)
    }

    pub(super) fn step_came(
        &mut self,
        start: Start,
        poller: &mut Poller,
        route: Route,
        outcome: Result<&Reply, Error>,
        raw: &V,
    ) -> Outcome<V> {
        self.sleep(start.caller, None);
        let (base_url, now) = (&self.settings.base_url, self.clock.now);
        let read = outcome.and_then(|reply| match route {
            Route::Single => reading::read(poller.handle(), reply, base_url, now).map(Some),
            Route::List => reading::read_listed(poller.handle(), reply, base_url, now),
        });
        let (mut seen, mut failed) = (None, None);
        let reply = match read {
            Ok(Some(mut task)) => {
                poller.believe(self.consider(&mut task));
                seen = Some(task.clone());
                Ok(Some(task))
            }
            Ok(None) => Ok(None),
            Err(error) => {
                failed = Some(error.clone());
                Err(error)
            }
        };
        if poller.handle_reply(now, reply)
            && let Some(task) = &seen
        {
            self.tell_reading(start.listens.then_some(start.caller), task, raw.clone());
        }
        if let (Some(error), Some(due)) = (failed, poller.due()) {
            self.trace_retry(&error, Some(poller.handle()), due - now);
        }
        self.end_step(poller, seen)
    }

    /// The JSON of `PollStep` in `index.d.ts`.
    pub(super) fn end_step(&mut self, poller: &mut Poller, seen: Option<Task>) -> Outcome<V> {
        let (task, wait_ms) = match poller.turn(self.clock.now, seen.as_ref()) {
            Turn::Done(task) => (Some(task), None),
            Turn::Later(ms) => (seen, Some(ms)),
            Turn::Failed(error) => return Err(error),
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
        Ok(Some(Done::with_status(json, task.map_or(Status::Running, |task| task.status), Some(poller.handle()))))
    }
}
