//! What leaves: the requests of the five documented example pages, and the arguments that are refused before anything is
//! sent. A refusal names field, value and rule.

use comet_tasks::core::error::{Code, Details, Error};
use comet_tasks::core::http::{Body, Part};
use comet_tasks::core::json;
use comet_tasks::core::submit::{Dialect, Speed, Submission};
use comet_tasks::core::task::Kind;
use serde_json::{Value, json};

const ID: &str = "1773314942177684";

fn submit(kind: Kind, params: &Value) -> Result<Submission, Error> {
    let text = params.to_string();
    Submission::read(kind, &json::parse(&text).expect("serde_json writes JSON"), Dialect::Comet, None)
}

fn body_of(kind: Kind, params: &Value) -> Value {
    match submit(kind, params).expect("the arguments are right").request.body {
        Body::Json { text, .. } => serde_json::from_str(&text).expect("a body is JSON"),
        body => panic!("no JSON body: {body:?}"),
    }
}

/// A picture as the facade describes it: see core/fields.rs.
fn picture(index: usize, name: &str) -> Value {
    json!({ "image": index, "type": "image/png", "size": 8, "name": name })
}

/// Asserts that the arguments are refused, and by what words.
fn refuses(kind: Kind, params: &Value, message: &str) {
    let error = submit(kind, params).expect_err(message);
    assert_eq!(error.message, message, "{params}");
    assert_eq!((error.code, error.retryable, error.ambiguous), (Code::Validation, false, false));
    let Details::Argument { field, rule } = &error.details else { panic!("no details: {:?}", error.details) };
    assert!(message.starts_with(&format!("{field} {rule}, got ")), "{message:?} names not {field:?} and {rule:?}");
}

#[test]
fn the_documented_requests_leave_as_their_pages_have_them() {
    let file: Value = serde_json::from_str(include_str!("fixtures/requests.json")).expect("requests.json is JSON");
    let cases = file["cases"].as_array().expect("requests.json holds cases");
    assert_eq!(cases.len(), 5);
    for case in cases {
        let (id, expect) = (&case["id"], &case["expect"]);
        let kind = Kind::new(&case["call"].as_str().unwrap().trim_start_matches("submit").to_lowercase()).unwrap();
        let dialect = if case["client"]["dialect"] == "snake" { Dialect::Snake } else { Dialect::Comet };
        let params = with_pictures(&case["params"]).to_string();
        let read = Submission::read(kind, &json::parse(&params).unwrap(), dialect, None);
        let request = read.unwrap_or_else(|error| panic!("{id}: {}", error.message)).request;
        assert_eq!((json!(request.method), json!(request.path)), (expect["method"].clone(), expect["path"].clone()));
        match &request.body {
            Body::Json { text, images } => {
                assert_eq!(serde_json::from_str::<Value>(text).unwrap(), expect["json"], "{id}");
                assert!(images.is_empty(), "{id} has no picture of its own");
            }
            Body::Form(parts) => assert_eq!(parts.iter().map(shown).collect::<Value>(), expect["parts"], "{id}"),
            Body::Empty => panic!("{id} has no body"),
        }
    }
}

/// `"<png first.png>"` stands for a picture of that name.
fn with_pictures(params: &Value) -> Value {
    let mut params = params.clone();
    if let Some(list) = params["inputReference"].as_array_mut() {
        for (index, item) in list.iter_mut().enumerate() {
            let name = item.as_str().unwrap().trim_start_matches("<png ").trim_end_matches('>').to_string();
            *item = picture(index, &name);
        }
    } else if let Some(object) = params.as_object_mut() {
        object.remove("inputReference");
    }
    params
}

fn shown(part: &Part) -> Value {
    match part {
        Part::Text { name, value } => json!([name, value]),
        Part::File { name, filename, image } => json!([name, format!("<file {filename} {}>", image.mime)]),
    }
}

#[test]
fn a_blank_prompt_is_refused_wherever_one_is_required() {
    for kind in [Kind::Imagine, Kind::Shorten, Kind::Veo] {
        refuses(kind, &json!({ "prompt": " \n" }), r#"prompt must be a string that is not blank, got " \n""#);
        refuses(kind, &json!({}), "prompt must be a string that is not blank, got nothing");
    }
    let edits = json!({ "prompt": "", "image": picture(0, "a.png") });
    refuses(Kind::Edits, &edits, r#"prompt must be a string that is not blank, got """#);
    refuses(Kind::Remix, &json!({ "handle": "task_1" }), "prompt must be a string that is not blank, got nothing");
    refuses(Kind::Imagine, &json!({ "prompt": 7 }), "prompt must be a string, got 7");
}

#[test]
fn arguments_are_an_object() {
    refuses(Kind::Imagine, &json!("a boat"), r#"params must be an object, got "a boat""#);
    refuses(Kind::Veo, &json!(null), "params must be an object, got nothing");
}

#[test]
fn action_index_and_task_id_go_together() {
    let rule = "must be given: action, index and taskId go together, got nothing";
    for (params, missing) in [
        (json!({ "action": "extend", "index": 0 }), "taskId"),
        (json!({ "action": "extend", "taskId": ID }), "index"),
        (json!({ "action": "extend" }), "index"),
        (json!({ "index": 1, "taskId": ID }), "action"),
        (json!({ "taskId": ID, "image": "https://a.test/i.png" }), "action"),
        (json!({ "index": 0, "image": "https://a.test/i.png" }), "action"),
    ] {
        refuses(Kind::Video, &params, &format!("{missing} {rule}"));
    }
    let rule = "image must be there, unless action, index and taskId continue a video, got nothing";
    refuses(Kind::Video, &json!({ "prompt": "x" }), rule);
}

#[test]
fn index_zero_is_kept_and_nothing_but_four_clips_is_taken() {
    for index in 0..4 {
        let params = json!({ "action": "extend", "index": index, "taskId": ID });
        let body = json!({ "motion": "low", "action": "extend", "index": index, "taskId": ID });
        assert_eq!(body_of(Kind::Video, &params), body);
    }
    for (index, shown) in [(json!(4), "4"), (json!(-1), "-1"), (json!(1.5), "1.5"), (json!("0"), r#""0""#)] {
        let params = json!({ "action": "extend", "index": index, "taskId": ID });
        refuses(Kind::Video, &params, &format!("index must be 0, 1, 2 or 3, got {shown}"));
    }
}

#[test]
fn task_id_is_taken_in_both_spellings_and_sent_as_the_dialect_says() {
    let params = json!({ "action": "extend", "index": 1, "task_id": ID });
    assert_eq!(body_of(Kind::Video, &params)["taskId"], ID);
    let params = json!({ "prompt": "x", "action": "extend", "index": 1, "taskId": ID }).to_string();
    let snake = Submission::read(Kind::Video, &json::parse(&params).unwrap(), Dialect::Snake, None).unwrap();
    let Body::Json { text, .. } = snake.request.body else { panic!("no JSON body") };
    let body: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&body["task_id"], &body["index"], &body["taskId"]), (&json!(ID), &json!("1"), &Value::Null));
}

#[test]
fn motion_is_low_unless_it_is_said() {
    let with = |motion: Value| json!({ "image": "https://a.test/i.png", "motion": motion });
    assert_eq!(body_of(Kind::Video, &with(Value::Null))["motion"], "low");
    assert_eq!(body_of(Kind::Video, &with(json!("high")))["motion"], "high");
    refuses(Kind::Video, &with(json!("fast")), r#"motion must be "low" or "high", got "fast""#);
}

#[test]
fn blend_takes_two_to_five_pictures() {
    let with = |count: usize| json!({ "images": (0..count).map(|at| picture(at, "a.png")).collect::<Vec<_>>() });
    for count in 2..=5 {
        assert_eq!(body_of(Kind::Blend, &with(count))["base64Array"], json!(vec![""; count]));
    }
    refuses(Kind::Blend, &with(0), "images must be 2 to 5 pictures, got 0 items");
    refuses(Kind::Blend, &with(6), "images must be 2 to 5 pictures, got 6 items");
    assert_eq!(submit(Kind::Blend, &with(1)).unwrap_err().code, Code::Validation);
    let square = json!({ "images": [picture(0, "a"), picture(1, "b")], "dimensions": "square" });
    let message = r#"dimensions must be "PORTRAIT", "SQUARE" or "LANDSCAPE", got "square""#;
    refuses(Kind::Blend, &square, message);
}

#[test]
fn at_most_two_references_and_their_order_is_kept() {
    let names = |params: Value| match submit(Kind::Veo, &params).unwrap().request.body {
        Body::Form(parts) => parts.iter().map(shown).collect::<Vec<_>>(),
        body => panic!("no form: {body:?}"),
    };
    let two = names(json!({ "prompt": "x", "inputReference": [picture(0, "z.png"), picture(1, "a.png")] }));
    let files =
        [json!(["input_reference", "<file z.png image/png>"]), json!(["input_reference", "<file a.png image/png>"])];
    assert_eq!(two[2..], files);
    let single = names(json!({ "prompt": "x", "inputReference": picture(0, "a.png") }));
    assert_eq!(single.len(), 3);
    let three = json!({ "prompt": "x", "inputReference": [picture(0, "a"), picture(1, "b"), picture(2, "c")] });
    let message = "inputReference must be at most two pictures: the first frame and the last, got 3 items";
    refuses(Kind::Veo, &three, message);
}

#[test]
fn a_file_name_goes_out_as_plain_ascii_of_at_most_64_characters() {
    let long = format!("{}.png", "x".repeat(100));
    for (name, sent) in [
        ("a\".png", "a_.png"),
        ("a\r\nb.png", "a__b.png"),
        ("../../etc/passwd", ".._.._etc_passwd"),
        ("ボート.png", "___.png"),
        ("", "image-1.png"),
        ("船", "image-1.png"),
        (&long, &long[long.len() - 64..]),
    ] {
        let params = json!({ "prompt": "x", "inputReference": picture(0, name) });
        let Body::Form(parts) = submit(Kind::Veo, &params).unwrap().request.body else { panic!("no form") };
        assert_eq!(shown(&parts[2])[1], format!("<file {sent} image/png>"), "{name:?}");
    }
}

#[test]
fn seconds_go_out_as_text_and_the_model_always_goes() {
    for seconds in [json!(8), json!("8")] {
        let params = json!({ "prompt": "x", "seconds": seconds });
        let Body::Form(parts) = submit(Kind::Veo, &params).unwrap().request.body else { panic!("no form") };
        let sent: Vec<_> = parts.iter().map(shown).collect();
        assert_eq!(sent, [json!(["prompt", "x"]), json!(["model", "veo3-fast"]), json!(["seconds", "8"])]);
    }
    let list = json!({ "prompt": "x", "seconds": [8] });
    refuses(Kind::Veo, &list, "seconds must be a number or a string, got [8]");
}

#[test]
fn state_has_at_most_255_utf16_units() {
    let with = |state: String| json!({ "prompt": "x", "state": state });
    assert!(submit(Kind::Imagine, &with("é".repeat(255))).is_ok());
    assert!(submit(Kind::Imagine, &with("😀".repeat(127) + "a")).is_ok());
    for state in ["a".repeat(256), "😀".repeat(128)] {
        let error = submit(Kind::Imagine, &with(state)).unwrap_err();
        assert!(error.message.starts_with("state must have at most 255 UTF-16 units, got \""), "{}", error.message);
        assert!(error.message.chars().count() < 120, "the value is cut short");
    }
}

#[test]
fn notify_hook_is_a_web_url_of_at_most_2000_utf16_units() {
    let with = |hook: &str| json!({ "prompt": "x", "notifyHook": hook });
    let of_units = |letter: &str, units: usize| ["https://h.test/", &letter.repeat(units - 15)].concat();
    for hook in ["http://h.test", &of_units("a", 2000), &of_units("é", 2000)] {
        assert_eq!(body_of(Kind::Imagine, &with(hook))["notifyHook"], hook);
    }
    assert_eq!(body_of(Kind::Imagine, &with("")).get("notifyHook"), None, "empty is absent");
    let rule = "must be an absolute http(s) URL of at most 2000 characters";
    for hook in ["/hook", "ftp://h.test", "https://", "javascript:alert(1)", "https://u:p@h.test"] {
        refuses(Kind::Imagine, &with(hook), &format!("notifyHook {rule}, got \"{hook}\""));
    }
    for long in [of_units("a", 2001), of_units("😀", 1015)] {
        let error = submit(Kind::Imagine, &with(&long)).unwrap_err();
        assert!(error.message.starts_with(&format!("notifyHook {rule}, got ")), "{}", error.message);
    }
}

#[test]
fn an_id_that_a_url_would_collapse_or_break_is_refused() {
    let rule = "must be a task's id: 1 to 256 characters, no control characters, not \".\" or \"..\"";
    for (id, shown) in [(".", r#"".""#), ("..", r#""..""#), (" ", r#"" ""#), ("a\u{0}b", "\"a\\u0000b\"")] {
        let params = json!({ "taskId": id, "customId": "a::b" });
        refuses(Kind::Action, &params, &format!("taskId {rule}, got {shown}"));
        assert_eq!(
            submit(Kind::Modal, &json!({ "taskId": id })).unwrap_err().message,
            format!("taskId {rule}, got {shown}")
        );
    }
    assert!(submit(Kind::Action, &json!({ "taskId": "x".repeat(257), "customId": "a::b" })).is_err());
    refuses(Kind::Modal, &json!({}), &format!("taskId {rule}, got nothing"));
    let number = json!({ "taskId": 1_773_314_942_177_684_i64, "customId": "a::b" });
    refuses(Kind::Action, &number, &format!("taskId {rule}, got 1773314942177684"));
}

#[test]
fn a_custom_id_is_a_buttons() {
    let message = r#"customId must be a button's customId, which contains "::", got "U1""#;
    refuses(Kind::Action, &json!({ "taskId": ID, "customId": "U1" }), message);
}

#[test]
fn a_remix_is_of_a_videos_task() {
    let params = json!({ "handle": ID, "prompt": "x" });
    refuses(Kind::Remix, &params, &format!("handle must be a task of /v1/videos, got \"{ID}\""));
    let handle = json!({ "v": 1, "family": "videos", "kind": "veo", "id": "a/b", "model": "sora-2" });
    let remix = submit(Kind::Remix, &json!({ "handle": handle, "prompt": "x" })).unwrap();
    assert_eq!((remix.request.path.as_str(), remix.model.as_deref()), ("/v1/videos/a%2Fb/remix", Some("sora-2")));
}

#[test]
fn speed_is_a_prefix_of_midjourneys_paths_alone() {
    let params = json::parse(r#"{"prompt":"x"}"#).unwrap();
    for (speed, prefix) in [("relax", "/mj-relax"), ("fast", "/mj-fast"), ("turbo", "/mj-turbo")] {
        let read = |kind| Submission::read(kind, &params, Dialect::Comet, Speed::new(speed));
        assert_eq!(read(Kind::Imagine).unwrap().request.path, format!("{prefix}/mj/submit/imagine"));
        assert_eq!(read(Kind::Shorten).unwrap().request.path, format!("{prefix}/mj/submit/shorten"));
        let message = read(Kind::Veo).unwrap_err().message.clone();
        assert_eq!(message, format!("speed must be left out: only Midjourney's submits have one, got {speed:?}"));
    }
    assert_eq!(Speed::new("FAST"), None);
}

#[test]
fn extra_fields_pass_as_they_are_but_repeat_none() {
    let extra = json!({ "loop": true, "batchSize": 2, "endImage": "https://a.test/e.png", "nested": { "a": [1] } });
    let body = body_of(Kind::Video, &json!({ "image": "https://a.test/i.png", "extra": extra.clone() }));
    for (name, value) in extra.as_object().unwrap() {
        assert_eq!(&body[name], value);
    }
    let rule = "extra must not repeat a field that has its own argument, got";
    for (kind, name, params) in [
        (Kind::Imagine, "prompt", json!({ "prompt": "x" })),
        (Kind::Imagine, "base64Array", json!({ "prompt": "x" })),
        (Kind::Imagine, "state", json!({ "prompt": "x" })),
        (Kind::Shorten, "notifyHook", json!({ "prompt": "x" })),
        (Kind::Video, "task_id", json!({ "image": "https://a.test/i.png" })),
        (Kind::Action, "taskId", json!({ "taskId": ID, "customId": "a::b" })),
        (Kind::Modal, "maskBase64", json!({ "taskId": ID })),
        (Kind::Describe, "link", json!({ "image": "https://a.test/i.png" })),
        (Kind::Veo, "input_reference", json!({ "prompt": "x" })),
        (Kind::Veo, "seconds", json!({ "prompt": "x" })),
    ] {
        let mut params = params;
        params["extra"] = json!({ name: "twice" });
        refuses(kind, &params, &format!("{rule} \"{name}\""));
    }
    refuses(Kind::Imagine, &json!({ "prompt": "x", "extra": [1] }), "extra must be an object, got [1]");
    let nested = json!({ "prompt": "x", "extra": { "a": {} } });
    refuses(Kind::Veo, &nested, "extra.a must be a string, a number, true or false, got an object");
}

#[test]
fn every_submit_has_its_path_and_its_name() {
    let image = || picture(0, "a.png");
    for (kind, params, operation, path) in [
        (Kind::Imagine, json!({ "prompt": "x" }), "midjourney.imagine", "/mj/submit/imagine"),
        (Kind::Video, json!({ "image": "https://a.test/i.png" }), "midjourney.video", "/mj/submit/video"),
        (Kind::Action, json!({ "taskId": ID, "customId": "a::b" }), "midjourney.action", "/mj/submit/action"),
        (Kind::Modal, json!({ "taskId": ID }), "midjourney.modal", "/mj/submit/modal"),
        (Kind::Blend, json!({ "images": [image(), image()] }), "midjourney.blend", "/mj/submit/blend"),
        (Kind::Describe, json!({ "image": image() }), "midjourney.describe", "/mj/submit/describe"),
        (Kind::Shorten, json!({ "prompt": "x" }), "midjourney.shorten", "/mj/submit/shorten"),
        (Kind::Edits, json!({ "prompt": "x", "image": image() }), "midjourney.edits", "/mj/submit/edits"),
        (Kind::Veo, json!({ "prompt": "x" }), "videos.create", "/v1/videos"),
        (Kind::Remix, json!({ "handle": "task_1", "prompt": "x" }), "videos.remix", "/v1/videos/task_1/remix"),
    ] {
        let request = submit(kind, &params).unwrap().request;
        assert_eq!((request.operation, request.method, request.path.as_str()), (operation, "POST", path));
        assert_eq!(comet_tasks::core::submit::operation(kind), operation);
    }
}

#[test]
fn flags_words_and_filters_pass_as_they_are() {
    let filter = json!({ "modes": ["RELAX"], "remix": true });
    let imagine = json!({ "prompt": "x", "botType": "NIJI_JOURNEY", "accountFilter": filter });
    assert_eq!(body_of(Kind::Imagine, &imagine), imagine);
    let action = json!({ "taskId": ID, "customId": "a::b", "enableRemix": true, "chooseSameChannel": false, "noStorage": true, "accountFilter": filter });
    assert_eq!(body_of(Kind::Action, &action), action);
    let blend =
        json!({ "images": [picture(0, "a"), picture(1, "b")], "dimensions": "PORTRAIT", "accountFilter": filter });
    let sent = json!({ "base64Array": ["", ""], "dimensions": "PORTRAIT", "accountFilter": filter });
    assert_eq!(body_of(Kind::Blend, &blend), sent);
    refuses(Kind::Imagine, &json!({ "prompt": "x", "accountFilter": 1 }), "accountFilter must be an object, got 1");
    let bot = json!({ "prompt": "x", "botType": "mj" });
    refuses(Kind::Imagine, &bot, r#"botType must be "MID_JOURNEY" or "NIJI_JOURNEY", got "mj""#);
    let flag = json!({ "taskId": ID, "customId": "a::b", "noStorage": "True" });
    refuses(Kind::Action, &flag, r#"noStorage must be true or false, got "True""#);
}
