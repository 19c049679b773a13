//! What a wait in steps remembers from one to the next, and what it makes of a state that is not its own.

mod waits;

use comet_tasks::core::error::Code;
use comet_tasks::core::http::Reply;
use comet_tasks::core::poller::{PollOptions, Route, Timeout, Turn};
use comet_tasks::core::task::{Kind, Status};
use waits::host::{HOUR_MS, Host, failed, later, options, read_reply, row};
use waits::{IMAGE, SUBMITTED};

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
fn numbers_that_were_damaged_make_no_deadline_later() {
    let mut host = Host::new(Kind::Imagine, options(), SUBMITTED + HOUR_MS);
    let deadline = host.now + 15 * 60_000;
    host.see("IN_PROGRESS", "");
    let state = host.state.clone().expect("a state");
    assert_eq!(host.poller().deadline(), Some(deadline));
    for started_at in ["9007199254740992", "1.7733161421770e15"] {
        let began = format!("[{}", host.now);
        assert!(state.contains(&began));
        host.state = Some(state.replacen(&began, &format!("[{started_at}"), 1));
        assert_eq!(host.poller().deadline(), Some(deadline));
    }
}

#[test]
fn no_numbers_break_a_step() {
    for number in ["-1", "0", "1", "9007199254740992", "9223372036854775807", "1.5", "\"7\""] {
        for status in ["IN_PROGRESS", "MODAL", "SUCCESS"] {
            let mut host = Host::new(Kind::Modal, options(), SUBMITTED + HOUR_MS);
            let numbers = vec![number; 21].join(",");
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
fn retry_after_is_kept_from_step_to_step() {
    let mut host = Host::new(Kind::Imagine, options(), SUBMITTED + HOUR_MS);
    let busy = Reply { status: 429, retry_after: Some("45".into()), ..Reply::default() };
    assert_eq!(later(&host.step(|_| busy).0), 45_000);
    host.now += 44_000;
    assert_eq!(later(&host.step(|_| panic!("nothing is due")).0), 1_000);
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

#[test]
fn a_later_step_does_not_change_a_default_time() {
    let mut host = Host::new(Kind::Imagine, options(), SUBMITTED + HOUR_MS);
    host.see("IN_PROGRESS", "");
    let deadline = host.poller().deadline();
    host.options.timeout = Some(Timeout::After(1));
    assert_eq!(host.poller().deadline(), deadline);
}

#[test]
fn the_numbers_of_another_version_are_not_taken() {
    let mut host = Host::new(Kind::Imagine, PollOptions { max_requests: Some(1), ..options() }, SUBMITTED + HOUR_MS);
    host.see("IN_PROGRESS", "");
    assert_eq!(failed(host.see("IN_PROGRESS", "")).0, Code::RequestBudget);
    host.state = host.state.map(|state| state.replacen(r#""v":1"#, r#""v":2"#, 1));
    let mut asked = 0;
    host.step(|_| {
        asked += 1;
        row("IN_PROGRESS", "")
    });
    assert_eq!(asked, 1, "a new wait");
}

#[test]
fn empty_replies_are_counted_over_steps() {
    let mut host = Host::new(Kind::Imagine, options(), SUBMITTED + HOUR_MS);
    let empty = |_| Reply { status: 204, ..Reply::default() };
    for _ in 0..3 {
        host.now += later(&host.step(empty).0);
    }
    assert_eq!(failed(host.step(empty).0).0, Code::NotFound);
}

#[test]
fn an_unknown_id_has_ten_seconds_from_the_first_step_that_met_it() {
    let mut host = Host::new(Kind::Imagine, options(), SUBMITTED + 15_000);
    let mut waited = 0;
    while let Turn::Later(ms) = host.fail(404) {
        host.now += ms;
        waited += ms;
    }
    assert_eq!(waited, 10_000);
}

#[test]
fn the_age_of_a_bare_id_may_still_be_learned_by_a_later_step() {
    let mut host = Host::new(Kind::Imagine, options(), SUBMITTED + HOUR_MS);
    (host.is_bare, host.handle.submitted_at) = (true, host.now);
    host.now += later(&host.see("IN_PROGRESS", ""));
    host.handle.submitted_at = host.now;
    host.see("IN_PROGRESS", &format!(r#""submitTime":{SUBMITTED}"#));
    assert_eq!(host.poller().handle().submitted_at, SUBMITTED);
}

#[test]
fn a_gateway_without_the_list_route_is_not_asked_for_it_again() {
    let mut host = Host::new(Kind::Modal, options(), SUBMITTED + HOUR_MS);
    let mut routes = Vec::new();
    for _ in 0..6 {
        host.now += 40_000;
        host.step(|route| {
            routes.push(route);
            match route {
                Route::Single => row("MODAL", ""),
                Route::List => Reply { status: 405, ..Reply::default() },
            }
        });
    }
    assert_eq!(routes.iter().filter(|route| **route == Route::List).count(), 1, "{routes:?}");
}

#[test]
fn what_was_read_before_is_no_news() {
    let mut host = Host::new(Kind::Imagine, options(), SUBMITTED + HOUR_MS);
    host.see("IN_PROGRESS", r#""progress":"7%""#);
    let is_news = |progress| {
        let mut poller = host.poller();
        let reply = row("IN_PROGRESS", &format!(r#""progress":"{progress}%""#));
        let task = read_reply(&poller, Route::List, &reply, host.now);
        poller.handle_reply(host.now, task)
    };
    assert_eq!((is_news(7), is_news(8)), (false, true));
}

#[test]
fn an_error_carries_the_reading_of_its_step_or_none() {
    let mut host =
        Host::new(Kind::Imagine, PollOptions { timeout: Some(Timeout::After(1)), ..options() }, SUBMITTED + HOUR_MS);
    host.see("IN_PROGRESS", r#""progress":"7%""#);
    host.now += 1;
    let Turn::Failed(error) = host.fail(503) else { panic!("not over") };
    assert_eq!((error.code, &error.task), (Code::Deadline, &None));
}
