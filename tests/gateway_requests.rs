//! What the gateway lets pass, and as what. Each refusal differs in one respect from a request that passes.

use comet_tasks::core::gateway::{Check, Gateway, Head, MARK, Outgoing, Passed, Refusal, Route, list_of, open_handle};
use comet_tasks::core::http::{Body, Part};
use comet_tasks::core::json::{self, Writer};
use comet_tasks::core::submit::Speed;
use comet_tasks::core::task::{Family, Kind, TaskId};
use serde_json::{Value, json};

const TAG: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn gateway() -> Gateway {
    Gateway {
        base_url: "https://service.test".into(),
        base_path: "/api/comet".into(),
        max_body_bytes: 1000,
        ..Gateway::default()
    }
}

fn tagged(id: &str) -> String {
    format!("{id}.{TAG}")
}

/// A request's head; `change` overrides members, and headers one by one.
fn head(method: &str, path: &str, change: Value) -> Value {
    let mut head = json!({ "method": method, "origin": "https://page.test", "path": path, "query": "", "headers": {} });
    if method == "POST" {
        head["headers"]["content-type"] = json!("application/json");
    }
    for (name, value) in change.as_object().expect("a change is an object") {
        if name == "query" {
            head["query"] = value.clone();
        } else {
            head["headers"][name] = value.clone();
        }
    }
    head
}

fn judge(gateway: &Gateway, head: &Value) -> Result<Passed, Refusal> {
    let text = head.to_string();
    gateway.judge(Head::new(&json::parse(&text).expect("serde_json writes JSON")))
}

fn status(gateway: &Gateway, head: Value) -> u16 {
    judge(gateway, &head).map_or_else(|refusal| refusal.status, |_| 200)
}

fn route(method: &str, path: &str) -> Result<(Route, Option<String>), u16> {
    let form = if path.ends_with("/v1/videos") {
        json!({ "content-type": "multipart/form-data; boundary=x" })
    } else {
        json!({})
    };
    match judge(&gateway(), &head(method, &format!("/api/comet{path}"), form)) {
        Ok(Passed::Route { route, path, .. }) => Ok((route, path)),
        Ok(Passed::Preflight) => Err(0),
        Err(refusal) => Err(refusal.status),
    }
}

#[test]
fn every_call_of_the_client_has_its_route() {
    let (mj, video) = (tagged("17"), tagged("task_1"));
    for kind in ["imagine", "video", "action", "modal", "blend", "describe", "shorten", "edits"] {
        assert_eq!(route("POST", &format!("/mj/submit/{kind}")), Ok((Route::Submit(Kind::new(kind).unwrap()), None)));
    }
    assert_eq!(route("POST", "/mj-turbo/mj/submit/imagine"), Ok((Route::Submit(Kind::Imagine), None)));
    assert_eq!(route("POST", "/mj/submit/upload-discord-images"), Ok((Route::Upload, None)));
    assert_eq!(route("POST", "/mj/task/list-by-condition"), Ok((Route::Tasks, None)));
    assert_eq!(route("POST", "/v1/videos"), Ok((Route::Submit(Kind::Veo), None)));
    assert_eq!(route("POST", &format!("/v1/videos/{video}/remix")), Ok((Route::Submit(Kind::Remix), None)));
    let of = |path: &str| route("GET", path).map(|(route, path)| (route, path.unwrap_or_default()));
    assert_eq!(of(&format!("/mj/task/{mj}/fetch")), Ok((Route::Task(Family::Midjourney), "/mj/task/17/fetch".into())));
    assert_eq!(of(&format!("/mj/task/{mj}/image-seed")), Ok((Route::Seed, "/mj/task/17/image-seed".into())));
    assert_eq!(of(&format!("/mj/image/{mj}")), Ok((Route::Content(Family::Midjourney), "/mj/image/17".into())));
    assert_eq!(of(&format!("/mj/image/{mj}.png")), Ok((Route::Content(Family::Midjourney), "/mj/image/17.png".into())));
    assert_eq!(of(&format!("/v1/videos/{video}")), Ok((Route::Task(Family::Videos), "/v1/videos/task_1".into())));
    assert_eq!(
        of(&format!("/v1/videos/{video}/content")),
        Ok((Route::Content(Family::Videos), "/v1/videos/task_1/content".into()))
    );
}

#[test]
fn every_other_path_and_method_is_refused() {
    let id = tagged("17");
    for path in [
        "",
        "/",
        "/v1/models",
        "/v1/chat/completions",
        "/mj/submit/imagine/",
        "//mj/submit/imagine",
        "/mj/submit/veo",
        "/mj/submit/remix",
        "/mj/submit/change",
        "/mj-slow/mj/submit/imagine",
        "/mj-fast/mj/task/list-by-condition",
        "/mj-fast/v1/videos",
        "/MJ/submit/imagine",
        "/mj/submit/imagine%2f",
        "/mj/insight-face/swap",
    ] {
        assert_eq!(route("POST", path), Err(404), "{path}");
    }
    for path in [
        format!("/mj/task/{id}/cancel"),
        format!("/mj/task/{id}%2f..%2fx/fetch"),
        format!("/mj/task/{id};a/fetch"),
        format!("/mj/task/{id}%/fetch"),
        format!("/mj/task/%ff{id}/fetch"),
    ] {
        assert_eq!(route("GET", &path), Err(404), "{path}");
    }
    for (method, path) in [
        ("GET", "/mj/submit/imagine"),
        ("PUT", "/mj/submit/imagine"),
        ("DELETE", "/v1/videos/x"),
        ("HEAD", "/v1/videos/x"),
        ("post", "/mj/submit/imagine"),
        ("OPTIONS", "/mj/submit/imagine"),
    ] {
        assert_eq!(route(method, path), Err(405), "{method} {path}");
    }
    assert_eq!(status(&gateway(), head("POST", "/mj/submit/imagine", json!({}))), 404, "outside of the mount point");
    assert_eq!(status(&gateway(), head("POST", "/api/cometary/mj/submit/imagine", json!({}))), 404);
    let closed = Gateway { allow: Some(vec!["task".into()]), ..gateway() };
    assert_eq!(status(&closed, head("POST", "/api/comet/mj/submit/imagine", json!({}))), 404);
    assert_eq!(status(&closed, head("GET", &format!("/api/comet/mj/task/{id}/fetch"), json!({}))), 200);
}

#[test]
fn an_id_has_one_spelling_and_a_whole_tag() {
    let good = tagged("17");
    let read = |id: &str| route("GET", &format!("/mj/task/{id}/fetch")).map(|_| ());
    assert_eq!(read(&good), Ok(()));
    assert_eq!(read(&good.replace('1', "%31")), Ok(()), "an escape is the same letter");
    for bad in [
        "17",
        "17.",
        &good[..good.len() - 1],
        &format!("{good}A"),
        &good.replace('.', "~"),
        &format!("17.{}B", &TAG[1..]),
        &format!("17.{}=", &TAG[1..]),
        &tagged(""),
        &tagged("."),
        &tagged("%2017"),
        &tagged(&"9".repeat(212)),
    ] {
        assert_eq!(read(bad), Err(404), "{bad}");
    }
    let check = Check::new(Family::Videos, &tagged("task_1.x")).unwrap();
    assert_eq!((check.named.id.as_str(), &*check.tag), ("task_1.x", TAG));
}

#[test]
fn bodies_have_the_routes_type_and_a_length_within_the_cap() {
    let submit = |change| status(&gateway(), head("POST", "/api/comet/mj/submit/imagine", change));
    assert_eq!(submit(json!({})), 200);
    assert_eq!(submit(json!({ "content-type": "Application/JSON; charset=utf-8" })), 200);
    for other in
        ["text/plain", "application/jsonp", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", ""]
    {
        assert_eq!(submit(json!({ "content-type": other })), 415, "{other}");
    }
    assert_eq!(submit(json!({ "content-type": null })), 415);
    assert_eq!(submit(json!({ "content-length": "1000" })), 200);
    assert_eq!(submit(json!({ "content-length": "1001" })), 413);
    assert_eq!(submit(json!({ "content-length": "-1" })), 400);
    assert_eq!(submit(json!({ "content-encoding": "gzip" })), 415);
    let form = |change| status(&gateway(), head("POST", "/api/comet/v1/videos", change));
    assert_eq!(form(json!({ "content-type": "multipart/form-data; boundary=x" })), 200);
    assert_eq!(form(json!({})), 415);
}

#[test]
fn no_route_has_parameters_but_an_images_name_for_the_cache() {
    let image = format!("/api/comet/mj/image/{}", tagged("17"));
    assert_eq!(status(&gateway(), head("GET", &image, json!({ "query": "?rand=1a" }))), 200);
    for query in ["?rand=a&b=c", "?rand=%2e", "?x=1", &format!("?rand={}", "1".repeat(41))] {
        assert_eq!(status(&gateway(), head("GET", &image, json!({ "query": query }))), 400, "{query}");
    }
    assert_eq!(status(&gateway(), head("POST", "/api/comet/mj/submit/imagine", json!({ "query": "?rand=1" }))), 400);
}

#[test]
fn pages_of_other_origins_are_refused_unless_they_were_named() {
    let named = Gateway { origins: vec!["https://app.test".into()], ..gateway() };
    let post = |gateway: &Gateway, change| status(gateway, head("POST", "/api/comet/mj/submit/imagine", change));
    assert_eq!(post(&gateway(), json!({ "origin": "https://page.test" })), 200);
    assert_eq!(post(&gateway(), json!({ "origin": "https://page.test", "sec-fetch-site": "same-origin" })), 200);
    assert_eq!(
        post(&gateway(), json!({ "origin": "http://page.test", "sec-fetch-site": "same-origin" })),
        200,
        "TLS ends before"
    );
    assert_eq!(post(&named, json!({ "origin": "https://app.test", "sec-fetch-site": "cross-site" })), 200);
    for origin in [
        "https://app.test",
        "null",
        "http://page.test",
        "https://page.test:444",
        "https://page.test.evil.test",
        "https://PAGE.test",
    ] {
        assert_eq!(post(&gateway(), json!({ "origin": origin })), 403, "{origin}");
    }
    for origin in
        ["https://app.test.evil.test", "http://app.test", "https://app.test:444", "null", "https://sub.app.test"]
    {
        assert_eq!(post(&named, json!({ "origin": origin })), 403, "{origin}");
    }
    assert_eq!(post(&gateway(), json!({ "origin": "https://page.test", "sec-fetch-site": "cross-site" })), 403);
    assert_eq!(post(&gateway(), json!({ "sec-fetch-site": "same-site" })), 403);
    assert_eq!(post(&named, json!({ "sec-fetch-site": "cross-site" })), 403);
    let image = |gateway: &Gateway| {
        status(
            gateway,
            head("GET", &format!("/api/comet/mj/image/{}", tagged("1")), json!({ "sec-fetch-site": "cross-site" })),
        )
    };
    assert_eq!((image(&gateway()), image(&named)), (403, 200));
}

fn reply_headers(gateway: &Gateway, head: &Value) -> Vec<(String, String)> {
    let text = head.to_string();
    let mut json = Writer::default();
    json.list(|json| gateway.write_reply_headers(Head::new(&json::parse(&text).unwrap()), json));
    serde_json::from_str(&json.finish()).expect("headers are pairs")
}

#[test]
fn a_preflight_is_answered_for_named_origins_alone() {
    let named = Gateway { origins: vec!["https://app.test".into()], ..gateway() };
    let ask = |origin: &str, method: &str| {
        let change = json!({ "origin": origin, "access-control-request-method": method, "access-control-request-headers": "content-type,x-csrf" });
        head("OPTIONS", "/api/comet/mj/submit/imagine", change)
    };
    assert_eq!(judge(&named, &ask("https://app.test", "POST")), Ok(Passed::Preflight));
    assert_eq!(status(&named, ask("https://app.test", "DELETE")), 405);
    assert_eq!(status(&named, ask("https://page.test", "POST")), 405, "its own pages need none");
    assert_eq!(status(&named, ask("https://evil.test", "POST")), 403);
    let headers = reply_headers(&named, &ask("https://app.test", "POST"));
    let value = |name: &str| headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    assert_eq!(value("access-control-allow-origin"), Some("https://app.test"));
    assert_eq!(value("access-control-allow-headers"), Some("content-type,x-csrf"));
    assert_eq!(value("vary"), Some("Origin"));
    for origin in ["https://evil.test", "https://page.test", "null"] {
        let headers = reply_headers(&named, &ask(origin, "POST"));
        assert!(!headers.iter().any(|(name, _)| name.starts_with("access-control")), "{origin}");
    }
    let headers = reply_headers(&gateway(), &ask("https://app.test", "POST"));
    assert!(headers.contains(&("cross-origin-resource-policy".into(), "same-origin".into())));
    assert!(headers.contains(&("x-content-type-options".into(), "nosniff".into())));
}

fn read(route: Route, body: &Value) -> Result<Outgoing, Refusal> {
    let parent = (route == Route::Submit(Kind::Remix)).then(|| TaskId::new("task_1").unwrap());
    gateway().read_json(route, None, parent.as_ref(), &body.to_string(), 0)
}

fn sent(kind: Kind, body: Value) -> Value {
    match read(Route::Submit(kind), &body).expect("the body passes").request.body {
        Body::Json { text, .. } => serde_json::from_str(&text).expect("a body is JSON"),
        _ => panic!("no JSON"),
    }
}

fn message(kind: Kind, body: Value) -> String {
    read(Route::Submit(kind), &body).expect_err("the body is refused").message
}

#[test]
fn what_the_client_sends_arrives_as_the_client_sent_it() {
    let passes = |kind, body: Value| assert_eq!(sent(kind, body.clone()), body);
    let filter = json!({ "modes": ["FAST"], "remix": true });
    passes(
        Kind::Imagine,
        json!({ "prompt": "a boat", "botType": "NIJI_JOURNEY", "accountFilter": filter, "state": "s" }),
    );
    passes(Kind::Shorten, json!({ "prompt": "a boat" }));
    passes(Kind::Describe, json!({ "link": "https://a.test/i.png" }));
    passes(Kind::Edits, json!({ "prompt": "x", "image": "https://a.test/i.png" }));
    passes(
        Kind::Video,
        json!({ "motion": "high", "prompt": "x", "videoType": "v", "noStorage": true, "image": "https://a.test/i.png", "loop": true, "batchSize": 2 }),
    );
    passes(Kind::Remix, json!({ "prompt": "x" }));
}

#[test]
fn a_parents_signed_id_goes_on_as_the_services_and_is_to_be_checked() {
    let action = json!({ "taskId": tagged("17"), "customId": "MJ::x", "enableRemix": true });
    let outgoing = read(Route::Submit(Kind::Action), &action).unwrap();
    assert_eq!(outgoing.checks, [Check::new(Family::Midjourney, &tagged("17")).unwrap()]);
    assert_eq!(sent(Kind::Action, action), json!({ "taskId": "17", "customId": "MJ::x", "enableRemix": true }));
    assert_eq!(sent(Kind::Modal, json!({ "taskId": tagged("17") })), json!({ "taskId": "17" }));
    let extend = json!({ "motion": "low", "action": "extend", "index": 2, "taskId": tagged("17") });
    assert_eq!(sent(Kind::Video, extend)["taskId"], "17");
    let snake = json!({ "motion": "low", "prompt": "x", "action": "extend", "index": "2", "task_id": tagged("17") });
    assert_eq!(
        sent(Kind::Video, snake),
        json!({ "motion": "low", "prompt": "x", "action": "extend", "index": "2", "task_id": "17" })
    );
    for bad in [json!("17"), json!(17), json!(null), json!({}), json!(tagged(""))] {
        let refusal = read(Route::Submit(Kind::Action), &json!({ "taskId": bad, "customId": "MJ::x" })).unwrap_err();
        assert!(matches!(refusal.status, 400 | 404), "{bad}");
    }
}

#[test]
fn a_field_that_no_rule_names_is_refused() {
    let with = |name: &str, value: Value| {
        let mut body = json!({ "prompt": "x" });
        body[name] = value;
        message(Kind::Imagine, body)
    };
    assert_eq!(with("notifyHook", json!("https://evil.test")), "notifyHook is the operator's to set");
    assert_eq!(with("hookUrl", json!("x")), "hookUrl is not taken by this gateway");
    assert_eq!(with("__proto__", json!({ "a": 1 })), "__proto__ is not taken by this gateway");
    assert_eq!(with("<script>", json!(1)), "a field is not taken by this gateway");
    assert_eq!(with("mode", json!("FAST")), "mode is not taken by this gateway");
    for filter in [
        json!({ "__proto__": {} }),
        json!({ "modes": [{}] }),
        json!({ "remark": { "a": 1 } }),
        json!({ "remark": "x".repeat(129) }),
    ] {
        assert_eq!(with("accountFilter", filter), "accountFilter is too large, or not of its type");
    }
    assert_eq!(
        message(Kind::Imagine, json!({ "prompt": "x".repeat(10_001) })),
        "prompt is too large, or not of its type"
    );
    assert_eq!(message(Kind::Remix, json!({ "prompt": "x", "state": "s" })), "state is not taken by this gateway");
}

#[test]
fn a_field_that_is_there_twice_is_refused() {
    let read = |body: &str| gateway().read_json(Route::Submit(Kind::Action), None, None, body, 0);
    let id = tagged("17");
    assert!(read(&format!(r#"{{"taskId":"{id}","customId":"a::b"}}"#)).is_ok());
    assert_eq!(
        read(&format!(r#"{{"taskId":"{id}","taskId":"{id}","customId":"a::b"}}"#)).unwrap_err().message,
        "taskId must not be given twice"
    );
    assert_eq!(read(&format!(r#"{{"taskId":"{id}","task_id":"{id}","customId":"a::b"}}"#)).unwrap_err().status, 400);
}

#[test]
fn each_picture_goes_out_once_where_one_is_taken() {
    let picture = |at: usize| json!({ "image": at, "uri": "data:image/png;base64,iV" });
    let read = |pictures: Value, count| {
        gateway().read_json(
            Route::Submit(Kind::Blend),
            None,
            None,
            &json!({ "base64Array": pictures }).to_string(),
            count,
        )
    };
    let outgoing = read(json!([picture(0), picture(1)]), 2).unwrap();
    let Body::Json { text, images } = outgoing.request.body else { panic!("no JSON") };
    assert_eq!((&*text, images.len()), (r#"{"base64Array":["",""]}"#, 2));
    for (pictures, count) in [
        (json!([picture(0), picture(0)]), 1),
        (json!([picture(0), picture(1)]), 3),
        (json!([picture(0), picture(5)]), 2),
        (json!(["iVBORw0KGgo=", picture(0)]), 1),
    ] {
        assert_eq!(read(pictures.clone(), count).unwrap_err().status, 400, "{pictures}");
    }
    let many: Vec<_> = (0..11).map(picture).collect();
    let upload = |pictures: &[Value]| {
        gateway().read_json(Route::Upload, None, None, &json!({ "base64Array": pictures }).to_string(), pictures.len())
    };
    assert!(upload(&many[..10]).is_ok());
    assert_eq!(upload(&many).unwrap_err().status, 400);
    let html = json!([{ "image": 0, "uri": "data:text/html;base64,iV" }, picture(1)]);
    assert_eq!(read(html, 2).unwrap_err().status, 400);
}

#[test]
fn a_list_asks_for_the_ids_that_have_the_form_of_the_gateways() {
    let list = |body: Value| read(Route::Tasks, &body);
    let outgoing = list(json!({ "ids": [tagged("1"), "2", tagged("3"), tagged("1")] })).unwrap();
    assert_eq!(outgoing.checks.len(), 2);
    assert_eq!(list_of(&[TaskId::new("3").unwrap()]), r#"{"ids":["3"]}"#);
    let many: Vec<_> = (0..101).map(|id| tagged(&id.to_string())).collect();
    assert!(list(json!({ "ids": many[..100] })).is_ok());
    for bad in [
        json!({ "ids": many }),
        json!({ "ids": [] }),
        json!({ "ids": [1] }),
        json!({}),
        json!({ "ids": [tagged("1")], "x": 1 }),
        json!([]),
    ] {
        assert_eq!(list(bad).unwrap_err().status, 400);
    }
}

fn form(gateway: &Gateway, parts: Value) -> Result<Vec<Part>, Refusal> {
    let text = parts.to_string();
    match gateway.read_form(&json::parse(&text).unwrap())?.request.body {
        Body::Form(parts) => Ok(parts),
        _ => panic!("no form"),
    }
}

#[test]
fn a_form_has_known_parts_each_once_and_at_most_two_pictures() {
    let text = |name: &str, value: &str| json!({ "name": name, "value": value });
    let file = |at: usize| json!({ "name": "input_reference", "file": { "image": at, "type": "image/png", "size": 8, "name": "a\"\r\n.png" } });
    let base = || vec![text("prompt", "x"), text("model", "veo3-fast"), text("aspect_ratio", "16:9")];
    let with = |more: &[Value]| form(&gateway(), [base(), more.to_vec()].concat().into());
    let parts = with(&[file(0), file(1)]).unwrap();
    assert_eq!(parts.len(), 5);
    assert!(matches!(&parts[3], Part::File { filename, .. } if filename == "a___.png"));
    let mut html = file(0);
    html["file"]["type"] = json!("text/html");
    let mut elsewhere = file(0);
    elsewhere["name"] = json!("prompt");
    for bad in [
        text("prompt", "y"),
        text("notifyHook", "x"),
        text("aspect_ratio", "1"),
        text("size", &"x".repeat(129)),
        text("input_reference", "https://a.test"),
        html,
        elsewhere,
    ] {
        assert_eq!(with(std::slice::from_ref(&bad)).unwrap_err().status, 400, "{bad}");
    }
    assert_eq!(with(&[file(0), file(1), file(2)]).unwrap_err().status, 400);
}

#[test]
fn models_are_those_that_were_named() {
    let gateway = Gateway { models: Some(vec!["veo3-fast".into()]), ..gateway() };
    let ask = |model: &str| {
        form(&gateway, json!([{ "name": "prompt", "value": "x" }, { "name": "model", "value": model }])).map(|_| ())
    };
    assert_eq!(ask("veo3-fast"), Ok(()));
    assert_eq!(ask("veo3-pro").unwrap_err().code, "model_not_allowed");
    assert_eq!(form(&gateway, json!([{ "name": "prompt", "value": "x" }])).unwrap_err().code, "model_not_allowed");
}

#[test]
fn the_operators_hook_goes_with_every_midjourney_submit() {
    let gateway = Gateway { notify_hook: Some("https://operator.test/hook".into()), ..gateway() };
    let Body::Json { text, .. } = gateway
        .read_json(Route::Submit(Kind::Imagine), Some(Speed::Fast), None, r#"{"prompt":"x"}"#, 0)
        .unwrap()
        .request
        .body
    else {
        panic!("no JSON")
    };
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["notifyHook"], "https://operator.test/hook");
}

#[test]
fn a_body_is_one_object_of_json() {
    for bad in [
        "",
        "null",
        "[]",
        "{\"prompt\":\"x\"}{}",
        "{\"prompt\":\"x\"",
        &format!("{}1{}", "[".repeat(70), "]".repeat(70)),
    ] {
        assert_eq!(
            gateway().read_json(Route::Submit(Kind::Imagine), None, None, bad, 0).unwrap_err().status,
            400,
            "{bad}"
        );
    }
}

#[test]
fn a_handle_opens_to_the_services_and_every_id_of_it_is_to_be_checked() {
    let handle = |id: &str, more: Value| json!({ "v": 1, "family": "midjourney", "kind": "action", "id": id, "submittedAt": 5, "more": more });
    let open = |value: Value| {
        let text = value.to_string();
        open_handle(&json::parse(&text).unwrap())
            .map(|(handle, checks)| (handle.id.as_str().to_string(), handle.more.len(), checks.len()))
    };
    assert_eq!(open(handle(&tagged("17"), json!([tagged("18")]))), Ok(("17".into(), 1, 2)));
    assert!(open(handle("17", json!([]))).is_err());
    assert!(open(handle(&tagged("17"), json!(["18"]))).is_err());
    assert!(!tagged("17").contains(MARK));
}
