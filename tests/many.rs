//! One reading of many tasks: which requests it takes, and what stands in which place. protocol.md 1.13.

use comet_tasks::core::error::{Code, Error};
use comet_tasks::core::http::{Body, Reply};
use comet_tasks::core::json::Writer;
use comet_tasks::core::many::{Ask, Many};
use comet_tasks::core::poller::Route;
use comet_tasks::core::task::{Kind, Status, TaskHandle, TaskId};

fn handle(kind: Kind, id: &str) -> TaskHandle {
    TaskHandle::new(kind, TaskId::new(id).expect("a sound id"), 0)
}

fn pictures(count: usize) -> Vec<TaskHandle> {
    (0..count).map(|at| handle(Kind::Imagine, &at.to_string())).collect()
}

fn reply(status: u16, body: &str) -> Reply {
    Reply { status, body: body.into(), ..Reply::default() }
}

fn answer(many: &mut Many, ask: &Ask, status: u16, body: &str) -> Result<(), Error> {
    many.replied(ask, Ok(&reply(status, body)), "https://h.test", 0)
}

/// All requests that are left, as route and places.
fn drain(many: &mut Many) -> Vec<(Route, Vec<usize>)> {
    std::iter::from_fn(|| many.next_ask()).map(|ask| (ask.route, ask.places)).collect()
}

fn written(many: &Many) -> String {
    let mut json = Writer::default();
    many.write(&mut json);
    json.finish()
}

fn row(id: &str, status: &str) -> String {
    format!(r#"{{"id":"{id}","status":"{status}"}}"#)
}

#[test]
fn a_list_names_at_most_a_hundred_and_videos_are_asked_singly() {
    let mut handles = pictures(250);
    handles.insert(3, handle(Kind::Veo, "task_1"));
    let asks = drain(&mut Many::new(handles, true));
    let shape: Vec<_> = asks.iter().map(|(route, places)| (*route, places.len())).collect();
    assert_eq!(shape, [(Route::List, 100), (Route::List, 100), (Route::List, 50), (Route::Single, 1)]);
    assert_eq!(asks[3].1, [3]);
}

#[test]
fn one_task_alone_goes_by_its_own_address() {
    assert_eq!(drain(&mut Many::new(pictures(1), true)), [(Route::Single, vec![0])]);
    assert_eq!(drain(&mut Many::new(pictures(101), true))[1], (Route::Single, vec![100]));
}

#[test]
fn the_same_task_is_asked_for_once() {
    let handles = ["1", "2", "1", "2", "3"].map(|id| handle(Kind::Imagine, id)).to_vec();
    let mut many = Many::new(handles, true);
    let ask = many.next_ask().expect("a list");
    assert_eq!((ask.places.clone(), many.next_ask()), (vec![0, 1, 4], None));
    let Body::Json { text, .. } = many.request(&ask).body else { panic!("no JSON") };
    assert_eq!(text, r#"{"ids":["1","2","3"]}"#);
    assert_eq!(many.firsts(), [0, 1, 0, 1, 4]);
}

#[test]
fn an_id_of_the_other_family_is_another_task() {
    let mut other = handle(Kind::Veo, "1");
    let many = &mut Many::new(vec![handle(Kind::Imagine, "1"), other.clone()], true);
    assert_eq!(drain(many), [(Route::Single, vec![1]), (Route::Single, vec![0])]);
    other.model = Some("m".into());
    assert_eq!(drain(&mut Many::new(vec![other.clone(), other], true)).len(), 1);
}

#[test]
fn each_place_keeps_its_own_handle() {
    let mut tagged = handle(Kind::Action, "1");
    tagged.state = Some("mine".into());
    let mut many = Many::new(vec![handle(Kind::Imagine, "1"), tagged], true);
    let ask = many.next_ask().expect("a request");
    answer(&mut many, &ask, 200, &row("1", "IN_PROGRESS")).expect("a reading");
    let text = written(&many);
    assert_eq!(text.matches(r#""kind":"imagine""#).count(), 1);
    assert_eq!(text.matches(r#""kind":"action","id":"1","submittedAt":0,"state":"mine""#).count(), 1);
}

#[test]
fn what_the_list_leaves_out_is_unknown() {
    let mut many = Many::new(pictures(3), true);
    let ask = many.next_ask().expect("a list");
    answer(&mut many, &ask, 200, &format!("[{}]", row("1", "SUBMITTED"))).expect("a list");
    assert_eq!(many.next_ask(), None);
    let text = written(&many);
    assert!(text.starts_with(r#"[null,{"task":"#) && text.ends_with(",null]"), "{text}");
}

#[test]
fn of_two_rows_the_most_advanced_counts_and_is_named() {
    let mut many = Many::new(pictures(2), true);
    let ask = many.next_ask().expect("a list");
    let rows = [row("1", "MODAL"), row("0", "MODAL"), row("1", "IN_PROGRESS"), row("1", "SUBMITTED")].join(",");
    answer(&mut many, &ask, 200, &format!("[{rows}]")).expect("a list");
    let of: Vec<_> = many.tasks(&ask).map(|task| (task.status, task.row)).collect();
    assert_eq!(of, [(Status::ActionRequired, Some(1)), (Status::Running, Some(2))]);
}

#[test]
fn a_gateway_without_the_list_route_is_asked_singly() {
    let html = "<!doctype html><html></html>";
    for (status, body) in [
        (404, ""),
        (404, "{}"),
        (405, ""),
        (501, ""),
        (501, "{}"),
        (200, html),
        (404, html),
        (302, ""),
        (400, "{}"),
        (200, "{}"),
    ] {
        let mut many = Many::new(pictures(120), true);
        let ask = many.next_ask().expect("a list");
        answer(&mut many, &ask, status, body).expect("no reason to stop");
        assert!(!many.lists_work(), "HTTP {status} {body}");
        let asks = drain(&mut many);
        assert_eq!(asks.len(), 120, "HTTP {status} {body}");
        assert!(asks.iter().all(|(route, places)| *route == Route::Single && places.len() == 1));
    }
}

#[test]
fn an_outage_says_nothing_of_the_route_and_is_each_tasks_error() {
    for (status, body) in [(503, "{}"), (502, "<html>"), (429, ""), (500, "{}"), (200, "[{")] {
        let mut many = Many::new(pictures(2), true);
        let ask = many.next_ask().expect("a list");
        answer(&mut many, &ask, status, body).expect("no reason to stop");
        assert_eq!((many.lists_work(), many.next_ask()), (true, None), "HTTP {status} {body}");
        let text = written(&many);
        assert_eq!(text.matches(r#"{"error":{"code":"#).count(), 2, "{text}");
        assert!(text.contains(r#""id":"0""#) && text.contains(r#""id":"1""#), "{text}");
    }
}

#[test]
fn a_list_that_is_too_large_is_asked_singly_and_the_next_is_a_list_again() {
    let mut many = Many::new(pictures(2), true);
    let ask = many.next_ask().expect("a list");
    let reply = Reply { status: 200, over_cap: true, ..Reply::default() };
    many.replied(&ask, Ok(&reply), "https://h.test", 0).expect("no reason to stop");
    assert_eq!((drain(&mut many).len(), many.lists_work()), (2, true));
}

#[test]
fn without_the_list_route_nothing_is_listed() {
    let asks = drain(&mut Many::new(pictures(120), false));
    assert!(asks.len() == 120 && asks.iter().all(|(route, _)| *route == Route::Single));
}

#[test]
fn a_single_reading_may_be_unknown_or_fail() {
    let mut many = Many::new(["task_1", "task_2", "task_3"].map(|id| handle(Kind::Veo, id)).to_vec(), true);
    for (status, body) in
        [(400, r#"{"code":"task_not_exist"}"#), (503, "{}"), (200, r#"{"id":"task_3","status":"queued"}"#)]
    {
        let ask = many.next_ask().expect("a request");
        answer(&mut many, &ask, status, body).expect("no reason to stop");
    }
    let text = written(&many);
    assert!(text.starts_with(r#"[null,{"error":{"code":"gateway""#), "{text}");
    assert!(text.contains(r#",{"task":{"handle""#), "{text}");
}

#[test]
fn a_refused_key_ends_it_all() {
    for (status, code) in [(401, Code::Unauthorized), (403, Code::Forbidden)] {
        for count in [1, 2] {
            let mut many = Many::new(pictures(count), true);
            let ask = many.next_ask().expect("a request");
            assert_eq!(answer(&mut many, &ask, status, "{}").expect_err("refused").code, code);
        }
    }
}
