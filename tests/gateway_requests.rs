//! Which requests the gateway lets pass, by their heads. Each refusal differs in one respect from a request that passes.

use comet_tasks::core::gateway::{Check, Gateway, Head, Passed, Refusal, Route};
use comet_tasks::core::json::{self, Writer};
use comet_tasks::core::task::{Family, Kind};
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
