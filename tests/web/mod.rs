//! What must hold in every host: Node runs it from `web_node.rs`, a browser from `web_browser.rs`.

use comet_tasks::js::{Context, Engine, Settings};
use js_sys::{Array, Function, JSON, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{Blob, FormData, Headers};

#[wasm_bindgen_test]
async fn a_call_whose_argument_is_not_json_settles_as_an_error() {
    let outcome = outcome(call(NOTHING_IS_SENT, "fetch", "{", "{}", context())).await;
    assert_eq!(verdict(&outcome), "error");
}

#[wasm_bindgen_test]
async fn an_argument_that_breaks_a_rule_is_named_and_nothing_is_sent() {
    let outcome = outcome(call(NOTHING_IS_SENT, "imagine", r#"{"prompt":" "}"#, "{}", context())).await;
    let fields = error_of(&outcome);
    assert_eq!(text(&fields, "code"), "validation");
    assert_eq!(text(&get(&fields, "details"), "field"), "prompt");
}

#[wasm_bindgen_test]
async fn a_submit_sends_its_json_and_resolves_to_the_handle() {
    let fetch = r#"
        if (url !== "https://gateway.example/mj/submit/imagine" || init.method !== "POST") throw new Error(url);
        if (init.body !== '{"prompt":"a"}') throw new Error(init.body);
        if (init.headers.get("content-type") !== "application/json") throw new Error("content-type");
        return Promise.resolve(new Response('{"code":1,"description":"ok","result":"9007199254740993"}'));
    "#;
    let outcome = outcome(call(fetch, "imagine", r#"{"prompt":"a"}"#, "{}", context())).await;
    assert_eq!(verdict(&outcome), "ok");
    assert_eq!(text(&parsed(&outcome), "id"), "9007199254740993");
}

#[wasm_bindgen_test]
async fn a_reading_resolves_with_the_replys_own_bytes_beside_it() {
    let fetch = r#"return Promise.resolve(new Response('{"id":"1","status":"IN_PROGRESS","progress":"40%"}'))"#;
    let outcome = outcome(call(fetch, "fetch", r#""1""#, "{}", context())).await;
    assert_eq!(verdict(&outcome), "ok");
    assert_eq!(text(&parsed(&outcome), "status"), "running");
    let raw: Uint8Array = outcome.get(2).unchecked_into();
    assert_eq!(raw.to_vec(), br#"{"id":"1","status":"IN_PROGRESS","progress":"40%"}"#);
}

#[wasm_bindgen_test]
async fn a_fetch_that_rejects_is_a_network_error_with_its_cause() {
    let outcome = outcome(call("return Promise.reject('reset')", "fetch", r#""1""#, "{}", context())).await;
    assert_eq!(text(&error_of(&outcome), "code"), "network");
    assert_eq!(outcome.get(2), JsValue::from("reset"));
}

#[wasm_bindgen_test]
async fn a_read_that_is_left_is_aborted() {
    let engine = engine("return new Promise(() => {})", Function::new_no_args(""));
    let pending = engine.call("fetch".into(), r#""1""#.into(), "{}".into(), context());
    engine.leave(ID);
    assert_eq!(verdict(&outcome(pending).await), "aborted");
}

#[wasm_bindgen_test]
async fn a_submit_that_is_left_when_it_is_out_leaves_doubt() {
    let engine = engine("globalThis.cometSent(); return new Promise(() => {})", Function::new_no_args(""));
    let sent = Promise::new(&mut |resolve, _| {
        Reflect::set(&js_sys::global(), &"cometSent".into(), &resolve).expect("the global object takes a field");
    });
    let pending = engine.call("imagine".into(), r#"{"prompt":"a"}"#.into(), "{}".into(), context());
    JsFuture::from(sent).await.expect("it is sent");
    engine.leave(ID);
    let fields = error_of(&outcome(pending).await);
    assert_eq!(text(&fields, "code"), "submit_unknown");
    assert_eq!(get(&fields, "ambiguous"), JsValue::TRUE);
}

#[wasm_bindgen_test]
async fn a_timer_of_the_host_ends_a_request_that_hangs() {
    let options = r#"{"requestTimeoutMs":1}"#;
    let outcome = outcome(call("return new Promise(() => {})", "fetch", r#""1""#, options, context())).await;
    assert_eq!(text(&error_of(&outcome), "code"), "timeout");
}

#[wasm_bindgen_test]
async fn a_wait_sleeps_between_its_requests_until_the_task_has_settled() {
    let fetch = r#"
        globalThis.cometReads = (globalThis.cometReads ?? 0) + 1;
        const status = cometReads < 3 ? "IN_PROGRESS" : "SUCCESS";
        return Promise.resolve(Response.json({ id: "1", status, imageUrl: "https://cdn.example/1.png" }));
    "#;
    let ended = Promise::new(&mut |resolve, _| {
        Reflect::set(&js_sys::global(), &"cometEnded".into(), &resolve).expect("the global object takes a field");
    });
    let told = "if (outcome[0] !== 'begun') cometEnded(outcome)";
    let engine = engine(fetch, Function::new_with_args("id, outcome", told));
    engine.wait(ID, r#""1""#.into(), r#"{"intervalMs":1}"#.into(), None, false);
    let outcome = outcome(ended).await;
    assert_eq!(verdict(&outcome), "ok");
    assert_eq!(text(&parsed(&outcome), "status"), "succeeded");
    assert_eq!(get(&js_sys::global(), "cometReads"), JsValue::from(3));
}

#[wasm_bindgen_test]
async fn a_form_keeps_its_two_files_in_order_with_type_and_name() {
    let fetch = r#"
        globalThis.cometForm = init.body;
        return Promise.resolve(new Response('{"id":"task_1","status":"queued"}'));
    "#;
    let images = Array::of(&[Uint8Array::from(&b"first"[..]).into(), blob(b"last!").into()]);
    let argument = r#"{"prompt":"a","inputReference":[
        {"image":0,"size":5,"head":"89504e47"},
        {"image":1,"size":5,"type":"image/webp","name":"last frame.webp"}]}"#;
    let outcome = outcome(call(fetch, "veo", argument, "{}", with_images(images))).await;
    assert_eq!(verdict(&outcome), "ok");
    let form: FormData = get(&js_sys::global(), "cometForm").unchecked_into();
    assert_eq!(form.get("prompt"), JsValue::from("a"));
    let files = form.get_all("input_reference");
    assert_eq!(described(&files.get(0)).await, ["image-1.png", "image/png", "first"]);
    assert_eq!(described(&files.get(1)).await, ["last_frame.webp", "image/webp", "last!"]);
}

#[wasm_bindgen_test]
async fn a_picture_in_json_is_a_data_uri_from_bytes_and_from_a_blob_alike() {
    let fetch = r#"
        globalThis.cometBody = init.body;
        return Promise.resolve(new Response('{"code":1,"result":"1"}'));
    "#;
    let images = Array::of(&[Uint8Array::from(&b"first"[..]).into(), blob(b"last!").into()]);
    let argument = r#"{"images":[
        {"image":0,"size":5,"head":"89504e47"},{"image":1,"size":5,"type":"image/webp"}]}"#;
    let outcome = outcome(call(fetch, "blend", argument, "{}", with_images(images))).await;
    assert_eq!(verdict(&outcome), "ok");
    let body = get(&js_sys::global(), "cometBody").as_string().expect("a small body is text");
    assert_eq!(body, r#"{"base64Array":["data:image/png;base64,Zmlyc3Q=","data:image/webp;base64,bGFzdCE="]}"#);
}

const NOTHING_IS_SENT: &str = "throw new Error('nothing is sent')";

/// The name of each test's one call.
const ID: u32 = 1;

/// A call of a new engine.
fn call(fetch: &str, name: &str, argument: &str, options: &str, context: Context) -> Promise {
    engine(fetch, Function::new_no_args("")).call(name.into(), argument.into(), options.into(), context)
}

/// An engine whose fetch has this body; its arguments are `url` and `init`.
fn engine(fetch: &str, on_outcome: Function) -> Engine {
    let settings: Settings = object(&[
        ("baseUrl", "https://gateway.example".into()),
        ("fetch", Function::new_with_args("url, init", fetch).into()),
        ("exchange", exchange()),
        ("auth", "bearer".into()),
        ("dialect", "comet".into()),
        ("maxReplyBytes", 1_000.into()),
        ("maxConcurrency", 6.into()),
        ("headers", Headers::new().expect("no header is invalid").into()),
        ("onOutcome", on_outcome.into()),
    ]);
    Engine::new(&settings)
}

/// The package's own, whose modules are run as one script.
fn exchange() -> JsValue {
    let modules = [include_str!("../../pkg/src/bodies.js"), include_str!("../../pkg/src/exchange.js")].concat();
    let lines = modules.lines().filter(|line| !line.starts_with("import "));
    let script: String = lines.flat_map(|line| [line.strip_prefix("export ").unwrap_or(line), "\n"]).collect();
    let make = "return function (...outgoing) { return new Exchange(this, ...outgoing); }";
    Function::new_no_args(&(script + make)).call0(&JsValue::NULL).expect("it is sound")
}

async fn outcome(settled: Promise) -> Array {
    JsFuture::from(settled).await.expect("a call never rejects").unchecked_into()
}

fn verdict(outcome: &Array) -> String {
    outcome.get(0).as_string().expect("the first of an outcome is a word")
}

/// The JSON value of an outcome.
fn parsed(outcome: &Array) -> JsValue {
    JSON::parse(&outcome.get(1).as_string().expect("JSON")).expect("JSON")
}

fn error_of(outcome: &Array) -> JsValue {
    assert_eq!(verdict(outcome), "error");
    parsed(outcome)
}

fn context() -> Context {
    with_images(Array::new())
}

fn with_images(images: Array) -> Context {
    let headers = Headers::new().expect("no header is invalid");
    object(&[
        ("headers", headers.into()),
        ("images", images.into()),
        ("isAlone", false.into()),
        ("id", ID.into()),
        ("listens", false.into()),
    ])
}

fn blob(bytes: &[u8]) -> Blob {
    Blob::new_with_u8_array_sequence(&Array::of(&[Uint8Array::from(bytes)])).expect("bytes make a Blob")
}

/// A file's name, type and text.
async fn described(file: &JsValue) -> [String; 3] {
    let blob: &Blob = file.unchecked_ref();
    let bytes = JsFuture::from(blob.array_buffer()).await.expect("its bytes are in memory");
    let content = String::from_utf8(Uint8Array::new(&bytes).to_vec()).expect("ASCII");
    [text(file, "name"), blob.type_(), content]
}

fn get(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).expect("an object")
}

fn text(object: &JsValue, name: &str) -> String {
    get(object, name).as_string().unwrap_or_default()
}

fn object<T: JsCast>(fields: &[(&str, JsValue)]) -> T {
    let object = Object::new();
    for (name, value) in fields {
        Reflect::set(&object, &JsValue::from(*name), value).expect("a plain object takes every field");
    }
    object.unchecked_into()
}
