//! A wait in steps that a host drives, in virtual time: each step is a new wait that goes on from the state of the one
//! before, as JSON. What it asks, and when, is compared with the same wait driven in one piece.

mod waits;

use comet_tasks::core::belief::Belief;
use comet_tasks::core::error::Code;
use comet_tasks::core::http::Reply;
use comet_tasks::core::poller::{PollOptions, Poller, Route, Step, Turn};
use comet_tasks::core::task::{Kind, Millis, Status};
use waits::host::{HOUR_MS, Host, failed, handle, later, options, read_reply, row};
use waits::{IMAGE, SUBMITTED};

/// A service with habits: it answers by the time and by how often it was asked.
fn service(seed: u64) -> impl Fn(Millis, usize) -> Reply {
    move |now, asked| {
        let dice = (asked as u64 + 1).wrapping_mul(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1) >> 40;
        let age = now - SUBMITTED;
        match dice % 11 {
            0 => Reply { status: 503, body: "{}".into(), ..Reply::default() },
            1 => Reply { status: 429, retry_after: Some("7".into()), ..Reply::default() },
            2 if asked < 3 => Reply { status: 204, ..Reply::default() },
            3 if age < 10_000 => Reply { status: 404, body: "{}".into(), ..Reply::default() },
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
fn what_cannot_get_better_is_thrown_with_the_handle() {
    for (status, code) in
        [(401, Code::Unauthorized), (403, Code::Forbidden), (404, Code::NotFound), (422, Code::Validation)]
    {
        let mut host = Host::new(Kind::Imagine, options(), SUBMITTED + HOUR_MS);
        assert_eq!(failed(host.fail(status)), (code, true));
    }
}

#[test]
fn only_a_reading_is_given_out_as_one() {
    let mut host = Host::new(Kind::Modal, options(), SUBMITTED + HOUR_MS);
    host.see("MODAL", "");
    host.now += 15 * 60_000;
    let (turn, read) = host.step(|_| Reply { status: 503, ..Reply::default() });
    assert_eq!(read, None);
    assert!(matches!(&turn, Turn::Failed(error) if error.code == Code::Deadline && error.task.is_none()), "{turn:?}");
    assert!(matches!(host.see("MODAL", ""), Turn::Done(task) if task.status == Status::ActionRequired));
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
