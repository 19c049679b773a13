//! The wasm-bindgen surface: what the host tells goes into [`core::engine`](crate::core::engine), what is to be done comes
//! out. The facade in `pkg/src` makes it a public API.
//!
//! An instance of the wasm is one client, and hears of everything through one function: each exported one costs some 300
//! bytes, each of its arguments 30, and an object that they belong to twice as much.

use std::cell::{Cell, RefCell};

use js_sys::{Date, Math};
use serde::Serialize;
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
    fn tell(this: &Host, caller: u32, outcome: JsValue, cause: JsValue, raws: js_sys::Array);
    /// To a question of [`events::KEEP`].
    #[wasm_bindgen(method)]
    fn answer(this: &Host, json: &str);
    #[wasm_bindgen(method)]
    fn event(this: &Host, json: &str);
    /// Milliseconds by a clock that only runs forward; NaN where there is none.
    #[wasm_bindgen(method)]
    fn ticks(this: &Host) -> f64;
}

/// The instance's client. It lasts as long as the instance.
struct Client {
    engine: RefCell<engine::Engine<JsValue>>,
    host: Host,
    is_telling: Cell<bool>,
}

thread_local! {
    static CLIENT: Cell<Option<&'static Client>> = const { Cell::new(None) };
}

/// What the host tells of, by its number; `pkg/src/events.js` says what goes with each.
mod events {
    pub(super) const OPEN: u32 = 0;
    pub(super) const CALL: u32 = 1;
    pub(super) const PROCEED: u32 = 2;
    pub(super) const LEAVE: u32 = 3;
    pub(super) const OPENS: u32 = 4;
    pub(super) const REPLIED: u32 = 5;
    pub(super) const FAILED: u32 = 6;
    pub(super) const TURN: u32 = 7;
    pub(super) const WOKE: u32 = 8;
    pub(super) const HURRY: u32 = 9;
    pub(super) const CLOSE: u32 = 11;
}

/// Something has happened. It returns at once; what it leads to, the host has been told by then, unless the host is being told
/// already. What is returned answers a question, and is true of all else.
///
/// `id` names a call, a request, or an owner of either.
#[wasm_bindgen]
pub fn hear(what: u32, id: u32, number: u32, lines: &str, value: JsValue) -> bool {
    if what == events::OPEN {
        CLIENT.set(Some(Box::leak(Box::new(Client::new(value.unchecked_into(), lines)))));
        return true;
    }
    let Some(client) = CLIENT.get() else { return false };
    let mut engine = client.enter();
    match what {
        events::CALL => begin(&mut engine, id, number, lines),
        events::PROCEED => engine.proceed(id),
        events::LEAVE => engine.leave(id, number > 0),
        events::OPENS => return reading::is_content(&reply(number, lines)),
        events::REPLIED => {
            let mut reply = reply(number, lines);
            reply.over_cap = value.is_undefined();
            engine.replied(id, reply, value);
        }
        events::FAILED => engine.failed(id, lost(lines), number > 0, value),
        events::TURN => engine.turn(id),
        events::WOKE => engine.woke(id),
        events::HURRY => engine.hurry(),
        events::CLOSE => engine.close(),
        // A question of `persist`: JSON in and out.
        _ => {
            let (now, dice) = engine.now_and_dice();
            client.host.answer(&keep::answer(&json::parse(lines).unwrap_or(Value::Null), now, dice));
        }
    }
    drop(engine);
    client.tell();
    true
}

/// A call, or a wait when its name is `poll`: the host is told how it ends. The lines are its name, its options and its
/// argument, both in JSON: the parameters of a submit, or a task's handle.
fn begin(engine: &mut engine::Engine<JsValue>, caller: u32, marks: u32, lines: &str) {
    let start = Start { caller, is_alone: marks & 1 > 0, listens: marks & 2 > 0 };
    let (name, lines) = text::parted(lines, "\n");
    let (options, argument) = text::parted(lines, "\n");
    match name {
        "poll" => engine.wait(start, argument, options),
        _ => engine.call(start, name, argument, options),
    }
}

/// What the host calls what kept a reply away: "page" is the network, in a page.
fn lost(at: &str) -> Lost<'_> {
    match at {
        "time" => Lost::TimedOut,
        "network" => Lost::Network { is_page: false },
        "page" => Lost::Network { is_page: true },
        name => Lost::Argument(name),
    }
}

/// The lines say whether it was redirected, and are its Retry-After, the request's id, its content type, and then its body.
fn reply(status: u32, lines: &str) -> Reply {
    let mut rest = lines;
    let mut line = || {
        let (line, after) = text::parted(rest, "\n");
        rest = after;
        Some(line).filter(|line| !line.is_empty()).map(String::from)
    };
    Reply {
        status: status as u16,
        redirected: line().is_some(),
        retry_after: line(),
        request_id: line(),
        content_type: line(),
        body: rest.into(),
        over_cap: false,
    }
}

impl Client {
    /// `settings` is JSON, checked by the facade: `{baseUrl, dialect, requestTimeoutMs, maxConcurrency, isTraced}`, where false
    /// stands for no limit.
    fn new(host: Host, settings: &str) -> Self {
        // Where the build keeps messages, the trap has one. `immediate-abort` never comes here.
        #[cfg(all(feature = "npm", target_arch = "wasm32", not(panic = "immediate-abort")))]
        std::panic::set_hook(Box::new(|info| wasm_bindgen::throw_str(&info.to_string())));
        let settings = json::parse(settings).unwrap_or(Value::Null);
        let settings = Settings {
            base_url: settings.get("baseUrl").letters().into(),
            dialect: if settings.get("dialect").text() == Some("snake") { Dialect::Snake } else { Dialect::Comet },
            request_timeout: match settings.get("requestTimeoutMs") {
                Value::Bool(_) => Some(None),
                ms => ms.integer().map(Some),
            },
            most_in_flight: settings.get("maxConcurrency").integer().unwrap_or(1) as usize,
            is_traced: matches!(settings.get("isTraced"), Value::Bool(true)),
        };
        let engine = RefCell::new(engine::Engine::new(settings, Math::random));
        Client { engine, host, is_telling: Cell::new(false) }
    }

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
            for effect in effects {
                self.carry(effect);
            }
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
                let Told { verdict, json, cause, raws } = told;
                let outcome = serde_wasm_bindgen::to_value(&Outcome(verdict, &json)).unwrap_or_default();
                host.tell(caller, outcome, cause, raws.into_iter().collect());
            }
        }
    }
}

/// What a caller is told, as an array: `[verdict, json]`.
#[derive(Serialize)]
struct Outcome<'a>(&'static str, &'a str);
