//! What holds for any input: no reader panics, ids survive a URL, and core::json agrees with serde_json.

use comet_tasks::core::assets;
use comet_tasks::core::error::Resend;
use comet_tasks::core::http::{Reply, excerpt};
use comet_tasks::core::json::{self, JsonError, Value, Writer, scaled};
use comet_tasks::core::midjourney;
use comet_tasks::core::reading;
use comet_tasks::core::submit::{Dialect, Submission};
use comet_tasks::core::task::{Kind, Progress, TaskHandle, TaskId};
use comet_tasks::core::time;
use comet_tasks::core::webhook;
use proptest::prelude::*;

const NOW: i64 = 1_773_315_000_000;
const BASE_URL: &str = "https://api.cometapi.com";

/// JSON text that looks like the service's: its keys and words, in any nesting.
fn wire_json() -> impl Strategy<Value = String> {
    let keys = prop::sample::select(vec![
        "id",
        "task_id",
        "status",
        "code",
        "result",
        "data",
        "error",
        "message",
        "description",
        "progress",
        "imageUrl",
        "videoUrl",
        "videoUrls",
        "video_urls",
        "imageUrls",
        "buttons",
        "customId",
        "properties",
        "numberOfQueues",
        "finalPrompt",
        "promptEn",
        "submitTime",
        "finishTime",
        "action",
        "failReason",
        "fail_reason",
        "success",
        "url",
        "metadata",
        "created_at",
        "expires_at",
        "task_result",
        "videos",
        "output",
        "content",
        "task_status",
        "state",
    ]);
    let words = prop::sample::select(vec![
        "",
        "SUCCESS",
        "MODAL",
        "FAILURE",
        "IN_PROGRESS",
        "CANCEL",
        "success",
        "21",
        "50%",
        "VIDEO",
        "DESCRIBE",
        "https://a.test/1.png",
        "https://a.test/1.mp4?rand=3",
        "/v1/videos/x/content",
        "1773314942177684",
        "..",
        "[\"https://a.test/2.mp4\"]",
        "{\"message\":\"quota\"}",
        "<html>",
        "model_not_found",
        "1️⃣ a\n2️⃣ b",
    ]);
    let leaf = prop_oneof![
        words.prop_map(|word| serde_json::Value::from(word).to_string()),
        any::<String>().prop_map(|text| serde_json::Value::from(text).to_string()),
        any::<i64>().prop_map(|number| number.to_string()),
        "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,12})?([eE][+-]?[0-9]{1,9})?",
        prop::sample::select(vec!["null", "true", "false", "1", "21", "22", "23", "30", "24", "5", "3"])
            .prop_map(String::from),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec((keys.clone(), inner), 0..8).prop_map(|members| {
                let members: Vec<_> = members.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => wire_json().prop_map(String::into_bytes),
        1 => (wire_json(), any::<prop::sample::Index>()).prop_map(|(text, at)| {
            let mut bytes = text.into_bytes();
            bytes.truncate(at.index(bytes.len() + 1));
            bytes
        }),
        1 => any::<Vec<u8>>(),
        1 => "<[a-z]{1,8}>.{0,40}".prop_map(String::into_bytes),
    ]
}

fn reply() -> impl Strategy<Value = Reply> {
    let retry_after = prop::option::of(prop_oneof![any::<String>(), "-?[0-9]{1,25}(\\.[0-9]*)?"]);
    (0..600_u16, body(), retry_after, any::<bool>()).prop_map(|(status, body, retry_after, redirected)| Reply {
        status,
        body: String::from_utf8_lossy(&body).into_owned(),
        retry_after,
        redirected,
        ..Reply::default()
    })
}

fn submissions() -> Vec<Submission> {
    [
        (Kind::Imagine, r#"{"prompt":"x"}"#),
        (Kind::Action, r#"{"taskId":"1","customId":"a::b"}"#),
        (Kind::Veo, r#"{"prompt":"x"}"#),
    ]
    .map(|(kind, params)| {
        Submission::read(kind, &json::parse(params).unwrap(), Dialect::Comet, None).expect("the arguments are right")
    })
    .to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_reply_to_a_submit_has_a_verdict_and_doubt_excludes_repetition(reply in reply()) {
        for submission in submissions() {
            match submission.judge(&reply, BASE_URL, NOW) {
                Ok(_) => prop_assert!((200..300).contains(&reply.status) && !reply.redirected),
                Err(error) => {
                    prop_assert!(!(error.ambiguous && error.retryable));
                    prop_assert!(error.resend == Resend::Never || (error.retryable && error.handle.is_none()));
                }
            }
        }
        midjourney::uploaded(&reply, NOW).ok();
        midjourney::seeded(&reply, NOW).ok();
    }

    #[test]
    fn every_reply_to_a_read_is_a_task_or_an_error_that_keeps_the_handle(reply in reply()) {
        for (kind, id) in [(Kind::Imagine, "1773314942177684"), (Kind::Describe, "1"), (Kind::Veo, "task_1")] {
            let handle = TaskHandle::new(kind, TaskId::new(id).unwrap(), NOW);
            for outcome in [
                reading::read(&handle, &reply, BASE_URL, NOW).map(Some),
                reading::read_listed(&handle, &reply, BASE_URL, NOW),
            ] {
                match outcome {
                    Ok(None) => {}
                    Ok(Some(task)) => {
                        prop_assert_eq!(&task.handle, &handle);
                        let mut json = Writer::default();
                        task.write(&mut json);
                        prop_assert!(serde_json::from_str::<serde_json::Value>(&json.finish()).is_ok());
                    }
                    Err(error) => {
                        prop_assert!(!error.ambiguous && error.handle.as_ref() == Some(&handle));
                    }
                }
            }
            reading::content_error(&handle, &reply, NOW);
        }
    }

    #[test]
    fn every_webhook_is_a_task_or_an_error(body in body()) {
        webhook::parse(&String::from_utf8_lossy(&body), BASE_URL, NOW).ok();
    }

    #[test]
    fn an_accepted_id_is_one_segment_of_a_path_and_comes_back_from_it(text in prop_oneof![any::<String>(), "[./%?#a ]{1,6}"]) {
        let Some(id) = TaskId::new(&text) else { return Ok(()) };
        prop_assert_eq!(id.as_str(), text.trim());
        let segment = id.path_segment();
        prop_assert!(segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)));
        prop_assert!(segment != "." && segment != ".." && !segment.is_empty());
        prop_assert_eq!(percent_decoded(&segment), id.as_str());
        let handle = TaskHandle::new(Kind::Imagine, id, NOW);
        prop_assert_eq!(reading::request(&handle).path.split('/').count(), 5);
    }

    #[test]
    fn json_agrees_with_serde_json(text in prop_oneof![
        wire_json(),
        wire_json().prop_flat_map(|text| {
            let length = text.chars().count();
            (Just(text), 0..length.max(1), any::<char>())
        }).prop_map(|(text, at, letter)| {
            text.chars().enumerate().map(|(place, old)| if place == at { letter } else { old }).collect()
        }),
        "[\\[\\]{}:,\"\\\\ \\-+.eE0-9ntu]{0,24}",
        any::<String>(),
    ]) {
        match (json::parse(&text), serde_json::from_str::<serde_json::Value>(&text)) {
            (Ok(ours), Ok(theirs)) => prop_assert!(text.contains("\\u") || same(&ours, &theirs), "{:?} {}", ours, theirs),
            // They hold numbers as doubles and refuse what none holds; we keep digits. Half a surrogate is ours alone.
            (Ok(_), Err(error)) => {
                let reason = error.to_string();
                prop_assert!(reason.contains("number out of range") || text.contains("\\u"), "{}", reason);
            }
            (Err(JsonError::TooDeep), _) | (Err(_), Err(_)) => {}
            (Err(error), Ok(theirs)) => prop_assert!(false, "we say {:?}, they read {}", error, theirs),
        }
    }

    #[test]
    fn a_cut_json_text_is_called_truncated(text in wire_json(), at in any::<prop::sample::Index>()) {
        let text = text.trim();
        if !text.starts_with(['{', '[']) { return Ok(()) }
        let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        prop_assert_eq!(json::parse(&text[..ends[at.index(ends.len())]]), Err(JsonError::Truncated));
    }

    #[test]
    fn the_writer_writes_what_the_reader_reads(text in wire_json(), string in any::<String>(), number in any::<i64>()) {
        let value = json::parse(&text).unwrap();
        let mut json = Writer::default();
        json.list(|json| {
            json.value(&value);
            json.object(|json| {
                json.key(&string).string(&string);
                json.key("n").integer(number);
                json.key("none").string_or_null(None);
                json.key("flags").list(|json| { json.boolean(true); json.strings(&[string.clone(), String::new()]) });
            });
        });
        let written = json.finish();
        let theirs: serde_json::Value = serde_json::from_str(&written)
            .or_else(|error| if error.to_string().contains("out of range") { Ok(serde_json::Value::Null) } else { Err(error) })
            .unwrap();
        if !theirs.is_null() && string != "n" && string != "none" && string != "flags" {
            prop_assert_eq!(&theirs[1][&string], &string);
            prop_assert_eq!(theirs[1]["n"].as_i64(), Some(number));
        }
        let again = json::parse(&written).unwrap();
        prop_assert_eq!(&again.items()[0], &value);
    }

    #[test]
    fn times_progress_and_excerpts_take_any_text(text in prop_oneof![
        any::<String>(),
        "[-+]?[0-9]{0,30}(\\.[0-9]{0,30})?([eE][-+]?[0-9]{1,12})?%?",
        "[A-Z][a-z]{2}, [0-9]{1,20} (Jan|Mar|Dec) [0-9]{1,20} [0-9]{1,20}:[0-9]{1,20}:[0-9]{1,20} GMT",
        "[0-9]{4}-?[0-9]{2}-?[0-9]{2}T?[0-9:.]{0,9}Z?",
    ]) {
        let pause = time::retry_after(&text, NOW);
        prop_assert!(pause.is_none_or(|ms| (0..=300_000).contains(&ms)));
        time::iso_date(&text);
        scaled(&text, 3);
        let value = Value::Text(text.clone().into());
        prop_assert!(time::time(&value).is_none_or(|ms| ms > 0));
        prop_assert!(excerpt(&text).chars().count() <= 200);
        let query: String = text.chars().filter(|letter| letter.is_ascii_graphic() && *letter != '#').collect();
        for name in ["ex=1&is=1&Expires", "X-Amz-Date=20260312T113000Z&X-Amz-Expires", "se", "is=1&ex"] {
            assets::url_expiry(&format!("https://a.test/1?{name}={query}"));
        }
        let row = serde_json::json!({ "status": "IN_PROGRESS", "progress": text });
        let handle = TaskHandle::new(Kind::Imagine, TaskId::new("1").unwrap(), NOW);
        let reply = Reply { status: 200, body: row.to_string(), ..Reply::default() };
        let progress = reading::read(&handle, &reply, BASE_URL, NOW).unwrap().progress;
        prop_assert!(progress.is_none_or(|Progress(thousandths)| (0..=100_000).contains(&thousandths)));
    }
}

fn percent_decoded(segment: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = segment.as_bytes();
    while let [first, after @ ..] = rest {
        if *first == b'%' {
            bytes.push(u8::from_str_radix(std::str::from_utf8(&after[..2]).unwrap(), 16).unwrap());
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).expect("what was text is text again")
}

/// Their doubles may be off in the last place.
fn nearly(ours: f64, theirs: f64) -> bool {
    ours == theirs || (ours - theirs).abs() <= ours.abs() * 1e-15
}

fn same(ours: &Value, theirs: &serde_json::Value) -> bool {
    match (ours, theirs) {
        (Value::Null, serde_json::Value::Null) => true,
        (Value::Bool(ours), serde_json::Value::Bool(theirs)) => ours == theirs,
        (Value::Text(ours), serde_json::Value::String(theirs)) => ours == theirs,
        (Value::Number(ours), serde_json::Value::Number(theirs)) => {
            nearly(ours.parse().unwrap(), theirs.as_f64().unwrap())
        }
        (Value::List(ours), serde_json::Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| same(ours, theirs))
        }
        (Value::Object(members), serde_json::Value::Object(theirs)) => {
            // Of equal keys the last one wins, there and here.
            members.iter().all(|(key, _)| theirs.get(&**key).is_some_and(|theirs| same(ours.get(key), theirs)))
                && theirs.keys().all(|key| members.iter().any(|(ours, _)| ours == key))
        }
        _ => false,
    }
}
