//! The wait's schedule in virtual time, over seeded tasks: schedule.md's figures, which an implementation must reproduce.

mod durations;

use comet_tasks::core::belief::Belief;
use comet_tasks::core::handle::{Family, Kind};
use comet_tasks::core::http::Reply;
use comet_tasks::core::poller::{PollOptions, Poller, Step};
use comet_tasks::core::reading;
use comet_tasks::core::task::Millis;
use durations::{Course, Random, handle, reply};

const TASKS: u32 = 500;

struct Figures {
    requests: f64,
    mean_s: f64,
    p95_s: f64,
}

/// Waits for one task that ends at `end`; returns requests and how long the end went unnoticed.
fn wait(kind: Kind, end: Millis, progress_at: impl Fn(Millis) -> Option<i64>) -> (u32, Millis) {
    let handle = handle(kind);
    let belief = Belief::shipped(kind.family(), kind);
    let mut poller = Poller::new(handle.clone(), PollOptions::default(), belief, 0, 1);
    let (mut now, mut requests) = (0, 0);
    loop {
        match poller.step(now) {
            Step::Sleep(ms) => now += ms,
            Step::Fetch(_) => {
                requests += 1;
                let done = now >= end;
                poller
                    .handle_reply(now, Ok(Some(reply(&handle, done, if done { Some(100) } else { progress_at(now) }))));
            }
            Step::Done(_) => return (requests, now - end),
        }
    }
}

/// 500 tasks of a kind. Coarse progress shows the last step passed, on a path that each task bends a little.
fn simulate(kind: Kind, coarse: bool) -> Figures {
    let belief = Belief::shipped(kind.family(), kind);
    let mut random = Random::default();
    let (mut requests, mut late) = (0, Vec::new());
    for _ in 0..TASKS {
        let task = Course::new(belief, &mut random);
        let (asked, unnoticed) = wait(kind, task.end, |now| coarse.then(|| task.progress(now)));
        requests += asked;
        late.push(unnoticed as f64 / 1000.0);
    }
    late.sort_by(f64::total_cmp);
    Figures {
        requests: f64::from(requests) / f64::from(TASKS),
        mean_s: late.iter().sum::<f64>() / f64::from(TASKS),
        p95_s: late[late.len() * 95 / 100],
    }
}

/// Within a share of schedule.md's figures: the seeds are ours, and so is how each task bends its progress.
fn assert_near(share: f64, figures: &Figures, requests: f64, mean_s: f64, p95_s: f64) {
    println!("{:.2} requests, {:.2} s mean, {:.2} s p95", figures.requests, figures.mean_s, figures.p95_s);
    for (name, got, wanted) in
        [("requests", figures.requests, requests), ("mean", figures.mean_s, mean_s), ("p95", figures.p95_s, p95_s)]
    {
        assert!((got / wanted - 1.0).abs() < share, "{name}: {got:.2}, schedule.md has {wanted}");
    }
}

#[test]
fn without_progress_the_figures_are_those_of_the_schedule() {
    assert_near(0.15, &simulate(Kind::Imagine, false), 6.3, 2.7, 5.7);
    assert_near(0.15, &simulate(Kind::Video, false), 11.9, 5.2, 10.7);
    assert_near(0.15, &simulate(Kind::Veo, false), 12.1, 5.7, 10.8);
}

#[test]
fn with_coarse_progress_the_figures_are_those_of_the_schedule() {
    assert_near(0.35, &simulate(Kind::Imagine, true), 5.0, 1.6, 3.5);
    assert_near(0.35, &simulate(Kind::Video, true), 10.0, 2.4, 4.9);
    assert_near(0.35, &simulate(Kind::Veo, true), 10.0, 2.4, 5.4);
}

#[test]
fn the_first_request_comes_no_later_than_fifteen_seconds_after_the_submit() {
    let belief = Belief::shipped(Family::Videos, Kind::Veo);
    let mut poller = Poller::new(handle(Kind::Veo), PollOptions::default(), belief, 0, 1);
    assert_eq!(poller.step(0), Step::Sleep(15_000));
}

#[test]
fn a_task_of_unknown_age_is_asked_for_at_once() {
    let belief = Belief::shipped(Family::Videos, Kind::Veo);
    let mut poller = Poller::new(handle(Kind::Veo), PollOptions::default(), belief, 60_000, 1);
    assert!(matches!(poller.step(60_000), Step::Fetch(_)));
}

#[test]
fn an_unknown_id_at_the_first_request_of_a_fresh_task_is_tolerated_for_ten_seconds() {
    let unknown = || {
        let body = r#"{"code":4,"description":"task_no_found "}"#.into();
        let reply = Reply { status: 400, body, ..Reply::default() };
        reading::read(&handle(Kind::Veo), &reply, "https://api.test", 15_000).map(Some)
    };
    let belief = Belief::shipped(Family::Videos, Kind::Veo);
    let mut poller = Poller::new(handle(Kind::Veo), PollOptions::default(), belief, 0, 1);
    for now in [15_000, 17_000, 24_999] {
        poller.handle_reply(now, unknown());
        assert_eq!(poller.step(now), Step::Sleep(2_000));
    }
    poller.handle_reply(25_000, unknown());
    assert!(matches!(poller.step(25_000), Step::Done(outcome) if outcome.is_err()));
}

#[test]
fn a_bare_id_is_asked_for_at_once_and_is_as_old_as_the_service_says() {
    let belief = Belief::shipped(Family::Midjourney, Kind::Imagine);
    let mut poller = Poller::new(handle(Kind::Imagine), PollOptions::default(), belief, 0, 1);
    poller.age_is_unknown();
    assert!(matches!(poller.step(0), Step::Fetch(_)));
}
