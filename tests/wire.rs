//! The cases of fixtures/wire.json against the core, without a network. tests/js/wire.test.mjs runs the same through the
//! built package.

mod cases;

use std::collections::BTreeMap;

use cases::{BASE_URL, Case, NOW, Seen, WireReply, complaints};
use comet_tasks::core::belief::Belief;
use comet_tasks::core::error::{Error, Resend};
use comet_tasks::core::http::{Body, HttpRequest, Part};
use comet_tasks::core::poller::{PollOptions, Poller, Route, Step};
use comet_tasks::core::submit::{Dialect, Speed, Submission};
use comet_tasks::core::task::{Kind, Millis, Task, TaskHandle, TaskId};
use comet_tasks::core::{assets, json, midjourney, reading, webhook};
use serde_json::{Map, Value, json};

/// The cases that are about what happens outside of the core, by the words of their `network`.
fn needs_the_package(case: &Case) -> Option<&str> {
    match case.call.as_str() {
        _ if case.network.is_some() => case.network.as_deref(),
        // Content that is a video goes to the caller unread.
        "content" if case.expects_success() => Some("the body is the caller's to read"),
        _ => None,
    }
}

#[test]
fn every_case_is_judged_as_protocol_md_says() {
    let (mut counts, mut failed) = (BTreeMap::<String, (u32, u32)>::new(), Vec::new());
    for case in Case::all() {
        let (run, left) = counts.entry(case.group.clone()).or_default();
        if let Some(why) = needs_the_package(&case) {
            *left += 1;
            println!("{} is the package's alone: {why}", case.id);
            continue;
        }
        *run += 1;
        for seen in outcomes(&case) {
            let complaints = complaints(&case, &seen);
            if !complaints.is_empty() {
                failed.push(format!("{} {} ({})\n{complaints}", case.id, case.title, case.call));
            }
        }
    }
    for (group, (run, left)) in &counts {
        println!("{group}: {run} run, {left} in the package alone");
    }
    let run: u32 = counts.values().map(|(run, _)| run).sum();
    println!("all: {run} run of {}", Case::all().len());
    assert!(failed.is_empty(), "{} cases fail\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn no_two_cases_are_alike_in_call_expectation_and_shape_of_body() {
    let mut seen = BTreeMap::new();
    for case in Case::all() {
        let replies: Vec<_> = case.replies().into_iter().map(WireReply::shape).collect();
        let asked = format!("{} {:?} {:?}", case.call, case.request, case.network);
        let key = format!("{} {asked} {replies:?} {:?}", case.group, case.expect);
        if let Some(other) = seen.insert(key, case.id.clone()) {
            panic!("{other} and {} are the same", case.id);
        }
        assert!(case.id.starts_with(&case.group), "{} is not in group {}", case.id, case.group);
    }
    let ids: std::collections::BTreeSet<_> = Case::all().into_iter().map(|case| case.id).collect();
    assert_eq!(ids.len(), Case::all().len(), "two cases have one id");
}

/// A read is made by itself and again inside a wait: both must say the same.
fn outcomes(case: &Case) -> Vec<Seen> {
    match case.call.as_str() {
        "fetch" | "retrieve" => reads(case),
        "list" => vec![listed(case)],
        "upload" => vec![uploaded(case)],
        "seed" => vec![seeded(case)],
        "content" => vec![
            reading::content_error(
                &handle_of(case).unwrap_or_else(|_| panic!("{}: the id is refused", case.id)),
                &case.reply.reply(),
                NOW,
            )
            .into(),
        ],
        "asset" => {
            let url = case.request["url"].as_str().expect("an asset case has a url");
            vec![Seen::Value(json!({ "expiresAt": assets::url_expiry(url) }))]
        }
        "webhook" => case.replies().into_iter().map(posted).collect(),
        _ => vec![submitted(case)],
    }
}

fn submitted(case: &Case) -> Seen {
    let submission = match read_submission(case) {
        Ok(submission) => submission,
        Err(error) => return error.into(),
    };
    let mut error = None;
    for reply in case.replies() {
        match submission.judge(&reply.reply(), BASE_URL, NOW) {
            Ok(accepted) => {
                let mut seen = match (&accepted.task, case.expects("status").is_null()) {
                    (Some(task), false) => Seen::from(task),
                    _ => Seen::from(&accepted.handle),
                };
                if let Seen::Value(value) = &mut seen {
                    describe_request(&submission.request, value);
                }
                return seen;
            }
            Err(refused) => {
                let is_last = case.sequence.is_empty() || refused.resend == Resend::Never;
                error = Some(refused);
                if is_last {
                    break;
                }
            }
        }
    }
    error.expect("a case has a reply").into()
}

fn describe_request(request: &HttpRequest, seen: &mut Value) {
    seen["requestPath"] = request.path.clone().into();
    match &request.body {
        Body::Json { text, .. } => {
            seen["requestBodyJsonEquals"] = serde_json::from_str(text).expect("a body is JSON");
        }
        Body::Form(parts) => {
            let name = |part: &Part| match part {
                Part::Text { name, .. } => name.clone(),
                Part::File { name, .. } => (*name).into(),
            };
            seen["parts"] = parts.iter().map(name).collect();
        }
        Body::Empty => {}
    }
}

/// The case's arguments, or those of an ordinary call.
fn read_submission(case: &Case) -> Result<Submission, Error> {
    let kind = match case.call.as_str() {
        "create" | "videos" => Kind::Veo,
        "any" => Kind::Imagine,
        call => Kind::new(call).unwrap_or_else(|| panic!("{}: no such call: {call}", case.id)),
    };
    let mut params = case.request.clone();
    let speed = params.remove("speed").map(|word| Speed::new(word.as_str().unwrap()).unwrap());
    let dialect = if params.remove("dialect").is_some() { Dialect::Snake } else { Dialect::Comet };
    params.remove("baseUrl");
    if params.is_empty() {
        params = ordinary(kind);
    }
    let text = Value::Object(with_pictures(params)).to_string();
    Submission::read(kind, &json::parse(&text).expect("serde_json writes JSON"), dialect, speed)
}

fn ordinary(kind: Kind) -> Map<String, Value> {
    let picture = || json!("<png a.png>");
    let params = match kind {
        Kind::Video => json!({ "image": "https://a.test/i.png" }),
        Kind::Action => json!({ "taskId": "1773314942177000", "customId": "MJ::JOB::upsample::1::x" }),
        Kind::Modal => json!({ "taskId": "1773314942177000" }),
        Kind::Blend => json!({ "images": [picture(), picture()] }),
        Kind::Describe => json!({ "image": picture() }),
        Kind::Edits => json!({ "prompt": "x", "image": picture() }),
        Kind::Remix => json!({ "handle": "task_1", "prompt": "x" }),
        Kind::Imagine | Kind::Shorten | Kind::Veo => json!({ "prompt": "x" }),
    };
    params.as_object().unwrap().clone()
}

/// `"<png NAME>"` stands for a picture; the multipart field's own name is the service's.
fn with_pictures(params: Map<String, Value>) -> Map<String, Value> {
    let mut count = 0;
    let mut picture = |value: Value| match value.as_str() {
        Some(text) if text.starts_with("<png ") || text.ends_with(".png") && !text.contains('/') => {
            count += 1;
            let name = text.trim_start_matches("<png ").trim_end_matches('>');
            json!({ "image": count - 1, "type": "image/png", "size": 8, "name": name })
        }
        _ => value,
    };
    let mut described = Map::new();
    for (name, value) in params {
        let value = match value {
            Value::Array(items) => items.into_iter().map(&mut picture).collect(),
            value => picture(value),
        };
        described.insert(if name == "input_reference" { "inputReference".into() } else { name }, value);
    }
    described
}

/// The task that a read is about: one that was submitted a minute ago.
fn handle_of(case: &Case) -> Result<TaskHandle, Seen> {
    let videos = matches!(case.call.as_str(), "retrieve" | "content");
    let word = case.request.get("kind").and_then(Value::as_str).unwrap_or(if videos { "veo" } else { "imagine" });
    let known = if videos { "task_pa9CKKtYlTdxO7IIHOKKhXfjxEu4EQoR" } else { "1773314942177684" };
    let id = case.request.get("id").and_then(Value::as_str).unwrap_or(known);
    let age = case.request.get("age").and_then(Value::as_i64).unwrap_or(60_000);
    let kind = Kind::new(word).expect("a case's kind is one of the package's");
    let refused = || Error::argument("midjourney.fetch", "handle", TaskId::RULE, id).into();
    TaskId::new(id).map(|id| TaskHandle::new(kind, id, NOW - age)).ok_or_else(refused)
}

fn reads(case: &Case) -> Vec<Seen> {
    let handle = match handle_of(case) {
        Ok(handle) => handle,
        Err(refused) => return vec![refused],
    };
    let awaited = wait(case, handle.clone());
    if !case.sequence.is_empty() || is_of_a_wait(case) {
        return vec![awaited];
    }
    let mut alone = match reading::read(&handle, &case.reply.reply(), BASE_URL, NOW) {
        Ok(task) => Seen::from(&task),
        Err(error) => Seen::from(error),
    };
    if let Seen::Value(value) = &mut alone {
        value["requestPath"] = reading::request(&handle).path.into();
    }
    if case.expects("requestPath").is_null() { vec![alone, awaited] } else { vec![alone] }
}

/// An outcome that no single reading has.
fn is_of_a_wait(case: &Case) -> bool {
    matches!(case.expects("kind").as_str(), Some("task_failed" | "task_canceled" | "no_asset" | "deadline"))
}

/// The wait in virtual time. A task that goes on is judged by its last reading.
fn wait(case: &Case, handle: TaskHandle) -> Seen {
    let replies = case.replies();
    let (mut now, mut asked) = (NOW, 0);
    let mut poller =
        Poller::new(handle.clone(), PollOptions::default(), Belief::shipped(handle.family, handle.kind), now, 1);
    loop {
        match poller.step(now) {
            Step::Done(outcome) => return outcome.map_or_else(Seen::from, |task| Seen::from(&task)),
            Step::Sleep(ms) => now += ms,
            Step::Fetch(route) => {
                let reply: &WireReply = replies[asked.min(replies.len() - 1)];
                asked += 1;
                poller.handle_reply(now, read_by(route, &handle, reply, now));
            }
        }
        match poller.last() {
            Some(task) if asked >= replies.len() && !task.status.is_terminal() => return task.into(),
            _ => {}
        }
    }
}

fn read_by(route: Route, handle: &TaskHandle, reply: &WireReply, now: Millis) -> Result<Option<Task>, Error> {
    match route {
        Route::Single => reading::read(handle, &reply.reply(), BASE_URL, now).map(Some),
        Route::List => reading::read_listed(handle, &reply.reply(), BASE_URL, now),
    }
}

fn listed(case: &Case) -> Seen {
    let handle = handle_of(case).unwrap_or_else(|_| panic!("{}: the id is refused", case.id));
    match reading::read_listed(&handle, &case.reply.reply(), BASE_URL, NOW) {
        Ok(Some(task)) => Seen::from(&task),
        Ok(None) => Seen::Value(Value::Null),
        Err(error) => error.into(),
    }
}

fn uploaded(case: &Case) -> Seen {
    match midjourney::uploaded(&case.reply.reply(), NOW) {
        Ok(urls) => Seen::Value(json!({ "urls": urls })),
        Err(error) => error.into(),
    }
}

fn seeded(case: &Case) -> Seen {
    match midjourney::seeded(&case.reply.reply(), NOW) {
        Ok(seed) => Seen::Value(json!({ "seed": seed })),
        Err(error) => error.into(),
    }
}

fn posted(reply: &WireReply) -> Seen {
    match webhook::parse(reply.text(), BASE_URL, NOW) {
        Ok(task) => Seen::from(&task),
        Err(error) => error.into(),
    }
}
