//! What `persist` decides: a task's files, the hosts that may be asked, what a reply holds, and what follows a failure.

use comet_tasks::core::json;
use comet_tasks::core::keep::{File, Found, Next, after, answer, files, is_public, is_safe_key, judge};

const PNG: &str = "89504e470d0a1a0a0000000d49484452";
const MP4: &str = "00000020667479706d70343200000000";

fn files_of(task: &str) -> Result<Vec<(Option<String>, &'static str)>, &'static str> {
    let task = json::parse(task).expect("the test's own JSON");
    files(&task).map(|files| files.into_iter().map(|File { url, kind }| (url.map(str::to_owned), kind)).collect())
}

#[test]
fn a_tasks_files_are_its_pictures_then_its_videos() {
    let task = r#"{"handle":{"id":"1"},"status":"succeeded","images":["https://a.example/1"],"videos":["https://a.example/2"]}"#;
    let expected = vec![(Some("https://a.example/1".into()), "image"), (Some("https://a.example/2".into()), "video")];
    assert_eq!(files_of(task), Ok(expected));
}

#[test]
fn content_without_a_url_is_a_video_and_beside_a_url_it_is_the_same_one() {
    let task = r#"{"handle":{"id":"task_1"},"status":"succeeded","images":[],"videos":[],"content":true}"#;
    assert_eq!(files_of(task), Ok(vec![(None, "video")]));
    let task = r#"{"handle":{"id":"task_1"},"status":"succeeded","videos":["http://a.example/v"],"content":true}"#;
    assert_eq!(files_of(task), Ok(vec![(Some("http://a.example/v".into()), "video")]));
}

#[test]
fn a_task_without_a_file_is_an_error_that_says_why() {
    let task = |rest: &str| format!(r#"{{"handle":{{"id":"1"}},{rest}}}"#);
    assert_eq!(files_of(&task(r#""status":"running""#)), Err("not_ready"));
    assert_eq!(files_of(&task(r#""status":"failed""#)), Err("not_ready"));
    assert_eq!(files_of(&task(r#""status":"succeeded","images":[],"videos":[]"#)), Err("no_asset"));
    assert_eq!(files_of(&task(r#""status":"succeeded","images":["file:///etc/passwd"]"#)), Err("no_asset"));
    assert_eq!(files_of(r#"{"status":"succeeded"}"#), Err("validation"));
    assert_eq!(files_of("null"), Err("validation"));
}

#[test]
fn hosts_of_the_internet_are_public() {
    for host in [
        "cdn.example.com",
        "8.8.8.8",
        "172.15.0.1",
        "172.32.0.1",
        "100.63.0.1",
        "100.128.0.1",
        "169.253.0.1",
        "192.0.1.1",
    ] {
        assert!(is_public(host), "{host}");
    }
    for host in [
        "[2606:4700:4700::1111]",
        "[3fff::1]",
        "cdn.example.com.",
        "local.example",
        "1.example",
        "xn--nxasmq6b.example",
    ] {
        assert!(is_public(host), "{host}");
    }
}

#[test]
fn private_loopback_and_local_hosts_are_not_public() {
    for host in ["127.0.0.1", "127.9.9.9", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.0.1", "169.254.169.254"]
    {
        assert!(!is_public(host), "{host}");
    }
    for host in [
        "0.0.0.0",
        "100.64.0.1",
        "100.127.9.9",
        "192.0.0.8",
        "198.18.0.1",
        "198.19.0.1",
        "224.0.0.1",
        "255.255.255.255",
    ] {
        assert!(!is_public(host), "{host}");
    }
    for host in
        ["[::1]", "[::]", "[::ffff:7f00:1]", "[fe80::1]", "[fc00::1]", "[fd12::1]", "[ff02::1]", "[64:ff9b::7f00:1]"]
    {
        assert!(!is_public(host), "{host}");
    }
    for host in [
        "[2002:7f00:1::]",
        "[2001:0:1::]",
        "[2001::1]",
        "localhost",
        "localhost.",
        "a.localhost",
        "metadata.google.internal",
    ] {
        assert!(!is_public(host), "{host}");
    }
    for host in ["printer.local", "router.lan", "nas.home.arpa", "redis", "127.0.0.1.", "", ".", "[", "[]"] {
        assert!(!is_public(host), "{host}");
    }
}

#[test]
fn a_file_is_what_its_first_bytes_say() {
    let cases = [
        ("image", "image/png", PNG, "image/png", "png"),
        ("image", "image/png", "ffd8ffe000104a46494600010100", "image/jpeg", "jpg"),
        ("image", "image/webp", "52494646000000005745425056503820", "image/webp", "webp"),
        ("image", "image/gif", "4749463839610000", "image/gif", "gif"),
        ("image", "image/avif", "0000001c66747970617669660000", "image/avif", "avif"),
        ("image", "image/avif", "0000001c66747970617669730000", "image/avif", "avif"),
        ("image", "image/heic", "0000001c66747970686569630000", "image/heic", "heic"),
        ("video", "video/mp4", MP4, "video/mp4", "mp4"),
        ("video", "video/mp4", "0000001466747970717420200000", "video/quicktime", "mov"),
        ("video", "video/quicktime", "000000086d6f6f760000", "video/quicktime", "mov"),
        ("video", "video/quicktime", "00000008776964650000", "video/quicktime", "mov"),
        ("video", "video/quicktime", "000000086d6461740000", "video/quicktime", "mov"),
        ("video", "video/webm", "1a45dfa3010000", "video/webm", "webm"),
    ];
    for (kind, declared, head, mime, extension) in cases {
        assert_eq!(judge(kind, 200, declared, head), Ok(Found { mime, extension }), "{head}");
    }
}

#[test]
fn a_type_that_says_little_is_no_reason_to_refuse() {
    for declared in ["", "application/octet-stream", "Binary/Octet-Stream", "application/mp4", "video/mp4; codecs=avc1"]
    {
        assert!(judge("video", 200, declared, MP4).is_ok(), "{declared}");
    }
}

#[test]
fn what_is_no_picture_or_video_is_refused_whatever_it_claims() {
    assert_eq!(judge("image", 200, "text/html", PNG), Err("protocol"));
    assert_eq!(judge("image", 200, "application/json", PNG), Err("protocol"));
    assert_eq!(judge("image", 200, "video/mp4", PNG), Err("protocol"));
    assert_eq!(judge("image", 200, "image/png", MP4), Err("protocol"));
    assert_eq!(judge("video", 200, "video/mp4", PNG), Err("protocol"));
    assert_eq!(judge("image", 200, "image/png", "3c21444f4354595045"), Err("protocol"));
    assert_eq!(judge("image", 200, "image/svg+xml", "3c737667"), Err("protocol"));
    assert_eq!(judge("image", 200, "image/png", "89504e"), Err("protocol"));
    assert_eq!(judge("image", 200, "image/png", ""), Err("truncated"));
}

#[test]
fn a_status_says_whether_the_url_has_expired_or_the_host_has_trouble() {
    let code = |status| judge("image", status, "image/png", PNG);
    for status in [401, 403, 404, 410] {
        assert_eq!(code(status), Err("expired"), "{status}");
    }
    assert_eq!((code(204), code(205)), (Err("truncated"), Err("truncated")));
    for (status, word) in
        [(0, "redirect"), (302, "redirect"), (400, "rejected"), (206, "rejected"), (429, "rate_limited")]
    {
        assert_eq!(code(status), Err(word), "{status}");
    }
    assert_eq!((code(500), code(503)), (Err("gateway"), Err("gateway")));
}

#[test]
fn an_expired_url_is_read_anew_once_and_not_again() {
    assert_eq!(after("expired", 1, false, 0, 7), Next::Reread);
    assert_eq!(after("expired", 4, false, 0, 7), Next::Reread);
    assert_eq!(after("expired", 2, true, 0, 7), Next::Stop);
}

#[test]
fn a_result_that_the_service_does_not_find_is_read_anew_once_like_an_expired_url() {
    assert_eq!(after("not_found", 1, false, 0, 7), Next::Reread);
    assert_eq!(after("not_found", 2, true, 0, 7), Next::Stop);
}

#[test]
fn a_passing_failure_is_tried_again_three_times_with_growing_pauses() {
    assert_eq!(after("truncated", 1, false, 0, 9_999), Next::Again(1_999));
    assert_eq!(after("network", 2, false, 0, 9_999), Next::Again(1_999));
    assert_eq!(after("persist", 3, true, 0, 9_999), Next::Again(1_999));
    assert_eq!(after("persist", 3, true, 0, 7_999), Next::Again(7_999));
    assert_eq!(after("gateway", 4, false, 0, 9_999), Next::Stop);
    for code in ["too_large", "validation", "unauthorized", "forbidden", "rejected", "redirect", "no_asset", ""] {
        assert_eq!(after(code, 1, false, 0, 1), Next::Stop, "{code}");
    }
}

#[test]
fn a_hosts_wish_for_a_pause_is_kept_unless_it_is_too_long() {
    assert_eq!(after("rate_limited", 1, false, 5_000, 3), Next::Again(5_000));
    assert_eq!(after("rate_limited", 1, false, 60_001, 3), Next::Stop);
}

#[test]
fn a_key_leads_nowhere_but_into_the_bucket() {
    for key in ["1/0.png", "a", "a b/ü.png", "..a/b..", &"k".repeat(1024)] {
        assert!(is_safe_key(key), "{key}");
    }
    for key in ["", "/a", "a/", "a//b", "../a", "a/..", "a/./b", ".", "a\\b", "a\nb", "a\u{7f}", &"k".repeat(1025)] {
        assert!(!is_safe_key(key), "{key}");
    }
}

fn asked(question: &str) -> String {
    answer(&json::parse(question).expect("the test's own JSON"), 0, 5)
}

#[test]
fn questions_are_answered_in_json() {
    assert_eq!(asked(r#"{"ask":"files","task":{}}"#), r#"{"code":"validation"}"#);
    let task = r#"{"handle":{"id":"9"},"status":"succeeded","images":["https://a.example/1"]}"#;
    let expected = r#"[{"url":"https://a.example/1","kind":"image"}]"#;
    assert_eq!(asked(&format!(r#"{{"ask":"files","task":{task}}}"#)), expected);
    assert_eq!(asked(r#"{"ask":"host","host":"10.0.0.1"}"#), "false");
    assert_eq!(asked(r#"{"ask":"key","key":"a/b"}"#), "true");
    assert_eq!(asked(r#"{"ask":"after","code":"expired","attempt":1,"isFresh":false}"#), r#""reread""#);
    assert_eq!(asked(r#"{"ask":"after","code":"network","attempt":1,"isFresh":false}"#), "5");
    assert_eq!(asked(r#"{"ask":"after","code":"network","attempt":4,"isFresh":false}"#), "null");
    assert_eq!(asked("null"), "null");
}

#[test]
fn a_reply_is_named_after_its_task_and_no_two_tasks_share_a_name() {
    let name = |id: &str| {
        let question = format!(
            r#"{{"ask":"reply","kind":"image","status":200,"type":"image/png","head":"{PNG}","id":"{id}","index":3}}"#
        );
        asked(&question)
    };
    assert_eq!(name("task_a-1"), r#"{"contentType":"image/png","key":"task_a-1/3.png"}"#);
    assert_eq!(name("a/../b"), r#"{"contentType":"image/png","key":"a~2f~2e~2e~2fb/3.png"}"#);
    assert_eq!(name("a~2f"), r#"{"contentType":"image/png","key":"a~7e2f/3.png"}"#);
    let busy = r#"{"ask":"reply","kind":"image","status":503,"retryAfter":"2"}"#;
    assert_eq!(asked(busy), r#"{"code":"gateway","retryAfterMs":2000}"#);
}
