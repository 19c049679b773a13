//! Exact values of the small readers: dates, pauses, decimals, excerpts, expiries. protocol.md 1.0, 1.22, 1.24.

use comet_tasks::core::assets::{WebUrl, harvest, url_expiry};
use comet_tasks::core::http::excerpt;
use comet_tasks::core::json::{JsonError, MAX_VALUES, Value, parse, quote, scaled};
use comet_tasks::core::task::TaskId;
use comet_tasks::core::time::{iso_date, retry_after, time};

/// 1994-11-06T08:49:37Z
const NOV_1994: i64 = 784_111_777_000;

#[test]
fn retry_after_is_seconds_or_a_date_and_five_minutes_at_most() {
    for (header, now, ms) in [
        ("37", 0, Some(37_000)),
        (" 2 ", 0, Some(2_000)),
        ("1.5", 0, Some(1_500)),
        ("0", 0, Some(0)),
        ("-3", 0, Some(0)),
        ("300", 0, Some(300_000)),
        ("301", 0, Some(300_000)),
        ("99999999999999999999999", 0, Some(300_000)),
        ("Sun, 06 Nov 1994 08:49:37 GMT", NOV_1994 - 20_000, Some(20_000)),
        ("Sun, 06 Nov 1994 08:49:37 GMT", NOV_1994 + 20_000, Some(0)),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0, Some(300_000)),
        ("Sunday, 06-Nov-94 08:49:37 GMT", NOV_1994 - 20_000, Some(20_000)),
        ("Sun Nov  6 08:49:37 1994", NOV_1994 - 20_000, Some(20_000)),
        ("Thursday, 12-Mar-26 11:30:02 GMT", 1_773_315_000_000, Some(2_000)),
        ("Thu, 29 Feb 2024 23:59:59 GMT", 1_709_251_198_000, Some(1_000)),
        ("", 0, None),
        ("soon", 0, None),
        ("Sun, 06 Now 1994 08:49:37 GMT", 0, None),
        ("1 2 3 4 5", 0, None),
        ("Sun, 06 Nov 1994", 0, None),
        ("Sun, 06 Nov 1994 99999999999999999:00:00 GMT", 0, None),
        ("Sun, 06 Nov 1994 25:00:00 GMT", 0, None),
    ] {
        assert_eq!(retry_after(header, now), ms, "{header:?} at {now}");
    }
}

#[test]
fn a_time_is_read_by_its_magnitude() {
    for (written, ms) in [
        ("1", Some(1_000)),
        ("1773314942", Some(1_773_314_942_000)),
        ("1773314942.5", Some(1_773_314_942_500)),
        ("99999999999", Some(99_999_999_999_000)),
        ("100000000000", Some(100_000_000_000)),
        ("1773314942177", Some(1_773_314_942_177)),
        ("100000000000000", Some(100_000_000_000_000)),
        ("1773314942177123", Some(1_773_314_942_177)),
        ("1773314942177123456", Some(1_773_314_942_177)),
        ("1.773314942e9", Some(1_773_314_942_000)),
        ("0", None),
        ("0.9", None),
        ("-5", None),
        ("1e400", None),
    ] {
        assert_eq!(time(&parse(written).unwrap()), ms, "{written}");
        assert_eq!(time(&Value::Text(written.into())), ms, "{written:?}");
    }
    for nothing in ["null", "\"\"", "\"NaN\"", "true", "[1]", "{}", "\"2026-03-12\""] {
        assert_eq!(time(&parse(nothing).unwrap()), None, "{nothing}");
    }
}

#[test]
fn an_iso_date_is_utc_to_the_second() {
    for (text, ms) in [
        ("20260312T113000Z", Some(1_773_315_000_000)),
        ("2026-03-12T11:30:00Z", Some(1_773_315_000_000)),
        ("2026-03-12T11:30:00.250Z", Some(1_773_315_000_000)),
        ("2026-03-12", Some(1_773_273_600_000)),
        ("1970-01-01T00:00:00Z", Some(0)),
        ("2000-02-29T00:00:00Z", Some(951_782_400_000)),
        ("2100-03-01T00:00:00Z", Some(4_107_542_400_000)),
        ("2026-13-01", None),
        ("2026-00-01", None),
        ("2026-01-32", None),
        ("1969-12-31", None),
        ("2026-03", None),
        ("later", None),
        ("", None),
    ] {
        assert_eq!(iso_date(text), ms, "{text:?}");
    }
}

#[test]
fn a_decimal_is_scaled_without_floating_point() {
    for (text, places, value) in [
        ("12.5", 3, Some((12_500, true))),
        ("12.5678", 3, Some((12_567, false))),
        ("0.5", 0, Some((0, false))),
        ("-0.25", 2, Some((-25, true))),
        ("1.773314942177684e15", 0, Some((1_773_314_942_177_684, true))),
        ("1E3", 0, Some((1_000, true))),
        ("25e-1", 0, Some((2, false))),
        ("+7", 0, Some((7, true))),
        ("5.", 0, Some((5, true))),
        (".5", 1, Some((5, true))),
        ("0e999999999", 0, Some((0, true))),
        ("1e19", 0, None),
        ("9223372036854775807", 0, Some((i64::MAX, true))),
        ("9223372036854775808", 0, None),
        ("", 0, None),
        (".", 0, None),
        ("-", 0, None),
        ("e5", 0, None),
        ("1e", 0, None),
        ("1 2", 0, None),
        ("0x10", 0, None),
        ("1e99999999999", 0, None),
    ] {
        assert_eq!(scaled(text, places), value, "{text:?}");
    }
}

#[test]
fn an_excerpt_is_two_hundred_characters_without_tags() {
    assert_eq!(excerpt("<html>\n<title>502  Bad\tGateway</title><p>x</p>"), "502 Bad Gatewayx");
    assert_eq!(excerpt(&"é".repeat(300)), "é".repeat(200));
    assert_eq!(excerpt("a\u{0}\u{1b}[31mb"), "a [31mb");
    assert_eq!(excerpt("  \n"), "");
    assert_eq!(excerpt("a > b"), "a > b");
    assert_eq!(excerpt("<p>3 < 4 <!-- no --></p><"), "3 < 4 <");
}

#[test]
fn an_id_in_a_reply_keeps_every_digit() {
    let read = |text: &str| TaskId::read(&parse(text).unwrap()).map(|id| id.as_str().to_string());
    for (text, id) in [
        ("14001934816969359", Some("14001934816969359")),
        ("123456789012345678901234567890", Some("123456789012345678901234567890")),
        ("\"0741798445574458\"", Some("0741798445574458")),
        ("\" task_1 \"", Some("task_1")),
        ("9007199254740992.0", Some("9007199254740992")),
        ("9007199254740993.0", None),
        ("1.5", None),
        ("-7", None),
        ("\"\"", None),
        ("\"..\"", None),
        ("true", None),
        ("[1]", None),
    ] {
        assert_eq!(read(text).as_deref(), id, "{text}");
    }
}

#[test]
fn a_url_is_http_with_a_sound_host_and_no_user_name() {
    for url in [
        "https://a.test",
        "HTTP://A.test:8080/x?y#z",
        "https://[::1]:3000/",
        "https://[::1]/x",
        "https://xn--a.test",
        "http://127.0.0.1",
    ] {
        assert!(WebUrl::parse(url).is_some(), "{url}");
    }
    for url in [
        "",
        "https://",
        "https:///x",
        "//a.test/x",
        "ftp://a.test",
        "https://u@a.test",
        "https://u:p@a.test/",
        "https://a.test:70000",
        "https://a b.test",
        "https://a.test\\x",
        "https://a.test/\u{0}",
        "https://[::1",
        "https://[x]",
        "https://a.test:8x",
        "javascript:x",
    ] {
        assert!(WebUrl::parse(url).is_none(), "{url}");
    }
    let parsed = WebUrl::parse("https://a.test:8443/p/q?x=1#/no?no").unwrap();
    assert_eq!((parsed.origin, parsed.path, parsed.query), ("https://a.test:8443", "/p/q", "x=1"));
}

#[test]
fn a_body_with_no_end_of_urls_gives_a_hundred_and_none_that_is_endless_itself() {
    let urls: Vec<_> = (0..300).map(|at| format!("https://a.test/{at}.png")).collect();
    let body = serde_json::json!({
        "imageUrls": urls,
        "imageUrl": format!("https://a.test/{}.png", "x".repeat(16_384)),
        "videoUrls": urls.iter().map(|url| serde_json::json!({ "url": url.replace("png", "mp4") })).collect::<Vec<_>>(),
    });
    let found = harvest(&parse(&body.to_string()).unwrap(), true, "https://h.test");
    assert_eq!((found.images.len(), found.videos.len()), (100, 100));
    assert_eq!(found.images[..], urls[..100]);
}

#[test]
fn a_signed_url_names_its_own_end() {
    for (query, ms) in [
        ("ex=68617307&is=68602187&hm=f9", Some(1_751_216_903_000)),
        ("EX=68617307&IS=68602187", Some(1_751_216_903_000)),
        ("X-Amz-Date=20260312T113000Z&X-Amz-Expires=-60", Some(1_773_314_940_000)),
        ("X-Amz-Date=today&X-Amz-Expires=60", None),
        ("X-Amz-Date=20260312T113000Z&X-Amz-Expires=9223372036854775807", None),
        ("Expires=1773315900", Some(1_773_315_900_000)),
        ("Expires=9223372036854775807", None),
        ("se=2026-03-12T12:00:00Z", Some(1_773_316_800_000)),
        ("se=2026-03-12T12%3a00%3A00Z", Some(1_773_316_800_000)),
        ("se=2026-03-12T12%3A00Z", Some(1_773_316_800_000)),
        ("ex=68617307", Some(1_751_216_903_000)),
        ("ex=e10", None),
        ("ex=00000000", None),
        ("Expires=0", None),
        ("Expires=-1", None),
        ("Expires=3600", None),
        ("Expires=soon&se=2026-03-12T12:00:00Z", Some(1_773_316_800_000)),
        ("Expires=1773315900&se=2026-03-12T12:00:00Z&ex=79b2e000", Some(1_773_315_900_000)),
        ("X-Amz-Date=20260312T113000Z&X-Amz-Expires=3600&Expires=1773315900", Some(1_773_315_900_000)),
        ("", None),
    ] {
        assert_eq!(url_expiry(&format!("https://a.test/x.png?{query}#ex=1&is=1")), ms, "{query}");
    }
    assert_eq!(url_expiry("not a url?Expires=1773315900"), None);
}

#[test]
fn a_text_that_is_no_json_says_why() {
    for (text, error) in [
        ("", JsonError::Truncated),
        ("{\"a\":", JsonError::Truncated),
        ("[1,", JsonError::Truncated),
        ("\"a", JsonError::Truncated),
        ("tru", JsonError::Truncated),
        ("-", JsonError::Truncated),
        ("1e", JsonError::Truncated),
        ("\"\\u12", JsonError::Truncated),
        ("01", JsonError::Invalid),
        ("1 2", JsonError::Invalid),
        ("[1,]", JsonError::Invalid),
        ("{\"a\" 1}", JsonError::Invalid),
        ("{a:1}", JsonError::Invalid),
        ("\"\n\"", JsonError::Invalid),
        ("\"\\x\"", JsonError::Invalid),
        ("trux", JsonError::Invalid),
        ("NaN", JsonError::Invalid),
        ("'a'", JsonError::Invalid),
    ] {
        assert_eq!(parse(text), Err(error), "{text:?}");
    }
    let nested = |levels: usize| ["[".repeat(levels), "]".repeat(levels)].concat();
    assert!(parse(&nested(64)).is_ok());
    assert_eq!(parse(&nested(65)), Err(JsonError::TooDeep));
    let list = |items: u32| format!("[0{}]", ",0".repeat(items as usize - 1));
    assert!(parse(&list(MAX_VALUES - 1)).is_ok());
    assert_eq!(parse(&list(MAX_VALUES)), Err(JsonError::Invalid));
}

#[test]
fn a_surrogate_pair_is_one_letter_and_half_of_one_is_a_replacement() {
    for (text, letter) in [
        (r#""\ud83d\ude00""#, "😀"),
        (r#""\ud83d""#, "\u{fffd}"),
        (r#""\ude00""#, "\u{fffd}"),
        (r#""\ud83d\u0041""#, "\u{fffd}A"),
        (r#""\ud83d\ud83d\ude00""#, "\u{fffd}😀"),
        (r#""\u00e9\n\/""#, "é\n/"),
    ] {
        assert_eq!(parse(text).unwrap(), Value::Text(letter.into()), "{text}");
    }
}

#[test]
fn a_quoted_string_escapes_what_json_must() {
    let mut out = String::new();
    quote("a\"b\\c\nd\u{1}\u{1f}é/", &mut out);
    assert_eq!(out, r#""a\"b\\c\nd\u0001\u001fé/""#);
}
