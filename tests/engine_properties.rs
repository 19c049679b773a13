//! Whatever happens to a client, and in whatever order: every caller is told one end and nothing after it, and a client that nobody
//! waits for holds no request, no sleep and no turn.
#![cfg(not(target_arch = "wasm32"))]

use std::collections::{BTreeMap, BTreeSet};

use comet_tasks::core::engine::{Effect, Engine, Lost, SHARED, Settings, Start};
use comet_tasks::core::http::Reply;
use comet_tasks::core::submit::Dialect;
use proptest::prelude::*;

/// What may happen; a number names one of those that are there.
#[derive(Clone, Debug)]
enum Event {
    Call(usize, bool),
    Wait(bool),
    Proceed(usize),
    Leave(usize),
    Reply(usize, usize),
    Fail(usize, bool),
    Wake(usize),
    Turn(usize),
    Pass(i64),
    Leap(i64),
    Hurry,
}

const CALLS: [(&str, &str); 9] = [
    ("imagine", r#"{"prompt":"a"}"#),
    ("run.imagine", r#"{"prompt":"a"}"#),
    ("run.veo", r#"{"prompt":"a"}"#),
    ("run.nothing", "{}"),
    ("fetch", r#""1""#),
    ("fetchTasks", r#"["1","2","task_3","task_4","1"]"#),
    ("pollOnce", r#"["1",null]"#),
    ("content", r#""task_1""#),
    ("seed", r#""1""#),
];

const BODIES: [(u16, &str); 9] = [
    (200, r#"{"code":1,"description":"ok","result":"1"}"#),
    (200, r#"{"id":"task_1","status":"queued"}"#),
    (200, r#"{"id":"1","status":"IN_PROGRESS","progress":"40%"}"#),
    (200, r#"[{"id":"1","status":"IN_PROGRESS","progress":"60%"},{"id":"2","status":"SUCCESS"}]"#),
    (200, r#"{"id":"1","status":"SUCCESS","progress":"100%","imageUrl":"https://cdn.example/1.png"}"#),
    (429, r#"{"code":23,"description":"the queue is full"}"#),
    (404, "{}"),
    (500, ""),
    (401, r#"{"error":{"message":"who are you"}}"#),
];

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        2 => (0..CALLS.len(), any::<bool>()).prop_map(|(call, alone)| Event::Call(call, alone)),
        2 => any::<bool>().prop_map(Event::Wait),
        1 => (0..4_usize).prop_map(Event::Proceed),
        1 => (0..8_usize).prop_map(Event::Leave),
        6 => (0..8_usize, 0..BODIES.len()).prop_map(|(ask, body)| Event::Reply(ask, body)),
        2 => (0..8_usize, any::<bool>()).prop_map(|(ask, sent)| Event::Fail(ask, sent)),
        3 => (0..8_usize).prop_map(Event::Wake),
        4 => (0..8_usize).prop_map(Event::Turn),
        3 => (0..400_000_i64).prop_map(Event::Pass),
        1 => (-7_200_000..7_200_000_i64).prop_map(Event::Leap),
        1 => Just(Event::Hurry),
    ];
    prop::collection::vec(event, 0..80)
}

/// A client, and all that a host would have to do for it.
struct World {
    engine: Engine<String>,
    wall: i64,
    steady: i64,
    last: u32,
    /// Who has not been told an end.
    open: BTreeSet<u32>,
    /// Those of them that hold a handle which is being stored.
    held: BTreeSet<u32>,
    asks: BTreeMap<u32, u32>,
    sleeps: BTreeMap<u32, i64>,
    turns: Vec<u32>,
    /// Submits sent by each caller.
    submits: BTreeMap<u32, u32>,
}

impl World {
    fn new() -> Self {
        let settings = Settings {
            base_url: "https://gateway.example".into(),
            dialect: Dialect::Comet,
            request_timeout: None,
            most_in_flight: 3,
            is_traced: true,
        };
        World {
            engine: Engine::new(settings, || 0.5),
            wall: 1_750_000_000_000,
            steady: 0,
            last: SHARED,
            open: BTreeSet::new(),
            held: BTreeSet::new(),
            asks: BTreeMap::new(),
            sleeps: BTreeMap::new(),
            turns: Vec::new(),
            submits: BTreeMap::new(),
        }
    }

    fn engine(&mut self) -> &mut Engine<String> {
        self.engine.at(self.wall, Some(self.steady))
    }

    fn start(&mut self, alone: bool) -> Start {
        self.last += 1;
        self.open.insert(self.last);
        Start { caller: self.last, is_alone: alone, listens: true }
    }

    fn pass(&mut self, ms: i64) {
        self.wall += ms;
        self.steady += ms;
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Call(call, alone) => {
                let start = self.start(alone);
                self.engine().call(start, CALLS[call].0, CALLS[call].1, "{}");
            }
            Event::Wait(alone) => {
                let start = self.start(alone);
                self.engine().wait(start, r#""1""#, "{}");
            }
            Event::Proceed(at) => {
                if let Some(&id) = nth(&self.held, at) {
                    self.engine().proceed(id);
                }
            }
            Event::Leave(at) => {
                if let Some(&id) = nth(&self.open, at) {
                    self.leave(id);
                }
            }
            Event::Reply(at, body) => {
                if let Some(ask) = self.asks.keys().nth(at).copied() {
                    self.asks.remove(&ask);
                    let (status, body) = BODIES[body];
                    let reply = Reply { status, body: body.into(), ..Reply::default() };
                    self.engine().replied(ask, reply, body.into());
                }
            }
            Event::Fail(at, is_sent) => {
                if let Some(ask) = self.asks.keys().nth(at).copied() {
                    self.asks.remove(&ask);
                    self.engine().failed(ask, Lost::TimedOut, is_sent, "thrown".into());
                }
            }
            Event::Wake(at) => {
                if let Some((&owner, &until)) = self.sleeps.iter().nth(at) {
                    self.sleeps.remove(&owner);
                    self.pass((until - self.steady).max(0));
                    self.engine().woke(owner);
                }
            }
            Event::Turn(at) => {
                if at < self.turns.len() {
                    let owner = self.turns.remove(at);
                    self.engine().turn(owner);
                }
            }
            Event::Pass(ms) => self.pass(ms),
            Event::Leap(ms) => self.wall += ms,
            Event::Hurry => self.engine().hurry(),
        }
        self.carry();
    }

    /// The caller goes: a wait is not told so, a call is.
    fn leave(&mut self, id: u32) {
        self.engine().leave(id, true);
        self.carry();
        self.open.remove(&id);
        self.held.remove(&id);
    }

    fn carry(&mut self) {
        for effect in self.engine.effects() {
            match effect {
                Effect::Send { owner, ask, request, .. } => {
                    assert!(owner == SHARED || self.open.contains(&owner), "{owner} has ended, and sends {request}");
                    if request.contains("/submit/") || request.contains(r#""POST","path":"/v1/videos""#) {
                        *self.submits.entry(owner).or_default() += 1;
                    }
                    self.asks.insert(ask, owner);
                }
                Effect::Abort(ask) => assert!(self.asks.remove(&ask).is_some(), "{ask} is not under way"),
                Effect::Sleep(owner, ms) => match ms {
                    Some(ms) => {
                        assert!(ms >= 0);
                        self.sleeps.insert(owner, self.steady + ms);
                    }
                    None => drop(self.sleeps.remove(&owner)),
                },
                Effect::Soon(owner) => self.turns.push(owner),
                Effect::Event(json) => drop(comet_tasks::core::json::parse(&json).expect("JSON")),
                Effect::Tell(caller, told) => {
                    assert!(self.open.contains(&caller), "{caller} has ended, and is told {}", told.verdict);
                    match told.verdict {
                        "submitted" => drop(self.held.insert(caller)),
                        "waits" => assert!(self.held.remove(&caller)),
                        "ok" | "error" | "aborted" => {
                            self.open.remove(&caller);
                            self.held.remove(&caller);
                        }
                        other => assert!(["begun", "reading"].contains(&other)),
                    }
                }
            }
        }
    }
}

fn nth(set: &BTreeSet<u32>, at: usize) -> Option<&u32> {
    set.iter().nth(at)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn every_caller_is_told_one_end_and_a_client_at_rest_holds_nothing(events in events()) {
        let mut world = World::new();
        for event in events {
            world.happen(event);
        }
        prop_assert!(world.submits.values().all(|&sent| sent <= 4), "{:?}", world.submits);
        while let Some(&id) = nth(&world.open, 0) {
            world.leave(id);
        }
        while !world.turns.is_empty() {
            world.happen(Event::Turn(0));
        }
        prop_assert!(world.asks.is_empty(), "under way: {:?}", world.asks);
        prop_assert!(world.sleeps.is_empty(), "asleep: {:?}", world.sleeps);
        // And a second time changes nothing.
        world.engine().hurry();
        world.engine().turn(SHARED);
        world.engine().woke(SHARED);
        let is_news = |effect: &Effect<String>| matches!(effect, Effect::Send { .. } | Effect::Tell(..));
        let is_silent = !world.engine.effects().iter().any(is_news);
        prop_assert!(is_silent);
    }
}
