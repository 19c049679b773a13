//! What the gateway makes of a reply, held against what the client would have read without it: every body of
//! fixtures/wire.json, once straight from the service and once through the gateway.

use comet_tasks::core::error::{Code, Error, Resend};
use comet_tasks::core::gateway::{Answer, Gateway, MARK, Received, Route, media_type};
use comet_tasks::core::http::Reply;
use comet_tasks::core::json;
use comet_tasks::core::json::Writer;
use comet_tasks::core::reading;
use comet_tasks::core::submit::{Dialect, Submission};
use comet_tasks::core::task::{Family, Kind, Task, TaskHandle, TaskId};
use serde_json::{Value, json};

const NOW: i64 = 1_773_315_000_000;
const SERVICE: &str = "https://api.cometapi.com";
/// The client's base URL, when the gateway is mounted in its page.
const PAGE: &str = "https://page.test/api/comet";
const TAG: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn gateway() -> Gateway {
    Gateway { base_url: SERVICE.into(), base_path: "/api/comet".into(), ..Gateway::default() }
}

fn id(text: &str) -> TaskId {
    TaskId::new(text).expect("a test's id is one")
}

fn reply(status: u16, body: impl Into<String>) -> Reply {
    Reply { status, body: body.into(), ..Reply::default() }
}

/// The reply as the caller gets it, tags in their places.
fn through(route: Route, asked: &[TaskId], reply: &Reply) -> (Answer, Reply) {
    let answer = gateway().answer(Received { route, asked, reply });
    assert_eq!(answer.text.matches(MARK).count(), answer.ids.len(), "one mark for each id: {}", answer.text);
    let text = answer.text.replace(MARK, TAG);
    let is_json = serde_json::from_str::<Value>(&text).is_ok();
    assert!(text.is_empty() || is_json, "an answer is JSON, or empty: {text}");
    let reply = Reply { status: answer.status, body: text, ..reply.clone() };
    (answer, Reply { over_cap: false, redirected: false, ..reply })
}

/// The body of an answer to a reading of `1`.
fn read(body: Value) -> Value {
    let (_, reply) = through(Route::Task(Family::Midjourney), &[id("1")], &reply(200, body.to_string()));
    serde_json::from_str(&reply.body).expect("an answer is JSON")
}

fn tagged(id: &str) -> String {
    format!("{id}.{TAG}")
}

struct Case {
    id: String,
    call: String,
    replies: Vec<Reply>,
}

fn cases() -> Vec<Case> {
    let file: Value = serde_json::from_str(include_str!("fixtures/wire.json")).expect("wire.json is JSON");
    let one = |value: &Value| {
        let body = vec![b' '; value["padding"].as_u64().unwrap_or_default() as usize];
        let body = [&body, value["body"].as_str().unwrap_or_default().as_bytes()].concat();
        let over_cap = body.len() > 1024 * 1024;
        Reply {
            redirected: value["redirected"] == true,
            over_cap,
            ..reply(value["status"].as_u64().unwrap_or_default() as u16, String::from_utf8_lossy(&body))
        }
    };
    let all = file["cases"].as_array().expect("cases is a list").iter();
    let sound = all.filter(|case| case["network"].is_null() && case["hex"].is_null());
    sound
        .map(|case| Case {
            id: case["id"].as_str().unwrap_or_default().into(),
            call: case["call"].as_str().unwrap_or_default().into(),
            replies: match case["sequence"].as_array() {
                Some(sequence) => sequence.iter().map(one).collect(),
                None => vec![one(case)],
            },
        })
        .collect()
}

/// The task as a client behind the gateway would have it, had it read it itself.
fn expected(mut task: Task) -> Value {
    task.handle.id = id(&tagged(task.handle.id.as_str()));
    let own = |url: &str| {
        let places = [format!("{SERVICE}/mj/image/1773314942177684"), format!("{SERVICE}/mj/image/1752813114021206")];
        match places.iter().find(|place| {
            url.strip_prefix(&**place).is_some_and(|rest| !rest.starts_with(|letter: char| letter.is_ascii_digit()))
        }) {
            Some(place) => {
                let name = place.rsplit('/').next().unwrap_or_default();
                format!("{PAGE}/mj/image/{}{}", tagged(name), &url[place.len()..])
            }
            None => url.into(),
        }
    };
    let mut task = shown(&task);
    for field in ["images", "videos"] {
        task[field] = task[field].as_array().unwrap().iter().map(|url| own(url.as_str().unwrap())).collect();
    }
    task["preview"] = task["preview"].as_str().map(own).into();
    task
}

fn shown(task: &Task) -> Value {
    let mut json = Writer::default();
    task.write(&mut json);
    let mut shown: Value = serde_json::from_str(&json.finish()).unwrap();
    // Rows of other tasks do not pass.
    shown.as_object_mut().unwrap().remove("row");
    shown
}

/// Behind the gateway nothing is safer to repeat, and nothing more certain, than without it.
fn assert_no_bolder(case: &str, direct: &Error, through: &Error) {
    assert!(!direct.ambiguous || through.ambiguous, "{case}: doubt is lost: {direct:?} {through:?}");
    assert!(through.resend == Resend::Never || direct.resend != Resend::Never, "{case}: sent again: {through:?}");
    let is_the_gateways_own =
        matches!(direct.code, Code::Redirect | Code::Protocol | Code::Unauthorized | Code::TooLarge);
    assert!(is_the_gateways_own || direct.code == through.code, "{case}: {direct:?} {through:?}");
    assert_eq!(direct.handle.is_some(), through.handle.is_some(), "{case}: the handle: {direct:?} {through:?}");
}

#[test]
fn a_reading_says_the_same_through_the_gateway() {
    let mut count = 0;
    for case in cases().into_iter().filter(|case| matches!(case.call.as_str(), "fetch" | "retrieve")) {
        let videos = case.call == "retrieve";
        let (kind, route) = match videos {
            true => (Kind::Veo, Route::Task(Family::Videos)),
            false => (Kind::Imagine, Route::Task(Family::Midjourney)),
        };
        let named = id(if videos { "task_pa9CKKtYlTdxO7IIHOKKhXfjxEu4EQoR" } else { "1773314942177684" });
        let direct_handle = TaskHandle::new(kind, named.clone(), NOW);
        let page_handle = TaskHandle::new(kind, id(&tagged(named.as_str())), NOW);
        for reply in &case.replies {
            let direct = reading::read(&direct_handle, reply, SERVICE, NOW);
            let (_, passed) = through(route, std::slice::from_ref(&named), reply);
            let page = reading::read(&page_handle, &passed, PAGE, NOW);
            match (direct, page) {
                (Ok(direct), Ok(page)) => assert_eq!(shown(&page), expected(direct), "{}", case.id),
                (Err(direct), Err(page)) => assert_no_bolder(&case.id, &direct, &page),
                (direct, page) => {
                    panic!("{}: {direct:?}\n{page:?}\n{:?}", case.id, passed.body)
                }
            }
            count += 1;
        }
    }
    println!("{count} readings");
    assert!(count > 150);
}

#[test]
fn a_submits_reply_says_the_same_through_the_gateway() {
    let mut count = 0;
    for case in cases() {
        let (kind, params) = match case.call.as_str() {
            "imagine" => (Kind::Imagine, json!({ "prompt": "x" })),
            "action" => (Kind::Action, json!({ "taskId": "1", "customId": "a::b" })),
            "video" => (Kind::Video, json!({ "image": "https://a.test/i.png" })),
            "create" => (Kind::Veo, json!({ "prompt": "x" })),
            "remix" => (Kind::Remix, json!({ "handle": "task_1", "prompt": "x" })),
            _ => continue,
        };
        let read = |params: &str| Submission::read(kind, &json::parse(params).unwrap(), Dialect::Comet, None).unwrap();
        let submission = read(&params.to_string());
        // The page knows the parent by the gateway's name for it.
        let of_page = read(&params.to_string().replace("task_1", &tagged("task_1")));
        for reply in &case.replies {
            let direct = submission.judge(reply, SERVICE, NOW);
            let (_, passed) = through(Route::Submit(kind), &[], reply);
            let page = of_page.judge(&passed, PAGE, NOW);
            match (direct, page) {
                (Ok(direct), Ok(page)) => {
                    assert_eq!(page.handle.id.as_str(), tagged(direct.handle.id.as_str()), "{}", case.id);
                    let more: Vec<_> = direct.handle.more.iter().map(|id| tagged(id.as_str())).collect();
                    assert_eq!(page.handle.more.iter().map(TaskId::as_str).collect::<Vec<_>>(), more, "{}", case.id);
                    assert_eq!(
                        (page.handle.code, page.handle.queue_position),
                        (direct.handle.code, direct.handle.queue_position)
                    );
                    assert_eq!(page.task.map(|task| task.status), direct.task.map(|task| task.status), "{}", case.id);
                }
                (Err(direct), Err(page)) => assert_no_bolder(&case.id, &direct, &page),
                (direct, page) => {
                    panic!("{}: {direct:?}\n{page:?}\n{:?}", case.id, passed.body)
                }
            }
            count += 1;
        }
    }
    println!("{count} submits");
    assert!(count > 120);
}

#[test]
fn a_reading_names_no_task_but_the_one_that_was_asked_for() {
    let body = json!({ "id": "2", "task_id": "3", "status": "SUCCESS", "data": { "id": 4, "status": "SUCCESS" } });
    let own = tagged("1");
    assert_eq!(
        read(body),
        json!({ "id": own, "task_id": own, "status": "SUCCESS", "data": { "id": own, "status": "SUCCESS" } })
    );
    assert_eq!(read(json!({ "remixed_from_video_id": "2", "status": "x" })), json!({ "status": "x" }));
}

#[test]
fn a_list_keeps_the_rows_that_were_asked_for_and_no_other() {
    let asked = [id("1"), id("2")];
    let rows = json!([{ "id": "2", "status": "A" }, { "id": "3", "status": "B" }, { "status": "C" }, { "id": 1, "status": "D" }]);
    for body in [rows.clone(), json!({ "data": rows })] {
        let (answer, passed) = through(Route::Tasks, &asked, &reply(200, body.to_string()));
        assert_eq!(answer.ids, [id("2"), id("1")]);
        let passed: Value = serde_json::from_str(&passed.body).unwrap();
        let list = if body.is_array() { &passed } else { &passed["data"] };
        assert_eq!(*list, json!([{ "id": tagged("2"), "status": "A" }, { "id": tagged("1"), "status": "D" }]));
    }
}

#[test]
fn a_submits_reply_names_its_new_tasks_signed() {
    let submit = |body: Value| {
        let (_, passed) = through(Route::Submit(Kind::Action), &[], &reply(200, body.to_string()));
        serde_json::from_str::<Value>(&passed.body).unwrap()
    };
    let code = |result: Value| submit(json!({ "code": 1, "result": result }))["result"].clone();
    assert_eq!(code(json!("7")), json!(tagged("7")));
    assert_eq!(code(json!(1773314942177684_i64)), json!(tagged("1773314942177684")));
    assert_eq!(code(json!("7,8")), json!(format!("{},{}", tagged("7"), tagged("8"))));
    assert_eq!(code(json!(null)), json!(null));
    assert_eq!(code(json!("")), json!(null));
}

#[test]
fn an_upload_and_a_seed_name_no_task() {
    for (route, body) in [
        (Route::Upload, json!({ "code": 1, "result": ["https://cdn.test/a.png"] })),
        (Route::Seed, json!({ "code": 1, "result": "4711" })),
    ] {
        let (answer, passed) = through(route, &[], &reply(200, body.to_string()));
        assert_eq!(serde_json::from_str::<Value>(&passed.body).unwrap(), body);
        assert_eq!(answer.ids, []);
    }
}

#[test]
fn an_id_that_leaves_no_room_for_its_tag_is_an_upstream_error() {
    let body = json!({ "code": 1, "result": "9".repeat(212) }).to_string();
    assert_eq!(through(Route::Submit(Kind::Imagine), &[], &reply(200, body)).0.status, 502);
    let body = json!({ "code": 1, "result": "9".repeat(211) }).to_string();
    let (answer, passed) = through(Route::Submit(Kind::Imagine), &[], &reply(200, body));
    let passed: Value = serde_json::from_str(&passed.body).unwrap();
    assert_eq!((answer.status, passed["result"].as_str().unwrap().len()), (200, 255));
}

#[test]
fn addresses_at_the_service_that_name_the_task_become_the_gateways() {
    let url = |url: &str| read(json!({ "status": "SUCCESS", "imageUrl": url }))["imageUrl"].clone();
    let own = format!("/api/comet/mj/image/{}", tagged("1"));
    for place in [
        "https://api.cometapi.com/mj/image/1",
        "https://API.cometapi.com:443/mj/image/1",
        "/mj/image/1",
        "https://api.cometapi.com/mj/image/%31",
    ] {
        assert_eq!(url(place), json!(own), "{place}");
    }
    assert_eq!(url("https://api.cometapi.com/mj/image/1.png"), json!(format!("{own}.png")));
    assert_eq!(url("https://api.cometapi.com/mj/image/1?rand=17"), json!(format!("{own}?rand=17")));
    assert_eq!(url("https://api.cometapi.com/mj/image/1?rand=a&b=c"), json!(own), "other parameters stay behind");
    for elsewhere in
        ["https://cdn.test/mj/image/1", "https://api.cometapi.com/mj/image/2", "https://api.cometapi.com/cdn/1/0.png"]
    {
        assert_eq!(url(elsewhere), json!(elsewhere));
    }
    assert_eq!(
        url("/cdn/1/0.png"),
        json!("https://api.cometapi.com/cdn/1/0.png"),
        "a path is the service's, not the page's"
    );
}

#[test]
fn the_content_route_becomes_the_gateways_and_the_client_knows_it_again() {
    let body = json!({ "id": "task_1", "status": "completed", "metadata": { "url": "https://api.cometapi.com/v1/videos/task_1/content" } });
    let (_, passed) = through(Route::Task(Family::Videos), &[id("task_1")], &reply(200, body.to_string()));
    let own = tagged("task_1");
    let value: Value = serde_json::from_str(&passed.body).unwrap();
    assert_eq!(value["metadata"]["url"], json!(format!("/api/comet/v1/videos/{own}/content")));
    let task = reading::read(&TaskHandle::new(Kind::Veo, id(&own), NOW), &passed, PAGE, NOW).unwrap();
    assert_eq!((&shown(&task)["content"], &shown(&task)["videos"]), (&json!(true), &json!([])));
}

#[test]
fn urls_in_every_form_that_services_write_are_found() {
    let own = format!("/api/comet/mj/image/{}", tagged("1"));
    let place = "https://api.cometapi.com/mj/image/1";
    assert_eq!(read(json!({ "imageUrls": [{ "url": place }, place] }))["imageUrls"], json!([{ "url": own }, own]));
    assert_eq!(
        read(json!({ "videoUrls": json!([{ "url": place }]).to_string() }))["videoUrls"],
        json!([{ "url": own }])
    );
    assert_eq!(read(json!({ "failReason": place }))["failReason"], json!(own));
}

#[test]
fn what_no_rule_names_stays_behind() {
    let body = json!({
        "status": "SUCCESS", "notifyHook": "https://operator.test/hook?secret=1", "maskBase64": "AAAA", "__proto__": { "a": 1 },
        "properties": { "notifyHook": "x", "discordInstanceId": "x", "finalPrompt": "a boat" }, "nonce": 1, "prompt": { "a": 1 },
        "buttons": [{ "customId": "MJ::x", "label": "U1", "hash": "x" }],
    });
    let seen = json!({ "status": "SUCCESS", "prompt": null, "properties": { "finalPrompt": "a boat" }, "buttons": [{ "customId": "MJ::x", "label": "U1" }] });
    assert_eq!(read(body), seen);
}

#[test]
fn sentences_lose_their_tags_and_have_an_end() {
    let body = json!({ "error": { "message": "<script>alert(1)</script>no <b>credit</b>" } });
    assert_eq!(read(body)["error"]["message"], json!("alert(1)no credit"));
    assert_eq!(read(json!({ "description": "ab ".repeat(5_000) }))["description"].as_str().unwrap().len(), 998);
    let long = read(json!({ "description": "敏感词".repeat(1_000) }))["description"].as_str().unwrap().len();
    assert!((990..1_000).contains(&long), "{long}: a sentence may have no spaces");
    assert_eq!(read(json!({ "description": "key:".to_string() + &"k".repeat(2_000) }))["description"], json!(""));
    assert_eq!(read(json!({ "prompt": "a < b <i>" }))["prompt"], json!("a < b <i>"), "a prompt is the caller's own");
}

#[test]
fn a_task_that_comes_with_a_refused_key_is_the_callers_all_the_same() {
    let (route, accepted) = (Route::Submit(Kind::Imagine), r#"{"code":1,"result":"5"}"#);
    let (answer, passed) = through(route, &[], &reply(401, accepted));
    assert_eq!((answer.status, answer.ids), (403, vec![id("5")]));
    assert_eq!(passed.body, format!(r#"{{"code":1,"result":"5.{TAG}"}}"#));
    let (answer, passed) = through(route, &[], &reply(401, r#"{"code":1,"description":"token sk-1"}"#));
    assert_eq!((answer.status, answer.ids), (403, vec![]));
    assert!(!passed.body.contains("sk-1"));
}

#[test]
fn no_page_no_redirect_and_no_refused_key_reaches_the_caller_as_such() {
    let status = |status: u16, body: &str| {
        let (answer, passed) = through(Route::Task(Family::Midjourney), &[id("1")], &reply(status, body));
        assert!(!passed.body.contains('<'));
        answer.status
    };
    assert_eq!(status(200, "<html>hello</html>"), 502);
    assert_eq!(status(404, "<html>hello</html>"), 502);
    assert_eq!(status(503, "<html>hello</html>"), 503);
    assert_eq!(status(403, "<html>hello</html>"), 403);
    assert_eq!(status(302, ""), 502);
    assert_eq!(status(0, ""), 502);
    assert_eq!([101, 600, 999].map(|odd| status(odd, "{}")), [502; 3]);
    assert_eq!(status(401, r#"{"error":{"message":"Invalid token sk-1"}}"#), 403);
    assert_eq!(status(200, "{\"id\":"), 502);
    assert_eq!(status(204, ""), 200);
    assert_eq!(status(429, ""), 429);
    let over = Reply { over_cap: true, ..reply(200, "") };
    assert_eq!(through(Route::Seed, &[id("1")], &over).0.status, 502);
}

#[test]
fn bytes_go_on_as_pictures_videos_or_nothing_in_particular() {
    let known = |content_type| media_type(content_type).unwrap_or_default();
    assert_eq!(known("video/mp4; codecs=avc1"), "video/mp4");
    assert_eq!(known("Video/MP4"), "video/mp4");
    assert_eq!(known("application/mp4"), "video/mp4");
    assert_eq!(known(""), "application/octet-stream");
    assert_eq!(known("binary/octet-stream"), "application/octet-stream");
    for page in [
        "text/html",
        "application/json",
        "image/svg+xml",
        "image/SVG+XML",
        "application/xhtml+xml",
        "application/javascript",
        "image/png\r\nx: y",
    ] {
        assert_eq!(media_type(page), None, "{page}");
    }
}
