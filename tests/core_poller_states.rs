//! What readings do to a wait, in virtual time. Each test is named by its rule: protocol.md 3.1 and 3.2.

mod waits;

use comet_tasks::core::error::Code;
use comet_tasks::core::poller::{PollOptions, Route, Timeout};
use comet_tasks::core::task::{Kind, Status};
use waits::{IMAGE, INTERVAL_MS, START, Wait};

#[test]
fn a_success_without_a_result_is_read_five_times_more_over_sixty_seconds() {
    let mut wait = Wait::plain();
    let mut asked = Vec::new();
    while !wait.is_done() {
        wait.see("SUCCESS", "");
        asked.push(wait.now - START);
    }
    assert_eq!(asked, [0, 2_000, 6_000, 14_000, 30_000, 60_000]);
    let error = wait.error();
    assert_eq!(error.code, Code::NoAsset);
    assert_eq!(error.task.as_ref().map(|task| task.status), Some(Status::Succeeded));
    assert!(error.handle.is_some());
}

#[test]
fn a_result_that_comes_late_ends_the_settling() {
    let mut wait = Wait::plain();
    wait.see("SUCCESS", "");
    wait.see("SUCCESS", IMAGE);
    assert_eq!(wait.outcome().unwrap().list("images"), ["https://a.test/1.png"]);
}

#[test]
fn a_videos_task_without_a_url_is_done_by_its_content() {
    let mut wait = Wait::new(Kind::Veo, PollOptions::default(), START);
    wait.see("completed", "");
    assert!(wait.outcome().unwrap().rest.contains(r#""content":true"#));
}

#[test]
fn modal_is_a_result() {
    let mut wait = Wait::plain();
    wait.see("MODAL", "");
    assert_eq!(wait.outcome().unwrap().status, Status::ActionRequired);
}

#[test]
fn after_a_modal_was_sent_modal_is_running() {
    let mut wait = Wait::after_modal();
    wait.see("MODAL", "");
    assert!(!wait.is_done());
    wait.see("SUCCESS", IMAGE);
    assert!(wait.outcome().is_ok());
}

#[test]
fn after_modal_can_be_said_of_any_task_and_denied_of_a_modals() {
    for (kind, after_modal) in [(Kind::Imagine, true), (Kind::Modal, false)] {
        let options = PollOptions { after_modal: Some(after_modal), ..PollOptions::default() };
        let mut wait = Wait::new(kind, options, START);
        wait.see("MODAL", "");
        assert_eq!(wait.is_done(), !after_modal);
    }
}

/// A wait whose MODAL has been there for so long that the list is asked.
fn stale() -> Wait {
    let mut wait = Wait::after_modal();
    while wait.next_route() == Route::Single {
        wait.see("MODAL", "");
    }
    wait
}

#[test]
fn a_modal_that_stays_thirty_seconds_is_read_through_the_list() {
    let mut wait = stale();
    wait.until_fetch();
    assert_eq!(wait.now - START, 30_000 + INTERVAL_MS);
}

#[test]
fn once_the_list_shows_the_row_that_moves_it_is_asked_on() {
    let mut wait = stale();
    wait.see("IN_PROGRESS", "");
    assert_eq!(wait.next_route(), Route::List);
}

#[test]
fn a_service_without_the_list_route_is_read_singly_for_good() {
    for (status, body) in [(404, "{}"), (405, "<html>405</html>"), (200, "<html>app</html>"), (501, "{}")] {
        let mut wait = stale();
        wait.answer(status, body);
        for _ in 0..40 {
            assert_eq!(wait.next_route(), Route::Single, "after HTTP {status}");
            wait.see("MODAL", "");
        }
    }
}

#[test]
fn a_list_that_leaves_the_task_out_three_times_is_not_asked_again() {
    let mut wait = stale();
    for _ in 0..3 {
        assert_eq!(wait.next_route(), Route::List);
        wait.answer(200, "[]");
    }
    for _ in 0..40 {
        assert_eq!(wait.next_route(), Route::Single);
        wait.see("MODAL", "");
    }
}

#[test]
fn a_key_that_the_list_refuses_stops_the_wait_too() {
    for status in [401, 403] {
        let mut wait = stale();
        wait.answer(status, "{}");
        assert!(wait.is_done(), "HTTP {status}");
    }
}

#[test]
fn a_deadline_with_modal_resolves_as_action_required() {
    let options =
        PollOptions { after_modal: Some(true), timeout: Some(Timeout::After(1_000)), ..PollOptions::default() };
    let mut wait = Wait::new(Kind::Imagine, options, START);
    wait.see("MODAL", "");
    wait.see("MODAL", "");
    assert_eq!(wait.outcome().unwrap().status, Status::ActionRequired);
}

#[test]
fn no_later_reading_changes_a_terminal_one() {
    for (first, second) in [("SUCCESS", "FAILURE"), ("FAILURE", "SUCCESS"), ("CANCEL", "IN_PROGRESS")] {
        let options = PollOptions { throw_on_failure: false, ..PollOptions::default() };
        let mut wait = Wait::new(Kind::Imagine, options, START);
        wait.see(first, IMAGE);
        let before = wait.outcome();
        let mut other = Wait::new(Kind::Imagine, options, START);
        other.see(second, IMAGE);
        let news = wait.poller.handle_reply(wait.now, Ok(other.poller.last().cloned()));
        assert_eq!((wait.outcome(), news), (before, false), "{first}, then {second}");
    }
}

#[test]
fn a_success_that_settles_stays_a_success() {
    for later in ["IN_PROGRESS", "FAILURE", "MODAL"] {
        let mut wait = Wait::plain();
        wait.see("SUCCESS", "");
        assert!(!wait.see(later, ""), "{later} is no news");
        assert_eq!(wait.poller.last().unwrap().status, Status::Succeeded);
        wait.see("SUCCESS", IMAGE);
        assert!(wait.outcome().is_ok(), "after {later}");
    }
}

#[test]
fn a_failure_is_an_error_with_its_reason_or_a_value_when_asked() {
    for (word, code) in [("FAILURE", Code::TaskFailed), ("CANCEL", Code::TaskCanceled)] {
        let mut wait = Wait::plain();
        wait.see(word, r#""failReason":"Banned prompt""#);
        let error = wait.error();
        assert_eq!((error.code, error.message.as_str(), error.retryable), (code, "Banned prompt", false));
        assert!(error.handle.is_some() && error.task.is_some());
    }
    let mut wait = Wait::new(Kind::Imagine, PollOptions { throw_on_failure: false, ..PollOptions::default() }, START);
    wait.see("FAILURE", "");
    assert_eq!(wait.outcome().unwrap().status, Status::Failed);
}

#[test]
fn a_reading_is_news_when_status_or_progress_changed() {
    let mut wait = Wait::plain();
    assert!(wait.see("SUBMITTED", r#""progress":"0%""#));
    assert!(!wait.see("SUBMITTED", r#""progress":"0%","imageUrl":"https://a.test/p.png?rand=1""#));
    assert!(wait.see("IN_PROGRESS", r#""progress":"0%""#));
    assert!(wait.see("IN_PROGRESS", r#""progress":"10%""#));
    assert!(!wait.answer(503, "{}"));
    assert!(!wait.see("IN_PROGRESS", r#""progress":"10%""#));
    assert!(wait.see("IN_PROGRESS", r#""progress":"5%""#), "progress may go backwards");
}

#[test]
fn progress_of_a_hundred_ends_nothing() {
    let mut wait = Wait::plain();
    wait.see("IN_PROGRESS", r#""progress":"100%","imageUrl":"https://a.test/1.png""#);
    assert!(!wait.is_done());
}
