//! schedule.md, The rule: what the other files of tests do not have by name. Its figures are in `schedule.rs`, the closed form
//! in `belief.rs`, deadlines and failed reads in `core_poller.rs`, many tasks in `scheduler.rs`.

mod durations;

use comet_tasks::core::belief::{Belief, Beliefs, Learned};
use comet_tasks::core::error::{Code, Error};
use comet_tasks::core::handle::{Family, Kind};
use comet_tasks::core::json;
use comet_tasks::core::poller::{PollOptions, Poller, Route, Step};
use comet_tasks::core::reading;
use comet_tasks::core::task::{Millis, Progress, Task};
use durations::{handle, reply};

fn belief(kind: Kind) -> Belief {
    Belief::shipped(kind.family(), kind)
}

fn poller(kind: Kind, now: Millis) -> Poller {
    Poller::new(handle(kind), PollOptions::default(), belief(kind), now, 1)
}

fn task(kind: Kind, body: &str) -> Task {
    reading::task(&json::parse(body).expect("JSON"), &handle(kind), "https://api.test").expect("a task")
}

fn learned_of(kind: Kind, body: &str) -> Belief {
    let mut beliefs = Beliefs::default();
    beliefs.learn(&task(kind, body));
    beliefs.of(kind.family(), kind, None)
}

#[test]
fn the_shipped_medians_are_40_s_for_pictures_134_for_videos_120_for_v1_and_75_for_the_rest() {
    let shipped = |family, kind| {
        let Belief { mu, sigma } = Belief::shipped(family, kind);
        (mu.exp().round(), sigma)
    };
    assert_eq!(shipped(Family::Midjourney, Kind::Imagine), (40.0, 0.46));
    assert_eq!(shipped(Family::Midjourney, Kind::Video), (134.0, 0.49));
    assert_eq!(shipped(Family::Videos, Kind::Veo), (120.0, 0.67));
    assert_eq!(shipped(Family::Midjourney, Kind::Describe), (75.0, 0.75));
}

#[test]
fn the_services_own_times_of_a_task_that_succeeded_teach() {
    let done = r#"{"id":"1","status":"SUCCESS","submitTime":1773314942000,"finishTime":1773315022000}"#;
    assert!(learned_of(Kind::Imagine, done).mu > belief(Kind::Imagine).mu);
}

#[test]
fn a_task_that_failed_teaches_nothing() {
    let failed = r#"{"id":"1","status":"FAILURE","submitTime":1773314942000,"finishTime":1773315022000}"#;
    assert_eq!(learned_of(Kind::Imagine, failed), belief(Kind::Imagine));
}

#[test]
fn completed_at_of_a_task_that_is_not_completed_is_no_time() {
    let queued = r#"{"id":"1","status":"queued","created_at":1773314942,"completed_at":1773315022}"#;
    assert_eq!(learned_of(Kind::Veo, queued), belief(Kind::Veo));
}

#[test]
fn sigma_is_drawn_to_a_half_while_samples_are_few() {
    let mut learned = Learned::default();
    learned.add(40.0);
    let few = learned.apply(belief(Kind::Imagine)).sigma;
    (0..100).for_each(|_| learned.add(40.0));
    let many = learned.apply(belief(Kind::Imagine)).sigma;
    assert!(few > 0.4 && many < 0.1, "{few}, {many}");
}

#[test]
fn a_picture_whose_reading_turns_out_to_be_a_video_is_believed_as_one() {
    let video = r#"{"id":"1","action":"VIDEO","status":"IN_PROGRESS","progress":"5%"}"#;
    assert_eq!(Beliefs::default().of_task(&task(Kind::Imagine, video)), belief(Kind::Video));
}

#[test]
fn progress_counts_as_98_percent_at_most() {
    let at = |percent| belief(Kind::Video).with_progress(Some(Progress(percent)), 98.0);
    assert_eq!(at(98_000), at(100_000));
}

#[test]
fn a_step_of_progress_counts_from_when_it_was_reached_and_not_from_each_time_that_it_is_read_again() {
    let mut poller = poller(Kind::Video, 0);
    let mut gap_after = |now| {
        poller.handle_reply(now, Ok(Some(reply(&handle(Kind::Video), false, Some(35)))));
        poller.step(now)
    };
    // Reached somewhere before 15 s: it foretells 36 s, and does not become 86 s when it is read again at 30.
    let own = belief(Kind::Video);
    let foretold = own.with_progress(Some(Progress(35_000)), 15.0 * 0.85);
    let first = foretold.gap(15.0, 0.5, 0.0);
    assert_eq!(gap_after(15_000), Step::Sleep((first * 1000.0) as Millis));
    let again = own.unless_overdue(foretold, 30.0).gap(30.0, 0.5, first);
    assert_eq!(gap_after(30_000), Step::Sleep((again * 1000.0) as Millis));
}

#[test]
fn a_pending_task_is_never_backed_off_on() {
    let mut poller = poller(Kind::Imagine, 0);
    let mut now = 0;
    let mut longest = 0;
    while now < 100_000 {
        match poller.step(now) {
            Step::Sleep(ms) => {
                longest = longest.max(ms);
                now += ms;
            }
            Step::Fetch(_) => {
                poller.handle_reply(now, Ok(Some(reply(&handle(Kind::Imagine), false, None))));
            }
            Step::Done(_) => panic!("it is not over"),
        }
    }
    assert!(longest <= 15_000, "a gap of {longest} ms");
}

#[test]
fn a_page_that_becomes_visible_asks_at_once_but_not_twice_within_a_second() {
    let mut poller = poller(Kind::Video, 0);
    poller.hurry(4_000);
    assert!(matches!(poller.step(4_000), Step::Fetch(_)));
    poller.handle_reply(4_100, Ok(Some(reply(&handle(Kind::Video), false, None))));
    poller.hurry(4_200);
    assert_eq!(poller.step(4_200), Step::Sleep(800));
}

#[test]
fn a_page_that_comes_back_online_asks_at_once_after_failures_but_not_before_the_service_wants_it() {
    for (wish, pause) in [(None, 0), (Some(30_000), 10_000)] {
        let mut poller = poller(Kind::Video, 1_000_000);
        // The clock of the submitter is behind: the task is asked for at once.
        let mut error = Error::new(Code::Network, "midjourney.fetch", "offline");
        (error.retryable, error.retry_after_ms) = (true, wish);
        let mut now = 1_000_000;
        for _ in 0..4 {
            while let Step::Sleep(ms) = poller.step(now) {
                now += ms;
            }
            poller.handle_reply(now, Err(error.clone()));
        }
        // Wherever the jitter lies, it is no more than this.
        let Step::Sleep(left) = poller.step(now) else { panic!("it backs off") };
        let before = if wish.is_some() { 20_000 } else { 1_000 };
        assert!(left > before, "{left}");
        poller.hurry(now + before);
        let next = poller.step(now + before);
        assert_eq!(next, if pause == 0 { Step::Fetch(Route::Single) } else { Step::Sleep(pause) });
    }
}
