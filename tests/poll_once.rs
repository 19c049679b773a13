//! A wait in steps that a host drives, in virtual time: each step is a new wait that goes on from the state of the one
//! before, as JSON. What it asks, and when, is compared with the same wait driven in one piece.

mod waits;

use comet_tasks::core::belief::Belief;
use comet_tasks::core::error::{Code, Error};
use comet_tasks::core::http::Reply;
use comet_tasks::core::json::{self, Value, Writer};
use comet_tasks::core::poller::{PollOptions, Poller, Route, Step, Timeout, Turn};
use comet_tasks::core::reading;
use comet_tasks::core::task::{Kind, Millis, Status, Task, TaskHandle, TaskId};
use waits::{IMAGE, SUBMITTED};

const HOUR_MS: Millis = 3_600_000;

fn handle(kind: Kind) -> TaskHandle {
    TaskHandle::new(kind, TaskId::new("1773314942177684").expect("a sound id"), SUBMITTED)
}

fn options() -> PollOptions {
    PollOptions { throw_on_failure: false, ..PollOptions::default() }
}

/// A host's wait: what it keeps between two steps is the state's text.
struct Host {
    handle: TaskHandle,
    options: PollOptions,
    is_bare: bool,
    state: Option<String>,
    now: Millis,
}

impl Host {
    fn new(kind: Kind, options: PollOptions, now: Millis) -> Self {
        Host { handle: handle(kind), options, is_bare: false, state: None, now }
    }

    fn poller(&self) -> Poller {
        let belief = Belief::shipped(self.handle.family, self.handle.kind);
        // Another seed each time: another process.
        let mut poller = Poller::new(self.handle.clone(), self.options, belief, self.now, 1 + self.now as u32);
        if self.is_bare {
            poller.age_is_unknown();
        }
        if let Some(state) = &self.state {
            poller.resume(&json::parse(state).unwrap_or(Value::Null), self.now);
        }
        poller
    }

    /// One step. The answer is asked for when a request is made.
    fn step(&mut self, answer: impl FnOnce(Route) -> Reply) -> (Turn, Option<Task>) {
        let mut poller = self.poller();
        let mut read = None;
        if let Step::Fetch(route) = poller.step(self.now) {
            let reply = answer(route);
            let task = read_reply(&poller, route, &reply, self.now);
            read = task.as_ref().ok().cloned().flatten();
            poller.handle_reply(self.now, task);
        }
        let mut json = Writer::default();
        poller.write_state(&mut json);
        self.state = Some(json.finish());
        (poller.turn(self.now, read.as_ref()), read)
    }

    fn see(&mut self, status: &str, more: &str) -> Turn {
        self.step(|_| row(status, more)).0
    }

    fn fail(&mut self, status: u16) -> Turn {
        self.step(|_| Reply { status, body: b"{}".to_vec(), ..Reply::default() }).0
    }
}

fn read_reply(poller: &Poller, route: Route, reply: &Reply, now: Millis) -> Result<Option<Task>, Error> {
    match route {
        Route::Single => reading::read(poller.handle(), reply, "https://h.test", now).map(Some),
        Route::List => reading::read_listed(poller.handle(), reply, "https://h.test", now),
    }
}

fn row(status: &str, more: &str) -> Reply {
    let comma = if more.is_empty() { "" } else { "," };
    let body = format!(r#"[{{"id":"1773314942177684","status":"{status}"{comma}{more}}}]"#);
    Reply { status: 200, body: body.into_bytes(), ..Reply::default() }
}

fn later(turn: &Turn) -> Millis {
    match turn {
        Turn::Later(ms) => *ms,
        turn => panic!("over: {turn:?}"),
    }
}

fn failed(turn: Turn) -> (Code, bool) {
    match turn {
        Turn::Failed(error) => (error.code, error.handle.is_some()),
        turn => panic!("not failed: {turn:?}"),
    }
}

/// A service with habits: it answers by the time and by how often it was asked.
fn service(seed: u64) -> impl Fn(Millis, usize) -> Reply {
    move |now, asked| {
        let dice = (asked as u64 + 1).wrapping_mul(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1) >> 40;
        let age = now - SUBMITTED;
        match dice % 11 {
            0 => Reply { status: 503, body: b"{}".to_vec(), ..Reply::default() },
            1 => Reply { status: 429, retry_after: Some("7".into()), ..Reply::default() },
            2 if asked < 3 => Reply { status: 204, ..Reply::default() },
            3 if age < 10_000 => Reply { status: 404, body: b"{}".to_vec(), ..Reply::default() },
            _ if age > 90_000 + (seed as Millis % 7) * 30_000 => row("SUCCESS", IMAGE),
            4 => row("MODAL", ""),
            _ => row("IN_PROGRESS", &format!(r#""progress":"{}%""#, (age / 9_000) * 5 % 100)),
        }
    }
}

/// When the wait asked, and how, until it ended.
type Asked = Vec<(Millis, Route)>;

fn in_one_piece(kind: Kind, options: PollOptions, start: Millis, seed: u64) -> Asked {
    let service = service(seed);
    let belief = Belief::shipped(kind.family(), kind);
    let mut poller = Poller::new(handle(kind), options, belief, start, 1 + start as u32);
    let (mut now, mut asked) = (start, Vec::new());
    loop {
        match poller.step(now) {
            Step::Sleep(ms) => now += ms,
            Step::Done(_) => return asked,
            Step::Fetch(route) => {
                let task = read_reply(&poller, route, &service(now, asked.len()), now);
                asked.push((now, route));
                poller.handle_reply(now, task);
            }
        }
    }
}

fn in_steps(kind: Kind, options: PollOptions, start: Millis, seed: u64) -> Asked {
    let service = service(seed);
    let mut host = Host::new(kind, options, start);
    let mut asked = Vec::new();
    loop {
        let now = host.now;
        let (turn, _) = host.step(|route| {
            let reply = service(now, asked.len());
            asked.push((now, route));
            reply
        });
        match turn {
            Turn::Later(ms) => host.now += ms,
            _ => return asked,
        }
    }
}

#[test]
fn steps_ask_what_the_wait_in_one_piece_asks_and_when_it_asks() {
    let mut requests = 0;
    for kind in [Kind::Imagine, Kind::Video, Kind::Modal] {
        for start in [SUBMITTED, SUBMITTED + 300, SUBMITTED + 40_000, SUBMITTED - 5_000] {
            for interval_ms in [None, Some(2_500)] {
                for seed in 1..40 {
                    let options = PollOptions { interval_ms, after_modal: Some(seed % 2 == 0), ..options() };
                    let whole = in_one_piece(kind, options, start, seed);
                    assert_eq!(in_steps(kind, options, start, seed), whole, "{kind:?} {start} {interval_ms:?} {seed}");
                    requests += whole.len();
                }
            }
        }
    }
    assert!(requests > 5_000, "{requests}");
}

#[test]
fn a_step_before_its_time_asks_nothing_and_says_how_long_it_is_still() {
    let mut host = Host::new(Kind::Imagine, options(), SUBMITTED);
    let first = later(&host.step(|_| panic!("nothing is due")).0);
    assert!((1_000..=15_000).contains(&first), "{first}");
    host.now += first - 1;
    assert_eq!(later(&host.step(|_| panic!("nothing is due")).0), 1);
    host.now += 1;
    assert!(later(&host.see("IN_PROGRESS", "")) >= 1_000);
}

#[test]
fn the_state_is_plain_json_under_a_kilobyte() {
    let mut host = Host::new(Kind::Video, options(), SUBMITTED + HOUR_MS);
    host.see("IN_PROGRESS", r#""progress":"33.333%""#);
    host.fail(503);
    let state = host.state.expect("a state");
    let value: serde_json::Value = serde_json::from_str(&state).expect("JSON");
    assert!(state.len() < 400, "{} bytes: {state}", state.len());
    let numbers = value["n"].as_array().expect("a list");
    assert!(numbers.iter().all(|number| number.as_i64().is_some_and(|number| number <= 1 << 53)), "{state}");
    assert!(!state.contains("1773314942177684"), "{state}");
}

#[test]
fn the_deadline_is_fixed_by_the_first_step() {
    let mut host =
        Host::new(Kind::Imagine, PollOptions { timeout: Some(Timeout::After(60_000)), ..options() }, SUBMITTED);
    host.step(|_| panic!("nothing is due"));
    host.options.timeout = Some(Timeout::Never);
    host.now += 59_999;
    assert_eq!(later(&host.see("IN_PROGRESS", "")), 1);
    host.now += 1;
    assert_eq!(failed(host.see("IN_PROGRESS", "")), (Code::Deadline, true));
}

#[test]
fn a_step_long_after_the_deadline_makes_the_last_request() {
    let mut host = Host::new(Kind::Imagine, options(), SUBMITTED + HOUR_MS);
    host.see("IN_PROGRESS", "");
    host.now += 10 * HOUR_MS;
    assert!(matches!(host.see("SUCCESS", IMAGE), Turn::Done(task) if task.status == Status::Succeeded));
}

#[test]
fn a_wait_without_a_limit_stays_one() {
    let mut host =
        Host::new(Kind::Imagine, PollOptions { timeout: Some(Timeout::Never), ..options() }, SUBMITTED + HOUR_MS);
    host.see("IN_PROGRESS", "");
    host.options.timeout = Some(Timeout::After(1));
    host.now += 100 * HOUR_MS;
    later(&host.see("IN_PROGRESS", ""));
}

#[test]
fn a_reading_that_says_video_gives_the_default_time_of_videos_in_later_steps() {
    let mut host = Host::new(Kind::Imagine, options(), SUBMITTED + HOUR_MS);
    host.see("IN_PROGRESS", r#""action":"VIDEO""#);
    host.now += 20 * 60_000;
    host.see("IN_PROGRESS", r#""action":"VIDEO""#);
    host.now += 10 * 60_000 - 1;
    later(&host.fail(503));
    host.now += 1;
    assert_eq!(failed(host.fail(503)).0, Code::Deadline);
}

#[test]
fn a_state_of_another_version_starts_anew_and_keeps_the_deadline() {
    let mut host = Host::new(Kind::Imagine, options(), SUBMITTED + HOUR_MS);
    let deadline = host.now + 30_000;
    host.state = Some(format!(r#"{{"v":2,"deadline":{deadline},"shape":"unheard of"}}"#));
    assert!(later(&host.see("IN_PROGRESS", "")) <= 30_000);
    host.now = deadline;
    assert_eq!(failed(host.see("IN_PROGRESS", "")).0, Code::Deadline);
}

#[test]
fn garbage_starts_anew_and_keeps_what_can_be_read_of_the_deadline() {
    let start = SUBMITTED + HOUR_MS;
    let fresh = start + 15 * 60_000;
    for (state, deadline) in [
        ("{}", Some(fresh)),
        ("null", Some(fresh)),
        ("[1]", Some(fresh)),
        ("not json", Some(fresh)),
        (r#"{"v":1}"#, Some(fresh)),
        (r#"{"v":1,"deadline":"soon","n":[]}"#, Some(fresh)),
        (r#"{"v":1,"deadline":-5,"n":[1,2,3]}"#, Some(fresh)),
        (r#"{"v":1,"deadline":1e300,"n":[1,2,3]}"#, Some(fresh)),
        (r#"{"v":9,"deadline":1773319999999}"#, Some(1_773_319_999_999)),
        (r#"{"v":9,"deadline":1.773319999999e12}"#, Some(1_773_319_999_999)),
        (r#"{"v":1,"deadline":1773319999999,"n":[null]}"#, Some(1_773_319_999_999)),
        (r#"{"v":1,"deadline":null,"n":{}}"#, None),
    ] {
        let mut host = Host::new(Kind::Imagine, options(), start);
        host.state = Some(state.into());
        assert_eq!(host.poller().deadline(), deadline, "{state}");
        later(&host.see("IN_PROGRESS", ""));
    }
}

#[test]
fn no_numbers_break_a_step() {
    for number in ["-1", "0", "1", "9007199254740992", "9223372036854775807", "1.5", "\"7\""] {
        for status in ["IN_PROGRESS", "MODAL", "SUCCESS"] {
            let mut host = Host::new(Kind::Modal, options(), SUBMITTED + HOUR_MS);
            let numbers = vec![number; 22].join(",");
            host.state = Some(format!(r#"{{"v":1,"deadline":{number},"n":[{numbers}]}}"#));
            for _ in 0..3 {
                host.see(status, "");
                host.fail(503);
                host.now += 400_000;
            }
        }
    }
}

#[test]
fn a_clock_that_was_ahead_holds_a_wait_up_for_five_minutes_at_most() {
    let mut host =
        Host::new(Kind::Imagine, PollOptions { timeout: Some(Timeout::Never), ..options() }, SUBMITTED + 48 * HOUR_MS);
    host.see("IN_PROGRESS", "");
    host.now -= 24 * HOUR_MS;
    assert_eq!(later(&host.step(|_| panic!("nothing is due")).0), 300_000);
}

#[test]
fn a_failed_task_is_a_result() {
    for (word, status) in [("FAILURE", Status::Failed), ("CANCEL", Status::Canceled), ("MODAL", Status::ActionRequired)]
    {
        let mut host = Host::new(Kind::Imagine, options(), SUBMITTED + HOUR_MS);
        assert!(matches!(host.see(word, ""), Turn::Done(task) if task.status == status), "{word}");
    }
}

#[test]
fn failures_that_pass_never_end_it_and_are_backed_off_on() {
    let mut host = Host::new(Kind::Imagine, options(), SUBMITTED + HOUR_MS);
    let mut pauses = Vec::new();
    for _ in 0..14 {
        let pause = later(&host.fail(503));
        pauses.push(pause);
        host.now += pause.max(60_000);
    }
    assert!(pauses.iter().all(|pause| *pause <= 30_000) && pauses.iter().any(|pause| *pause > 8_000), "{pauses:?}");
    host.now = SUBMITTED + HOUR_MS + 15 * 60_000;
    assert_eq!(failed(host.fail(503)).0, Code::Deadline);
}

#[test]
fn retry_after_is_kept_from_step_to_step() {
    let mut host = Host::new(Kind::Imagine, options(), SUBMITTED + HOUR_MS);
    let busy = Reply { status: 429, retry_after: Some("45".into()), ..Reply::default() };
    assert_eq!(later(&host.step(|_| busy).0), 45_000);
    host.now += 44_000;
    assert_eq!(later(&host.step(|_| panic!("nothing is due")).0), 1_000);
}

#[test]
fn what_cannot_get_better_is_thrown_with_the_handle() {
    for (status, code) in
        [(401, Code::Unauthorized), (403, Code::Forbidden), (404, Code::NotFound), (422, Code::Validation)]
    {
        let mut host = Host::new(Kind::Imagine, options(), SUBMITTED + HOUR_MS);
        assert_eq!(failed(host.fail(status)), (code, true));
    }
}

#[test]
fn requests_count_over_all_steps() {
    let mut host = Host::new(Kind::Imagine, PollOptions { max_requests: Some(2), ..options() }, SUBMITTED + HOUR_MS);
    host.now += later(&host.see("IN_PROGRESS", ""));
    assert_eq!(failed(host.see("IN_PROGRESS", "")).0, Code::RequestBudget);
}

#[test]
fn a_modal_that_stays_is_read_through_the_list_in_later_steps() {
    let mut host = Host::new(Kind::Modal, options(), SUBMITTED + HOUR_MS);
    host.see("MODAL", "");
    host.now += 31_000;
    host.see("MODAL", "");
    host.now += 31_000;
    let mut routes = Vec::new();
    host.step(|route| {
        routes.push(route);
        row("IN_PROGRESS", "")
    });
    assert_eq!(routes, [Route::List]);
}

#[test]
fn only_a_reading_is_given_out_as_one() {
    let mut host = Host::new(Kind::Modal, options(), SUBMITTED + HOUR_MS);
    host.see("MODAL", "");
    host.now += 15 * 60_000;
    let (turn, read) = host.step(|_| Reply { status: 503, ..Reply::default() });
    assert_eq!(read, None);
    assert!(matches!(&turn, Turn::Failed(error) if error.code == Code::Deadline && error.task.is_none()), "{turn:?}");
    assert!(matches!(host.see("MODAL", ""), Turn::Done(task) if task.raw_status == "MODAL"));
}

#[test]
fn a_success_waits_for_its_result_over_steps_and_then_gives_up() {
    let mut host = Host::new(Kind::Imagine, options(), SUBMITTED + HOUR_MS);
    for pause in [2_000, 4_000, 8_000, 16_000, 30_000] {
        assert_eq!(later(&host.see("SUCCESS", "")), pause);
        host.now += pause;
    }
    assert_eq!(failed(host.see("SUCCESS", "")).0, Code::NoAsset);
}

#[test]
fn the_age_of_a_bare_id_is_learned_from_the_service_and_kept() {
    let mut host = Host::new(Kind::Imagine, options(), SUBMITTED + 20_000);
    host.is_bare = true;
    host.handle.submitted_at = host.now;
    let submitted = format!(r#""submitTime":{SUBMITTED}"#);
    let young = later(&host.see("IN_PROGRESS", &submitted));
    host.now += young;
    host.handle.submitted_at = host.now;
    assert_eq!(host.poller().handle().submitted_at, SUBMITTED);
}
