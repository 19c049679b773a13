//! Pictures on their way out: which forms each route takes, and where their letters go. How a picture is described is at
//! the top of core/fields.rs.

use comet_tasks::core::error::Error;
use comet_tasks::core::http::Body;
use comet_tasks::core::json;
use comet_tasks::core::midjourney;
use comet_tasks::core::submit::{Dialect, Submission};
use comet_tasks::core::task::Kind;
use serde_json::{Value, json};

const URL: &str = "https://a.test/i.png";
const RULE: &str = "must be a picture: a Blob, an ArrayBuffer, a Uint8Array or a base64 data URI, or its http(s) URL where the route takes one";

fn submit(kind: Kind, params: &Value) -> Result<Submission, Error> {
    let text = params.to_string();
    Submission::read(kind, &json::parse(&text).expect("serde_json writes JSON"), Dialect::Comet, None)
}

/// The body with each picture's place and type between its quotes.
fn filled(kind: Kind, params: &Value) -> Value {
    let Body::Json { mut text, images } = submit(kind, params).expect("the arguments are right").request.body else {
        panic!("no JSON body")
    };
    for (at, image) in images.iter().rev() {
        assert_eq!(&text[at - 1..at + 1], "\"\"", "a gap is between quotes");
        text.insert_str(*at, &format!("#{} {}", image.index, image.mime));
    }
    serde_json::from_str(&text).expect("a body is JSON")
}

fn blob(index: usize, mime: &str) -> Value {
    json!({ "image": index, "type": mime, "size": 8 })
}

#[test]
fn a_url_goes_out_where_the_route_takes_one() {
    assert_eq!(filled(Kind::Video, &json!({ "image": format!(" {URL} ") }))["image"], URL);
    assert_eq!(filled(Kind::Edits, &json!({ "prompt": "x", "image": URL }))["image"], URL);
    let describe = filled(Kind::Describe, &json!({ "image": URL }));
    assert_eq!((&describe["link"], describe.get("base64")), (&json!(URL), None));
}

#[test]
fn bytes_become_data_uris_in_the_field_that_takes_them() {
    let describe = filled(Kind::Describe, &json!({ "image": blob(0, "image/webp") }));
    assert_eq!(describe, json!({ "base64": "#0 image/webp" }));
    let imagine =
        filled(Kind::Imagine, &json!({ "prompt": "x", "images": [blob(0, "image/png"), blob(1, "image/gif")] }));
    assert_eq!(imagine["base64Array"], json!(["#0 image/png", "#1 image/gif"]));
    let edits = json!({ "prompt": "x", "image": blob(0, "image/png"), "mask": blob(1, "image/png"), "state": "é" });
    let edits = filled(Kind::Edits, &edits);
    assert_eq!((&edits["image"], &edits["maskBase64"]), (&json!("#0 image/png"), &json!("#1 image/png")));
    let modal = filled(Kind::Modal, &json!({ "taskId": "1", "prompt": "\"quotes\" ☃", "mask": blob(0, "image/png") }));
    assert_eq!(modal, json!({ "taskId": "1", "prompt": "\"quotes\" ☃", "maskBase64": "#0 image/png" }));
}

#[test]
fn a_url_where_bytes_must_be_names_the_remedy() {
    let rule = "must be the picture itself, since this route takes no URL: await (await fetch(url)).blob()";
    for (kind, params, field) in [
        (Kind::Imagine, json!({ "prompt": "x", "images": [URL] }), "images[0]"),
        (Kind::Blend, json!({ "images": [blob(0, "image/png"), URL] }), "images[1]"),
        (Kind::Modal, json!({ "taskId": "1", "mask": URL }), "mask"),
        (Kind::Edits, json!({ "prompt": "x", "image": URL, "mask": URL }), "mask"),
        (Kind::Veo, json!({ "prompt": "x", "inputReference": URL }), "inputReference[0]"),
    ] {
        assert_eq!(submit(kind, &params).unwrap_err().message, format!("{field} {rule}, got \"{URL}\""));
    }
}

#[test]
fn what_is_no_picture_is_refused_by_its_type() {
    for (image, shown) in [
        (json!("boat.png"), r#""boat.png""#),
        (json!(7), "7"),
        (json!({ "image": -1, "type": "function" }), "function"),
        (json!({ "image": 0, "type": "text/html", "size": 8, "head": "3c68746d6c3e" }), "text/html"),
        (json!({ "image": 0, "uri": "data:text/html;base64,PGh0bWw+" }), "an object"),
        (json!({ "image": 0, "uri": "data:image/png,raw" }), "an object"),
        (json!({ "image": 0, "uri": "data:image/png;base64," }), "an object"),
    ] {
        let message = submit(Kind::Describe, &json!({ "image": image })).unwrap_err().message.clone();
        assert_eq!(message, format!("image {RULE}, got {shown}"));
    }
    let empty = json!({ "image": { "image": 0, "type": "image/png", "size": 0 } });
    let message = submit(Kind::Describe, &empty).unwrap_err().message.clone();
    assert_eq!(message, "image must not be an empty picture, got image/png");
}

#[test]
fn a_type_is_the_declared_one_else_that_of_the_first_bytes() {
    for (picture, mime) in [
        (json!({ "image": 0, "type": "image/jpg" }), "image/jpeg"),
        (json!({ "image": 0, "type": "image/jpeg; charset=x" }), "image/jpeg"),
        (json!({ "image": 0, "head": "ffd8ffe000104a46" }), "image/jpeg"),
        (json!({ "image": 0, "head": "474946383961" }), "image/gif"),
        (json!({ "image": 0, "head": "424d0000" }), "image/bmp"),
        (json!({ "image": 0, "head": "524946460000000057454250" }), "image/webp"),
        (json!({ "image": 0, "head": "0000001c6674797061766966" }), "image/avif"),
        (json!({ "image": 0, "type": "application/octet-stream", "head": "89504e470d0a" }), "image/png"),
        (json!({ "image": 0, "head": "00" }), "image/png"),
        (json!({ "image": 0, "uri": "data:image/webp;base64,U" }), "image/webp"),
        (json!({ "image": 0, "uri": "DATA:image/png;name=a;BASE64,i" }), "image/png"),
    ] {
        let sent = filled(Kind::Describe, &json!({ "image": picture.clone() }));
        assert_eq!(sent["base64"], format!("#0 {mime}"), "{picture}");
    }
}

#[test]
fn an_upload_is_at_least_one_picture() {
    let read = |params: Value| {
        let text = params.to_string();
        midjourney::upload(&json::parse(&text).unwrap())
    };
    let message = read(json!({ "images": [] })).unwrap_err().message.clone();
    assert_eq!(message, "images must be at least one picture, got 0 items");
    let request = read(json!({ "images": [blob(0, "image/png")] })).unwrap();
    assert_eq!((request.method, request.path.as_str()), ("POST", "/mj/submit/upload-discord-images"));
}
