//! One client in virtual time: what it sends, when it sleeps, and what its callers are told.

use comet_tasks::core::engine::{Effect, Engine, Lost, SHARED, Settings, Start};
use comet_tasks::core::http::Reply;
use comet_tasks::core::json::parse;
use comet_tasks::core::submit::Dialect;

const START: i64 = 1_750_000_000_000;
const ACCEPTED: &str = r#"{"code":1,"description":"ok","result":"1712345678901234"}"#;
const RUNNING: &str = r#"{"id":"1712345678901234","status":"IN_PROGRESS","progress":"40%"}"#;
const SUCCEEDED: &str =
    r#"{"id":"1712345678901234","status":"SUCCESS","progress":"100%","imageUrl":"https://cdn.example/1.png"}"#;

#[test]
fn a_submit_is_one_request_and_its_reply_the_handle() {
    let mut client = Client::new();
    client.call(1, "imagine", r#"{"prompt":"a"}"#);
    assert_eq!(client.seen(), ["send 1 POST /mj/submit/imagine 120000"]);
    client.replies(1, 200, ACCEPTED);
    assert_eq!(
        client.seen(),
        ["begun", r#"ok {"v":1,"family":"midjourney","kind":"imagine","id":"1712345678901234","#]
    );
}

#[test]
fn a_submit_that_made_nothing_is_sent_again_after_full_jitter_and_three_times_at_most() {
    let mut client = Client::new();
    client.call(1, "imagine", r#"{"prompt":"a"}"#);
    for (ask, pause) in [(1, 500), (2, 1000), (3, 2000)] {
        client.seen();
        client.replies(ask, 429, r#"{"code":23,"description":"the queue is full"}"#);
        assert_eq!(client.seen(), [format!("sleep 1 {pause}")]);
        client.after(pause).woke(1);
    }
    client.seen();
    client.replies(4, 429, r#"{"code":23,"description":"the queue is full"}"#);
    assert_eq!(client.verdicts(), ["error"]);
}

#[test]
fn a_submit_that_is_left_is_in_doubt_only_when_it_may_have_been_sent() {
    for (is_sent, told) in [(true, "error"), (false, "aborted")] {
        let mut client = Client::new();
        client.call(1, "imagine", r#"{"prompt":"a"}"#);
        client.seen();
        client.engine.leave(1, is_sent);
        let seen = client.seen();
        assert_eq!(seen[..2], ["abort 1", "sleep 1 never"]);
        assert!(seen[2].starts_with(told), "{seen:?}");
        assert_eq!(seen[2].contains("submit_unknown"), is_sent);
    }
}

#[test]
fn the_reply_of_a_request_that_was_given_up_is_nobodys() {
    let mut client = Client::new();
    client.call(1, "fetch", r#""1712345678901234""#);
    client.engine.leave(1, true);
    client.seen();
    client.replies(1, 200, RUNNING);
    client.engine.failed(1, Lost::TimedOut, true, String::new());
    client.woke(1);
    assert_eq!(client.seen(), ["sleep 1 never"; 0]);
}

#[test]
fn a_run_whose_time_is_over_sends_no_submit() {
    let mut client = Client::new();
    client.call_with(1, "run.imagine", r#"{"prompt":"a"}"#, r#"{"timeoutMs":0}"#);
    assert_eq!(client.verdicts(), ["error"]);
    client.call_with(2, "run.imagine", r#"{"prompt":"a"}"#, r#"{"timeoutMs":5000}"#);
    client.seen();
    client.replies(1, 429, r#"{"code":23,"description":"the queue is full"}"#);
    assert_eq!(client.seen(), ["sleep 2 500"]);
    // A hidden tab's timers run once a minute.
    client.after(60_000).woke(2);
    assert_eq!(client.verdicts(), ["error"]);
}

#[test]
fn a_run_waits_for_its_callers_store_and_no_longer_than_to_its_deadline() {
    let mut client = Client::new();
    client.call_with(1, "run.imagine", r#"{"prompt":"a"}"#, r#"{"timeoutMs":60000}"#);
    client.after(1_000);
    client.replies(1, 200, ACCEPTED);
    let seen = client.seen();
    assert_eq!(seen[1..], ["begun", &seen[2], "sleep 1 59000"]);
    assert!(seen[2].starts_with("submitted"));
    // It is not stored in time.
    client.after(59_000).woke(1);
    assert_eq!(client.seen(), ["sleep 1 never", "waits", "soon 0"]);
    client.turn(SHARED);
    assert_eq!(client.seen()[0], "send 0 GET /mj/task/1712345678901234/fetch 30000");
}

#[test]
fn waits_that_begin_in_one_turn_share_its_batch() {
    let mut client = Client::new();
    for id in 1..=50 {
        let handle =
            format!(r#"{{"v":1,"family":"midjourney","kind":"imagine","id":"{id}","submittedAt":{}}}"#, START - 60_000);
        client.engine.at(START, Some(0)).wait(start(id), &handle, "{}");
    }
    assert_eq!(client.seen(), ["soon 0"]);
    client.turn(SHARED);
    let seen = client.seen();
    assert_eq!(seen[0], "send 0 POST /mj/task/list-by-condition 30000");
    assert_eq!(seen.len(), 2, "{seen:?}");
}

#[test]
fn the_last_wait_that_leaves_takes_its_request_and_the_sleep_along() {
    let mut client = Client::new();
    client.wait(7, SHARED);
    client.turn(SHARED);
    client.seen();
    client.engine.leave(7, false);
    assert_eq!(client.seen(), ["abort 1", "soon 0"]);
    client.turn(SHARED);
    assert_eq!(client.seen(), ["sleep 0 never"]);
}

#[test]
fn a_wait_that_shares_nothing_owns_its_requests_and_is_forgotten_after_it() {
    let mut client = Client::new();
    client.wait(7, 7);
    assert_eq!(client.seen(), ["begun", "soon 7"]);
    client.turn(7);
    assert_eq!(client.seen()[0], "send 7 GET /mj/task/1712345678901234/fetch 30000");
    client.replies(1, 200, SUCCEEDED);
    client.turn(7);
    assert_eq!(client.verdicts(), ["ok"]);
    client.turn(7);
    assert_eq!(client.seen(), ["sleep 7 never"; 0]);
}

#[test]
fn a_clock_that_is_put_back_holds_no_wait_up() {
    let (mut client, seen) = Client::asleep();
    let ms: i64 = seen
        .iter()
        .find_map(|effect| effect.strip_prefix("sleep 0 "))
        .and_then(|ms| ms.parse().ok())
        .expect("it sleeps");
    // An hour back, and the pause over.
    client.now -= 3_600_000;
    client.turn(SHARED);
    client.seen();
    client.after(ms).woke(SHARED);
    assert_eq!(client.seen()[0], "send 0 GET /mj/task/1712345678901234/fetch 30000");
}

#[test]
fn a_clock_that_is_put_back_makes_no_time_limit_longer() {
    let mut client = Client::new();
    let options = r#"{"timeoutMs":60000}"#;
    client.engine.at(START, Some(0)).wait(start(7), r#""1712345678901234""#, options);
    client.turn(SHARED);
    client.now -= 3_600_000;
    client.after(59_000).replies(1, 200, RUNNING);
    client.turn(SHARED);
    assert_eq!(client.seen().last().map(String::as_str), Some("sleep 0 1000"));
}

#[test]
fn a_clock_that_is_put_forward_ends_no_wait_but_has_it_asked_for_at_once() {
    let (mut client, _) = Client::asleep();
    // A day forward, while a second has passed: longer than any wait lasts.
    client.now += 24 * 3_600_000;
    client.after(1_000).woke(SHARED);
    let seen = client.seen();
    assert!(seen.contains(&"send 0 GET /mj/task/1712345678901234/fetch 30000".into()), "{seen:?}");
    client.replies(2, 200, RUNNING);
    client.turn(SHARED);
    assert_eq!(client.verdicts(), [""; 0]);
    // Its time limit is as far away as it was.
    client.after(15 * 60_000).woke(SHARED);
    client.replies(3, 200, RUNNING);
    client.turn(SHARED);
    assert_eq!(client.verdicts(), ["error"]);
}

#[test]
fn a_run_that_is_being_submitted_when_the_clock_leaps_has_as_long_as_it_had() {
    let mut client = Client::new();
    client.call_with(1, "run.imagine", r#"{"prompt":"a"}"#, r#"{"timeoutMs":60000}"#);
    client.seen();
    client.now += 24 * 3_600_000;
    client.after(1_000);
    client.replies(1, 200, ACCEPTED);
    assert_eq!(client.seen().last().map(String::as_str), Some("sleep 1 59000"));
}

#[test]
fn a_sleep_that_is_over_is_over_where_the_clocks_stand_still() {
    let (mut client, _) = Client::asleep();
    client.woke(SHARED);
    assert_eq!(client.seen()[0], "send 0 GET /mj/task/1712345678901234/fetch 30000");
}

#[test]
fn a_long_sleep_that_ends_in_time_is_no_leap_even_to_a_host_without_a_steady_clock() {
    for steady in [Some(0), None] {
        let mut client = Client::new();
        client.engine.at(START, steady).wait(start(7), r#""1712345678901234""#, r#"{"intervalMs":600000}"#);
        client.turn_by(START, steady);
        client.engine.at(START, steady).replied(1, reply(200, RUNNING), RUNNING.into());
        client.turn_by(START, steady);
        client.seen();
        client.woke_by(START + 600_000, steady);
        client.engine.at(START + 600_000, steady).replied(2, reply(200, RUNNING), RUNNING.into());
        client.turn_by(START + 600_000, steady);
        // The limit is fifteen minutes: ten are over.
        assert_eq!(client.seen().last().map(String::as_str), Some("sleep 0 300000"));
    }
}

#[test]
fn no_sleep_is_longer_than_a_timer_can_hold() {
    let mut client = Client::new();
    let options = r#"{"intervalMs":8640000000,"timeoutMs":false}"#;
    client.engine.at(START, None).wait(start(7), r#""1712345678901234""#, options);
    client.turn(SHARED);
    client.replies(1, 200, RUNNING);
    client.turn(SHARED);
    assert_eq!(client.seen().last().map(String::as_str), Some("sleep 0 2147483647"));
}

#[test]
fn a_step_whose_wait_is_over_before_its_reply_ends_without_it() {
    let mut client = Client::new();
    let argument =
        format!(r#"[{{"v":1,"family":"midjourney","kind":"imagine","id":"1","submittedAt":{}}},null]"#, START - 60_000);
    client.call_with(1, "pollOnce", &argument, r#"{"timeoutMs":9000}"#);
    let seen = client.seen();
    assert_eq!(seen, ["sleep 1 9000", "send 1 GET /mj/task/1/fetch 30000"]);
    client.after(9_000).woke(1);
    let seen = client.seen();
    assert_eq!(seen[0], "abort 1");
    assert!(seen[1].starts_with("error") && seen[1].contains("deadline"), "{seen:?}");
}

#[test]
fn many_readings_go_out_six_at_a_time_and_come_back_in_their_order() {
    let mut client = Client::new();
    let handles: Vec<String> = (0..8).map(|id| format!(r#""task_{id}""#)).collect();
    client.call(1, "fetchTasks", &format!("[{}]", handles.join(",")));
    assert_eq!(client.seen().len(), 6);
    for ask in (1..=8).rev() {
        client.replies(ask, 404, r#"{"error":{"message":"not found"}}"#);
    }
    assert_eq!(client.verdicts().last().map(String::as_str), None, "two had not been sent");
    client.replies(7, 404, "{}");
    client.replies(8, 404, "{}");
    let seen = client.seen();
    assert_eq!(seen.last().map(String::as_str), Some("ok [null,null,null,null,null,null,null,null]"));
}

#[test]
fn many_readings_of_one_call_go_out_no_more_at_a_time_than_the_client_may_send() {
    let mut client = Client::with(2);
    client.call(1, "fetchTasks", r#"["task_1","task_2","task_3"]"#);
    assert_eq!(client.seen().len(), 2);
    client.replies(1, 404, r#"{"error":{"message":"not found"}}"#);
    assert_eq!(client.seen().len(), 1);
}

/// An engine, the clock, and what it wants done.
struct Client {
    engine: Engine<String>,
    /// The wall clock.
    now: i64,
    /// The one that nobody puts back or forward.
    steady: i64,
}

fn reply(status: u16, body: &str) -> Reply {
    Reply { status, body: body.into(), ..Reply::default() }
}

fn start(caller: u32) -> Start {
    Start { caller, is_alone: false, listens: false }
}

impl Client {
    fn new() -> Self {
        Client::with(6)
    }

    fn with(most_in_flight: usize) -> Self {
        let settings = Settings {
            base_url: "https://gateway.example".into(),
            dialect: Dialect::Comet,
            request_timeout: None,
            most_in_flight,
            is_traced: false,
        };
        Client { engine: Engine::new(settings, || 0.5), now: START, steady: 0 }
    }

    /// One with a wait that was read once and sleeps now, and what that took last.
    fn asleep() -> (Self, Vec<String>) {
        let mut client = Client::new();
        client.wait(7, SHARED);
        client.turn(SHARED);
        client.replies(1, 200, RUNNING);
        client.turn(SHARED);
        let seen = client.seen();
        (client, seen)
    }

    fn call(&mut self, id: u32, name: &str, argument: &str) {
        self.call_with(id, name, argument, "{}");
    }

    fn call_with(&mut self, id: u32, name: &str, argument: &str, options: &str) {
        self.engine.at(self.now, Some(self.steady)).call(start(id), name, argument, options);
    }

    /// A wait for a task of which only the id is known.
    fn wait(&mut self, id: u32, owner: u32) {
        let start = Start { is_alone: owner != SHARED, ..start(id) };
        self.engine.at(self.now, Some(self.steady)).wait(start, r#""1712345678901234""#, "{}");
    }

    fn after(&mut self, ms: i64) -> &mut Self {
        self.now += ms;
        self.steady += ms;
        self
    }

    fn woke(&mut self, owner: u32) {
        self.engine.at(self.now, Some(self.steady)).woke(owner);
    }

    fn turn(&mut self, owner: u32) {
        self.engine.at(self.now, Some(self.steady)).turn(owner);
    }

    fn turn_by(&mut self, wall: i64, steady: Option<i64>) {
        self.engine.at(wall, steady).turn(SHARED);
    }

    /// With clocks of its own.
    fn woke_by(&mut self, wall: i64, steady: Option<i64>) {
        self.engine.at(wall, steady).woke(SHARED);
    }

    fn replies(&mut self, ask: u32, status: u16, body: &str) {
        self.engine.at(self.now, Some(self.steady)).replied(ask, reply(status, body), body.into());
    }

    /// What is to be done, in words.
    fn seen(&mut self) -> Vec<String> {
        self.engine.effects().into_iter().map(words).collect()
    }

    /// What callers are told, by its first word.
    fn verdicts(&mut self) -> Vec<String> {
        let told = |effect| match effect {
            Effect::Tell(_, told) => Some(told.verdict.to_string()),
            _ => None,
        };
        self.engine.effects().into_iter().filter_map(told).collect()
    }
}

fn words(effect: Effect<String>) -> String {
    match effect {
        Effect::Send { owner, request, .. } => {
            let request = parse(&request).expect("JSON");
            let text = |name| request.get(name).text().unwrap_or_default();
            let limit = request.get("limitMs").integer().unwrap_or_default();
            format!("send {owner} {} {} {limit}", text("method"), text("path"))
        }
        Effect::Abort(ask) => format!("abort {ask}"),
        Effect::Sleep(owner, ms) => format!("sleep {owner} {}", ms.map_or("never".into(), |ms| ms.to_string())),
        Effect::Soon(owner) => format!("soon {owner}"),
        Effect::Event(json) => format!("event {json}"),
        Effect::Tell(_, told) if told.verdict == "begun" || told.json.is_empty() => told.verdict.into(),
        Effect::Tell(_, told) => {
            let end = told.json.find(r#""submittedAt""#).filter(|_| told.verdict == "ok").unwrap_or(told.json.len());
            format!("{} {}", told.verdict, &told.json[..end])
        }
    }
}
