//! When a wait asks and when it gives up, in virtual time. Each test is named by its rule: protocol.md 3.1, schedule.md,
//! and the doc comments of core/poller.rs. core_poller_states.rs has what the readings do to it.

mod waits;

use comet_tasks::core::belief::Belief;
use comet_tasks::core::error::{Code, Error};
use comet_tasks::core::http::Reply;
use comet_tasks::core::poller::{PICTURE_TIMEOUT_MS, PollOptions, Poller, Route, Step, Timeout, VIDEO_TIMEOUT_MS};
use comet_tasks::core::reading;
use comet_tasks::core::task::{Family, Kind, Millis, Status, TaskHandle, TaskId};
use waits::{IMAGE, INTERVAL_MS, START, SUBMITTED, Wait};

fn within(ms: Millis) -> PollOptions {
    PollOptions { timeout: Some(Timeout::After(ms)), ..PollOptions::default() }
}

#[test]
fn the_first_request_of_an_old_task_is_made_at_once() {
    let mut wait = Wait::plain();
    assert_eq!(wait.poller.step(START), Step::Fetch(Route::Single));
}

#[test]
fn the_first_request_of_a_new_task_waits_one_interval_from_the_submit() {
    let mut wait = Wait::new(Kind::Imagine, PollOptions::default(), SUBMITTED + 500);
    assert_eq!(wait.poller.step(SUBMITTED + 500), Step::Sleep(INTERVAL_MS - 500));
}

#[test]
fn a_handle_from_a_clock_that_is_ahead_is_no_reason_to_wait() {
    let mut wait = Wait::new(Kind::Imagine, PollOptions::default(), SUBMITTED - 3_600_000);
    assert_eq!(wait.poller.step(wait.now), Step::Fetch(Route::Single));
}

#[test]
fn interval_ms_is_the_pause_between_requests() {
    let options = PollOptions { interval_ms: Some(7_000), ..PollOptions::default() };
    let mut wait = Wait::new(Kind::Imagine, options, START);
    wait.see("IN_PROGRESS", "");
    assert_eq!(wait.poller.step(wait.now), Step::Sleep(7_000));
}

#[test]
fn a_deadline_is_kept_by_the_clock_with_one_last_request() {
    let mut wait = Wait::new(Kind::Imagine, within(5_000), START);
    let mut asked = Vec::new();
    while !wait.is_done() {
        wait.until_fetch();
        asked.push(wait.now - START);
        let handle = wait.poller.handle().clone();
        let reply = Reply { status: 200, body: r#"{"id":"1","status":"IN_PROGRESS"}"#.into(), ..Reply::default() };
        wait.poller.handle_reply(wait.now, reading::read(&handle, &reply, "https://h.test", wait.now).map(Some));
    }
    assert_eq!(asked, [0, 2_000, 4_000, 5_000]);
    assert_eq!(wait.error().code, Code::Deadline);
}

#[test]
fn a_timer_that_fires_late_still_makes_the_last_request() {
    let mut wait = Wait::new(Kind::Imagine, within(5_000), START);
    wait.see("IN_PROGRESS", "");
    wait.now = START + 3_600_000;
    wait.see("SUCCESS", IMAGE);
    assert_eq!(wait.outcome().unwrap().status, Status::Succeeded);
}

#[test]
fn a_deadline_error_may_be_tried_again_and_carries_handle_and_last_reading() {
    let mut wait = Wait::new(Kind::Imagine, within(1_000), START);
    wait.see("IN_PROGRESS", r#""progress":"31%""#);
    wait.see("IN_PROGRESS", r#""progress":"32%""#);
    let error = wait.error();
    assert_eq!((error.code, error.retryable, error.ambiguous), (Code::Deadline, true, false));
    assert_eq!(error.handle.as_ref(), Some(wait.poller.handle()));
    assert_eq!(error.task.as_ref().and_then(|task| task.progress).map(|progress| progress.0), Some(32_000));
}

#[test]
fn a_request_that_outlives_the_deadline_ends_as_the_deadline() {
    let mut wait = Wait::new(Kind::Imagine, within(1_000), START);
    wait.until_fetch();
    wait.poller.expire();
    assert_eq!(wait.error().code, Code::Deadline);
}

#[test]
fn pictures_have_fifteen_minutes_and_videos_thirty() {
    for (kind, timeout) in [
        (Kind::Imagine, PICTURE_TIMEOUT_MS),
        (Kind::Action, PICTURE_TIMEOUT_MS),
        (Kind::Video, VIDEO_TIMEOUT_MS),
        (Kind::Veo, VIDEO_TIMEOUT_MS),
        (Kind::Remix, VIDEO_TIMEOUT_MS),
    ] {
        assert_eq!(Wait::new(kind, PollOptions::default(), START).poller.deadline(), Some(START + timeout), "{kind:?}");
    }
    assert_eq!((PICTURE_TIMEOUT_MS, VIDEO_TIMEOUT_MS), (900_000, 1_800_000));
}

#[test]
fn a_reading_that_says_video_makes_the_wait_a_videos() {
    for more in [r#""action":"VIDEO""#, r#""videoUrl":"https://v.test/1""#, r#""video_urls":["https://v.test/1"]"#] {
        let mut wait = Wait::plain();
        wait.see("IN_PROGRESS", more);
        assert_eq!(wait.poller.deadline(), Some(START + VIDEO_TIMEOUT_MS), "{more}");
    }
}

#[test]
fn timeout_never_has_no_deadline() {
    let options = PollOptions { timeout: Some(Timeout::Never), ..PollOptions::default() };
    assert_eq!(Wait::new(Kind::Imagine, options, START).poller.deadline(), None);
}

#[test]
fn max_requests_ends_the_wait_with_the_handle() {
    let options = PollOptions { max_requests: Some(2), ..PollOptions::default() };
    let mut wait = Wait::new(Kind::Imagine, options, START);
    wait.see("IN_PROGRESS", "");
    wait.see("IN_PROGRESS", "");
    let error = wait.error();
    assert_eq!((error.code, error.retryable), (Code::RequestBudget, true));
    assert!(error.handle.is_some() && error.task.is_some());
}

#[test]
fn the_last_of_max_requests_may_still_succeed() {
    let options = PollOptions { max_requests: Some(1), ..PollOptions::default() };
    let mut wait = Wait::new(Kind::Imagine, options, START);
    wait.see("SUCCESS", IMAGE);
    assert!(wait.outcome().is_ok());
}

const UNKNOWN: &str = r#"{"description":"task_no_found ","type":"upstream_error","code":4}"#;

#[test]
fn an_unknown_id_is_tolerated_for_ten_seconds_after_the_submit_and_then_not() {
    let mut wait = Wait::new(Kind::Imagine, PollOptions::default(), SUBMITTED);
    while !wait.is_done() {
        wait.answer(400, UNKNOWN);
    }
    assert_eq!(wait.now - SUBMITTED, 10_000);
    let error = wait.error();
    assert_eq!(error.code, Code::NotFound);
    assert!(error.handle.is_some());
}

#[test]
fn an_unknown_id_from_a_clock_that_is_ahead_has_ten_seconds_from_the_first_request() {
    let mut wait = Wait::new(Kind::Imagine, PollOptions::default(), SUBMITTED - 3_600_000);
    while !wait.is_done() {
        wait.answer(400, UNKNOWN);
    }
    assert_eq!(wait.now - (SUBMITTED - 3_600_000), 10_000);
}

#[test]
fn what_is_gone_for_ever_is_not_tolerated() {
    let mut wait = Wait::new(Kind::Imagine, PollOptions::default(), SUBMITTED);
    wait.answer(410, UNKNOWN);
    assert_eq!((wait.error().code, wait.error().status), (Code::NotFound, Some(410)));
}

#[test]
fn another_replica_may_not_know_a_task_that_was_seen_already() {
    let mut wait = Wait::new(Kind::Imagine, PollOptions::default(), SUBMITTED);
    wait.see("SUBMITTED", "");
    wait.answer(400, UNKNOWN);
    assert!(!wait.is_done(), "within ten seconds of the submit");
}

#[test]
fn empty_replies_are_tolerated_three_times_in_a_row() {
    let mut wait = Wait::plain();
    for body in ["", "null", "[]"] {
        wait.answer(200, body);
        assert!(!wait.is_done(), "{body:?}");
    }
    wait.answer(204, "");
    assert_eq!(wait.error().code, Code::NotFound);
}

#[test]
fn a_good_reading_makes_empty_replies_count_anew() {
    let mut wait = Wait::plain();
    for _ in 0..5 {
        wait.answer(204, "");
        wait.answer(204, "");
        wait.see("IN_PROGRESS", "");
    }
    assert!(!wait.is_done());
}

#[test]
fn failed_reads_end_the_wait_after_five_in_a_row_over_sixty_seconds() {
    let mut wait = Wait::plain();
    let mut failures = 0;
    while !wait.is_done() {
        wait.answer(503, "{}");
        failures += 1;
    }
    assert!(failures >= 5 && wait.now - START >= 60_000, "{failures} failures in {} ms", wait.now - START);
    let error = wait.error();
    assert_eq!((error.code, error.status), (Code::Gateway, Some(503)));
    assert!(error.handle.is_some());
}

#[test]
fn four_failed_reads_are_too_few_however_long_they_took() {
    let mut wait = Wait::plain();
    for _ in 0..4 {
        wait.answer(503, "{}");
        wait.now += 60_000;
    }
    assert!(!wait.is_done());
    wait.answer(503, "{}");
    assert!(wait.is_done(), "the fifth");
}

#[test]
fn any_good_reading_resets_the_failures() {
    let mut wait = Wait::plain();
    for _ in 0..20 {
        wait.answer(502, "<html>502</html>");
        wait.now += 20_000;
        wait.see("IN_PROGRESS", "");
    }
    assert!(!wait.is_done());
}

#[test]
fn failed_reads_back_off_within_one_second_doubling_to_thirty() {
    for seed in 1..200 {
        let handle = TaskHandle::new(Kind::Imagine, TaskId::new("1").unwrap(), SUBMITTED);
        let options = PollOptions { timeout: Some(Timeout::Never), ..PollOptions::default() };
        let mut poller = Poller::new(handle, options, Belief::shipped(Family::Midjourney, Kind::Imagine), START, seed);
        for ceiling in [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000] {
            let mut error = Error::new(Code::Network, "midjourney.fetch", "");
            error.retryable = true;
            poller.handle_reply(START, Err(error));
            match poller.step(START) {
                Step::Sleep(ms) => assert!(ms <= ceiling, "{ms} over {ceiling}"),
                Step::Fetch(_) => {}
                Step::Done(outcome) => panic!("{outcome:?}"),
            }
        }
    }
}

#[test]
fn retry_after_lengthens_a_wait_and_never_shortens_it() {
    let reply = |seconds: &str| Reply { status: 429, retry_after: Some(seconds.into()), ..Reply::default() };
    let mut wait = Wait::plain();
    wait.answer_with(reply("45"));
    assert_eq!(wait.poller.step(wait.now), Step::Sleep(45_000));
    let (mut with, mut without) = (Wait::plain(), Wait::plain());
    for _ in 0..4 {
        with.answer_with(reply("0"));
        without.answer(429, "");
    }
    assert_eq!(with.now, without.now);
}

#[test]
fn a_reading_that_asks_for_a_pause_gets_it_when_it_is_the_longer_one() {
    for (seconds, pause_ms) in [("45", 45_000), ("1", INTERVAL_MS), ("soon", INTERVAL_MS)] {
        for kind in [Kind::Imagine, Kind::Modal] {
            let mut wait = Wait::new(kind, PollOptions::default(), START);
            // A modal's task is read through the list after half a minute.
            let status = if kind == Kind::Modal { "MODAL" } else { "IN_PROGRESS" };
            let row = format!(r#"[{{"id":"1773314942177684","status":"{status}"}}]"#);
            let began = wait.now;
            while wait.now - began < 40_000 {
                wait.answer(200, &row);
            }
            wait.answer_with(Reply { status: 200, body: row, retry_after: Some(seconds.into()), ..Reply::default() });
            assert_eq!(wait.poller.step(wait.now), Step::Sleep(pause_ms), "{seconds} {kind:?}");
        }
    }
}

#[test]
fn retry_after_never_reaches_past_the_deadline() {
    let mut wait = Wait::new(Kind::Imagine, within(10_000), START);
    wait.answer_with(Reply { status: 429, retry_after: Some("240".into()), ..Reply::default() });
    assert_eq!(wait.poller.step(wait.now), Step::Sleep(10_000));
}

#[test]
fn where_only_the_list_keeps_failing_the_task_is_read_singly_before_the_wait_gives_up() {
    for (status, is_ok) in [(200, true), (502, false)] {
        let mut wait = Wait::plain();
        while wait.poller.may_list() {
            wait.until_fetch();
            wait.poller.asked(wait.now, Route::List);
            let mut error = Error::new(Code::Gateway, "midjourney.list", "bad gateway");
            error.retryable = true;
            wait.poller.handle_reply(wait.now, Err(error));
        }
        assert!(wait.now - START >= 60_000, "{}", wait.now - START);
        wait.answer(status, &format!(r#"{{"id":"1773314942177684","status":"SUCCESS",{IMAGE}}}"#));
        assert_eq!(wait.outcome().is_ok(), is_ok);
    }
}

#[test]
fn a_refusal_stops_the_wait_at_once_with_the_handle() {
    for (status, body, code) in [
        (401, "", Code::Unauthorized),
        (403, "{}", Code::Forbidden),
        (403, r#"{"message":"quota"}"#, Code::Quota),
        (422, "{}", Code::Validation),
        (501, "{}", Code::Unsupported),
        (501, "", Code::Unsupported),
        (501, "<html>", Code::Unsupported),
        (200, "<html>", Code::Protocol),
    ] {
        let mut wait = Wait::plain();
        wait.answer(status, body);
        let error = wait.error();
        assert_eq!((error.code, error.retryable), (code, false), "HTTP {status}");
        assert!(error.handle.is_some());
    }
}
