//! What becomes of a request's body behind the gateway. Each refusal differs in one respect from a body that passes.

use comet_tasks::core::gateway::{Check, Gateway, MARK, Outgoing, Refusal, Route, list_of, open_handle};
use comet_tasks::core::http::{Body, Part};
use comet_tasks::core::json;
use comet_tasks::core::submit::Speed;
use comet_tasks::core::task::{Family, Kind, TaskId};
use serde_json::{Value, json};

const TAG: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn gateway() -> Gateway {
    Gateway { base_url: "https://service.test".into(), base_path: "/api/comet".into(), ..Gateway::default() }
}

fn tagged(id: &str) -> String {
    format!("{id}.{TAG}")
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
fn what_goes_along_unread_is_an_address_or_a_switch() {
    let with = |name: &str, value: Value| {
        let mut body = json!({ "motion": "low", "image": "https://a.test/i.png" });
        body[name] = value;
        read(Route::Submit(Kind::Video), &body).map_err(|refusal| refusal.message)
    };
    assert!(with("endImage", json!("https://a.test/e.png")).is_ok());
    for odd in ["file:///etc/passwd", "javascript:1", "//a.test/e.png", "e.png", ""] {
        assert_eq!(with("endImage", json!(odd)).unwrap_err(), "endImage is too large, or not of its type", "{odd}");
    }
    assert!(with("loop", json!(true)).is_ok() && with("batchSize", json!(4)).is_ok());
    assert_eq!(with("loop", json!("yes")).unwrap_err(), "loop is too large, or not of its type");
    assert_eq!(with("batchSize", json!("4")).unwrap_err(), "batchSize is too large, or not of its type");
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
