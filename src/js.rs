//! The wasm-bindgen surface: what the host tells goes into [`core::engine`](crate::core::engine), what is to be done comes
//! out. The facade in `pkg/src` makes it a public API.

use std::cell::{Cell, RefCell};

use js_sys::{Date, Math};
use serde::Serialize;
use serde_wasm_bindgen::preserve;
use wasm_bindgen::prelude::*;

use crate::core::engine::{self, Effect, Lost, Settings, Start, Told};
use crate::core::http::Reply;
use crate::core::json::{self, Value};
use crate::core::keep;
use crate::core::reading;
use crate::core::submit::Dialect;
use crate::core::task::Millis;
use crate::core::text;

#[wasm_bindgen]
extern "C" {
    /// Carries what the engine decides; none of its methods throws.
    pub type Host;
    #[wasm_bindgen(method)]
    fn send(this: &Host, owner: u32, ask: u32, request: &str, is_download: bool);
    #[wasm_bindgen(method)]
    fn abort(this: &Host, ask: u32);
    /// Below 0: not at all.
    #[wasm_bindgen(method)]
    fn sleep(this: &Host, owner: u32, ms: f64);
    #[wasm_bindgen(method)]
    fn soon(this: &Host, owner: u32);
    #[wasm_bindgen(method)]
    fn tell(this: &Host, caller: u32, outcome: JsValue);
    #[wasm_bindgen(method)]
    fn event(this: &Host, json: &str);
    /// Milliseconds by a clock that only runs forward; NaN where there is none.
    #[wasm_bindgen(method)]
    fn ticks(this: &Host) -> f64;
}

/// A client inside the wasm. Every method returns at once; what it leads to, the host has been told by then, unless the host
/// is being told already.
#[wasm_bindgen]
pub struct Engine {
    engine: RefCell<engine::Engine<JsValue>>,
    host: Host,
    is_telling: Cell<bool>,
}

#[wasm_bindgen]
impl Engine {
    /// A client. `settings` is JSON, checked by the facade: `{baseUrl, dialect, requestTimeoutMs, maxConcurrency, isTraced}`,
    /// where false stands for no limit.
    #[wasm_bindgen(constructor)]
    pub fn new(host: Host, settings: &str) -> Engine {
        // Where the build keeps messages, the trap has one. `immediate-abort` never comes here.
        #[cfg(all(feature = "npm", target_arch = "wasm32", not(panic = "immediate-abort")))]
        std::panic::set_hook(Box::new(|info| wasm_bindgen::throw_str(&info.to_string())));
        let settings = json::parse(settings).unwrap_or(Value::Null);
        let settings = Settings {
            base_url: settings.get("baseUrl").text().unwrap_or_default().into(),
            dialect: if settings.get("dialect").text() == Some("snake") { Dialect::Snake } else { Dialect::Comet },
            request_timeout: match settings.get("requestTimeoutMs") {
                Value::Bool(_) => Some(None),
                ms => ms.integer().map(Some),
            },
            most_in_flight: settings.get("maxConcurrency").integer().unwrap_or(1) as usize,
            is_traced: matches!(settings.get("isTraced"), Value::Bool(true)),
        };
        let engine = RefCell::new(engine::Engine::new(settings, Math::random));
        Engine { engine, host, is_telling: Cell::new(false) }
    }

    /// One call: the host is told how it ends. `argument` is JSON: the parameters of a submit, or a task's handle. So are
    /// `options`.
    pub fn call(&self, caller: u32, name: &str, argument: &str, options: &str, is_alone: bool, listens: bool) {
        self.enter().call(Start { caller, is_alone, listens }, name, argument, options);
        self.tell();
    }

    /// A wait: the host is told of it by this name.
    pub fn wait(&self, caller: u32, argument: &str, options: &str, is_alone: bool, listens: bool) {
        self.enter().wait(Start { caller, is_alone, listens }, argument, options);
        self.tell();
    }

    /// A run goes on to wait: whoever was told "submitted" has the handle safe.
    pub fn proceed(&self, caller: u32) {
        self.enter().proceed(caller);
        self.tell();
    }

    /// The caller of a call or of a wait does not want it any more.
    pub fn leave(&self, caller: u32, is_sent: bool) {
        self.enter().leave(caller, is_sent);
        self.tell();
    }

    /// Whether the body of a reply with this head is the caller's to read. The lines are Retry-After, the request's id and the
    /// content type.
    pub fn opens(&self, status: u16, redirected: bool, lines: &str) -> bool {
        reading::is_content(&head(status, redirected, lines))
    }

    /// A reply: its head, its body, and what the host has of it, which is undefined when it is larger than it may be.
    pub fn replied(&self, ask: u32, status: u16, redirected: bool, lines: &str, body: Vec<u8>, raw: JsValue) {
        let reply = Reply { over_cap: raw.is_undefined(), body, ..head(status, redirected, lines) };
        self.enter().replied(ask, reply, raw);
        self.tell();
    }

    /// A request came to nothing, at "time", at "network", at "page" (the network, in a page) or at an argument of that name.
    pub fn failed(&self, ask: u32, at: &str, is_sent: bool, cause: JsValue) {
        let lost = match at {
            "time" => Lost::TimedOut,
            "network" => Lost::Network { is_page: false },
            "page" => Lost::Network { is_page: true },
            name => Lost::Argument(name),
        };
        self.enter().failed(ask, lost, is_sent, cause);
        self.tell();
    }

    /// A turn has come.
    pub fn turn(&self, owner: u32) {
        self.enter().turn(owner);
        self.tell();
    }

    /// A sleep is over.
    pub fn woke(&self, owner: u32) {
        self.enter().woke(owner);
        self.tell();
    }

    /// The page became visible, or came back online.
    pub fn hurry(&self) {
        self.enter().hurry();
        self.tell();
    }

    /// One question of `persist`: JSON in and out.
    pub fn keep(&self, question: &str) -> String {
        let (now, dice) = self.enter().now_and_dice();
        keep::answer(&json::parse(question).unwrap_or(Value::Null), now, dice)
    }
}

impl Engine {
    fn enter(&self) -> std::cell::RefMut<'_, engine::Engine<JsValue>> {
        let mut engine = self.engine.borrow_mut();
        let ticks = self.host.ticks();
        engine.at(Date::now() as Millis, (ticks >= 0.0).then_some(ticks as Millis));
        engine
    }

    /// Has the host do what is to be done. What it tells meanwhile adds to that, and comes after it.
    fn tell(&self) {
        if self.is_telling.replace(true) {
            return;
        }
        loop {
            let effects = self.engine.borrow_mut().effects();
            if effects.is_empty() {
                break;
            }
            effects.into_iter().for_each(|effect| self.carry(effect));
        }
        self.is_telling.set(false);
    }

    fn carry(&self, effect: Effect<JsValue>) {
        let host = &self.host;
        match effect {
            Effect::Send { owner, ask, request, is_download } => host.send(owner, ask, &request, is_download),
            Effect::Abort(ask) => host.abort(ask),
            Effect::Sleep(owner, ms) => host.sleep(owner, ms.map_or(-1.0, |ms| ms as f64)),
            Effect::Soon(owner) => host.soon(owner),
            Effect::Event(json) => host.event(&json),
            Effect::Tell(caller, told) => {
                let outcome = serde_wasm_bindgen::to_value(&Outcome::from(told)).unwrap_or_default();
                host.tell(caller, outcome);
            }
        }
    }
}

/// What a caller is told, as an array: `[verdict, json, cause, raws]`.
#[derive(Serialize)]
struct Outcome(&'static str, String, #[serde(with = "preserve")] JsValue, #[serde(with = "preserve")] js_sys::Array);

impl From<Told<JsValue>> for Outcome {
    fn from(told: Told<JsValue>) -> Self {
        Outcome(told.verdict, told.json, told.cause, told.raws.into_iter().collect())
    }
}

fn head(status: u16, redirected: bool, lines: &str) -> Reply {
    let mut lines = text::split(lines, "\n");
    let mut line = || lines.next().filter(|line| !line.is_empty()).map(String::from);
    Reply { status, redirected, retry_after: line(), request_id: line(), content_type: line(), ..Reply::default() }
}
