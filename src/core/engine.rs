//! One client, as a state machine without clock, network or callers: what it is told goes in through its methods, what is to
//! be done comes out as [`Effect`]s, in order. Nothing in it waits. `js.rs` carries both.
//!
//! A request, and a sleep, belongs to an owner: a call, by the caller's name for it; the waits that share requests, as
//! [`SHARED`]; or a wait that shares none, by its own name.

use std::rc::Rc;

use super::belief::{self, Belief, Beliefs};
use super::classify::{Judge, Purpose};
use super::error::{Code, Error, Hint, Resend};
use super::handle::{TaskHandle, TaskId};
use super::http::{HttpRequest, Reply};
use super::json::Writer;
use super::poller::PollOptions;
use super::reading;
use super::scheduler;
use super::submit::Dialect;
use super::task::{Millis, Status, Task};

mod calls;
mod clock;
mod options;
mod reads;
mod submits;
mod trace;
mod waits;

use calls::Call;
use clock::Clock;
pub use options::Start;
use waits::Waits;

/// The caller's name for a call or a wait; never 0.
pub type CallerId = u32;
/// Names a request for as long as it is under way.
pub type AskId = u32;
/// A time limit that may be switched off; None is none.
pub type Limit = Option<Millis>;

/// The longest sleep that a timer takes; beyond it fires at once.
const LONGEST_SLEEP_MS: Millis = 0x7FFF_FFFF;

/// The owner of the requests that the waits of a client share.
pub const SHARED: CallerId = 0;

/// What a client is made with, checked.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Absolute, without a slash at its end.
    pub base_url: String,
    /// The spelling of the video body.
    pub dialect: Dialect,
    /// For the requests that waits share; None: the default of reads.
    pub request_timeout: Option<Limit>,
    /// Requests that waits share, at once.
    pub most_in_flight: usize,
    /// Somebody listens to events.
    pub is_traced: bool,
}

/// What is to be done. `V` is something of the host's that the engine only passes on: a body's bytes, or what was thrown.
#[derive(Debug)]
pub enum Effect<V> {
    /// Send this; what comes of it goes to [`Engine::replied`] or [`Engine::failed`].
    Send {
        /// Whose headers and pictures go with it.
        owner: CallerId,
        /// Its name.
        ask: AskId,
        /// [`HttpRequest::write`].
        request: String,
        /// A body that [`crate::core::reading::is_content`] is not read: it is the caller's, as it is.
        is_download: bool,
    },
    /// End this request; nobody waits for its reply.
    Abort(AskId),
    /// Call [`Engine::woke`] after so many milliseconds, and not when an earlier one of this owner said. None: not at all.
    Sleep(CallerId, Option<Millis>),
    /// Call [`Engine::turn`] as soon as what runs now has run: others may begin until then.
    Soon(CallerId),
    /// Tell a caller; see [`Told`].
    Tell(CallerId, Told<V>),
    /// An event, as JSON.
    Event(String),
}

/// What a caller is told.
#[derive(Debug)]
pub struct Told<V> {
    /// `begun`: its task is known from now on, `json` is the handle. `submitted`: the same, and it goes on with
    /// [`Engine::proceed`]. `reading`: news. `waits`: a run has become a wait of the same name. The others are its end:
    /// `ok`, `error` and `aborted`.
    pub verdict: &'static str,
    /// A result, a task or an error's fields.
    pub json: String,
    /// What was thrown to cause an error.
    pub cause: V,
    /// What a task was read from; of a list of readings one for each place.
    pub raws: Vec<V>,
}

/// What kept a reply away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost<'a> {
    /// The time limit.
    TimedOut,
    /// The host's fetch, or the connection.
    Network {
        /// In a page, where a request that fails without a status may have failed for CORS.
        is_page: bool,
    },
    /// The caller's key function, headers or picture: nothing left.
    Argument(&'a str),
}

/// A request under way.
#[derive(Debug)]
struct Asked {
    id: AskId,
    owner: CallerId,
    operation: &'static str,
    purpose: Purpose,
    at: Millis,
    /// Of a wait's.
    ask: Option<scheduler::Ask>,
}

/// How a call ended well. Mostly in a box, since most pieces of a call do not end it.
struct Done<V> {
    json: String,
    /// What each of a list was read from; None: of one task, the reply.
    raws: Option<Vec<V>>,
    /// For the event.
    status: Status,
    /// Likewise, where it is about one task.
    id: Option<TaskId>,
}

impl<V> Done<V> {
    fn plain(json: String) -> Box<Self> {
        Done::with_status(json, Status::Succeeded, None)
    }

    fn with_status(json: String, status: Status, handle: Option<&TaskHandle>) -> Box<Self> {
        Box::new(Done { json, raws: None, status, id: handle.map(|handle| handle.id.clone()) })
    }

    fn task(task: &Task) -> Box<Self> {
        Done::with_status(written(task), task.status, Some(&task.handle))
    }
}

/// One client.
#[derive(Debug)]
pub struct Engine<V> {
    settings: Settings,
    /// How long tasks take, as far as this client has seen.
    beliefs: Beliefs,
    /// The options of the last wait: those of ten thousand are mostly the same.
    poll_options: Rc<PollOptions>,
    /// In boxes, since they are taken out for each of their steps.
    calls: Vec<Box<Call<V>>>,
    /// The first are the waits that share; each other is one that does not.
    waits: Vec<Waits<V>>,
    #[expect(clippy::vec_box, reason = "they are moved, which is code for each field outside of a box")]
    asks: Vec<Box<Asked>>,
    last_ask: AskId,
    effects: Vec<Effect<V>>,
    clock: Clock,
    /// Who sleeps, and until when.
    sleeps: Vec<(CallerId, Millis)>,
    random: fn() -> f64,
    is_closing: bool,
}

impl<V: Clone + Default + for<'a> From<&'a str>> Engine<V> {
    /// A client. `random` gives numbers from 0 to 1, for jitter alone.
    pub fn new(settings: Settings, random: fn() -> f64) -> Self {
        Engine {
            waits: vec![Waits::new(SHARED, settings.request_timeout, settings.most_in_flight)],
            settings,
            beliefs: Beliefs::default(),
            poll_options: Rc::default(),
            calls: Vec::new(),
            asks: Vec::new(),
            last_ask: 0,
            effects: Vec::new(),
            clock: Clock::default(),
            sleeps: Vec::new(),
            random,
            is_closing: false,
        }
    }

    /// The wall clock shows this, and one that only ever runs forward at its own pace, where the host has one, shows that.
    ///
    /// The engine's time is the wall clock's, since deadlines and handles go by it. One that was put back holds no wait up: time
    /// goes on from where it was. One that leapt forward ends no wait: all of them are asked for, and have as long as they had.
    pub fn at(&mut self, wall: Millis, steady: Option<Millis>) -> &mut Self {
        let due = self.sleeps.iter().map(|(_, until)| *until).min();
        if let Some(leap) = self.clock.set(wall, steady, due) {
            self.leap(leap);
        }
        self
    }

    /// What is to be done since this was last asked.
    pub fn effects(&mut self) -> Vec<Effect<V>> {
        std::mem::take(&mut self.effects)
    }

    /// The turn of an [`Effect::Soon`] has come.
    pub fn turn(&mut self, owner: CallerId) {
        self.drive(owner);
    }

    /// The time of an [`Effect::Sleep`] has come.
    pub fn woke(&mut self, owner: CallerId) {
        if let Some(place) = self.sleeps.iter().position(|(sleeper, _)| *sleeper == owner) {
            self.clock.reach(self.sleeps.swap_remove(place).1);
        }
        match self.take_call(owner) {
            Some(call) => self.wake_call(call),
            None => self.drive(owner),
        }
    }

    /// The caller of a call or of a wait does not want it any more. `is_sent`: one of its requests may have reached the service.
    pub fn leave(&mut self, id: CallerId, is_sent: bool) {
        match self.take_call(id) {
            Some(call) => self.leave_call(&call, is_sent),
            None => self.leave_wait(id),
        }
    }

    /// A request's reply, and its body as the host has it.
    pub fn replied(&mut self, ask: AskId, reply: Reply, raw: V) {
        let Some(asked) = self.forget(ask) else { return };
        self.trace_response(&asked, &reply);
        self.came(&asked, Ok(&reply), raw);
    }

    /// A request came to nothing. `is_sent`: it may have reached the service.
    pub fn failed(&mut self, ask: AskId, lost: Lost, is_sent: bool, cause: V) {
        let Some(asked) = self.forget(ask) else { return };
        let error = lost_error(&asked, lost, is_sent);
        self.came(&asked, Err(error), cause);
    }

    fn came(&mut self, asked: &Asked, outcome: Result<&Reply, Error>, value: V) {
        if let Some(ask) = &asked.ask {
            return self.wait_came(asked.owner, ask, outcome, value);
        }
        if let Some(call) = self.take_call(asked.owner) {
            self.call_came(call, asked.id, outcome, value);
        }
    }

    /// Sends a request for so many tasks.
    fn send(
        &mut self,
        owner: CallerId,
        request: &HttpRequest,
        purpose: Purpose,
        limit: Limit,
        (attempt, tasks): (u32, usize),
        ask: Option<scheduler::Ask>,
    ) -> AskId {
        let is_download = request.operation == reading::CONTENT;
        self.trace_request(request, attempt, tasks);
        self.last_ask += 1;
        let id = self.last_ask;
        self.asks.push(Box::new(Asked { id, owner, operation: request.operation, purpose, at: self.clock.now, ask }));
        let request = json_of(|json| request.write(json, limit));
        self.effects.push(Effect::Send { owner, ask: id, request, is_download });
        id
    }

    fn sleep(&mut self, owner: CallerId, ms: Option<Millis>) {
        let ms = ms.map(|ms| ms.clamp(0, LONGEST_SLEEP_MS));
        if let Some(place) = self.sleeps.iter().position(|(sleeper, _)| *sleeper == owner) {
            self.sleeps.swap_remove(place);
        }
        if let Some(ms) = ms {
            self.sleeps.push((owner, self.clock.now + ms));
        }
        self.effects.push(Effect::Sleep(owner, ms));
    }

    fn forget(&mut self, ask: AskId) -> Option<Box<Asked>> {
        let place = self.asks.iter().rposition(|asked| asked.id == ask)?;
        Some(self.asks.swap_remove(place))
    }

    /// Ends the requests of an owner, or those of them that are meant.
    fn abandon(&mut self, owner: CallerId, is_meant: &dyn Fn(&Asked) -> bool) {
        let mut at = 0;
        while let Some(asked) = self.asks.get(at) {
            if asked.owner == owner && is_meant(asked) {
                self.effects.push(Effect::Abort(self.asks.remove(at).id));
            } else {
                at += 1;
            }
        }
    }

    /// Learns from a reading, and says what it lets expect.
    fn consider(&mut self, task: &mut Task) -> Belief {
        consider(&mut self.beliefs, task, self.clock.now)
    }

    fn tell(&mut self, caller: CallerId, verdict: &'static str, json: String, raws: Vec<V>) {
        self.effects.push(Effect::Tell(caller, Told { verdict, json, cause: V::default(), raws }));
    }

    /// How the call ends may be decided outside, and then its task is to be known.
    fn tell_handle(&mut self, caller: CallerId, verdict: &'static str, handle: &TaskHandle) {
        self.tell(caller, verdict, handle_json(handle), Vec::new());
    }

    /// A reading is there, and it is news.
    fn tell_reading(&mut self, caller: Option<CallerId>, task: &Task, raw: V) {
        self.trace_reading(task);
        if let Some(caller) = caller {
            self.tell(caller, "reading", written(task), vec![raw]);
        }
    }

    /// The end of a call or of a wait: an event, and the caller is told. `cause` was thrown, `raw` is what a task was read from.
    fn conclude(&mut self, caller: CallerId, operation: &str, outcome: Result<Box<Done<V>>, Error>, cause: V, raw: V) {
        let mut told = Told { verdict: "ok", json: String::new(), cause, raws: vec![raw] };
        match outcome {
            Ok(done) => {
                self.trace_settled(operation, done.status.as_str(), false, done.id.as_ref());
                told.json = done.json;
                if let Some(raws) = done.raws {
                    told.raws = raws;
                }
            }
            Err(error) => {
                let id = error.handle.as_ref().map(|handle| &handle.id);
                self.trace_settled(operation, error.code.as_str(), error.ambiguous, id);
                (told.verdict, told.json) = ("error", json_of(|json| error.write(json)));
            }
        }
        self.effects.push(Effect::Tell(caller, told));
    }

    /// Its caller does not want it any more.
    fn conclude_aborted(&mut self, caller: CallerId, operation: &str, handle: Option<&TaskHandle>) {
        self.trace_settled(operation, "aborted", false, handle.map(|handle| &handle.id));
        self.tell(caller, "aborted", String::new(), Vec::new());
    }

    /// The time, and any number, for a decision that is none of a call's.
    pub fn now_and_dice(&self) -> (Millis, u32) {
        (self.clock.now, self.dice())
    }

    /// Any number.
    fn dice(&self) -> u32 {
        ((self.random)() * f64::from(u32::MAX)) as u32
    }
}

/// The error of a request without a reply.
fn lost_error(asked: &Asked, lost: Lost, is_sent: bool) -> Error {
    let reply = Reply::default();
    let judge = Judge { operation: asked.operation, purpose: asked.purpose, reply: &reply, now: 0 };
    match lost {
        Lost::TimedOut if !is_sent => {
            let message = "the key or a picture was not there within requestTimeoutMs: nothing was sent";
            judge.refused(Code::Timeout, message, Resend::Never)
        }
        Lost::TimedOut => judge.doubtful(Code::Timeout, "no answer within requestTimeoutMs"),
        Lost::Network { is_page } => {
            let mut error = judge.doubtful(Code::Network, "the request failed without an answer");
            error.hint = is_page.then_some(Hint::Cors);
            error
        }
        Lost::Argument(name) => Error::argument(asked.operation, name, "must be usable in a request", "an error"),
    }
}

fn consider(beliefs: &mut Beliefs, task: &mut Task, now: Millis) -> Belief {
    beliefs.learn(task);
    let belief = beliefs.of_task(task);
    if task.status == Status::Running {
        task.estimate = Some(belief::estimate(belief, task, now));
    }
    belief
}

fn handle_json(handle: &TaskHandle) -> String {
    json_of(|json| handle.write(json))
}

fn written(task: &Task) -> String {
    json_of(|json| task.write(json))
}

#[inline(always)]
fn json_of(write: impl FnOnce(&mut Writer)) -> String {
    let mut json = Writer::default();
    write(&mut json);
    json.finish()
}
