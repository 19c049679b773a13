//! What must hold in every host: Node runs it from `web_node.rs`, a browser from `web_browser.rs`.

use comet_tasks::js;
use js_sys::{Array, Function, JSON, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{Blob, FormData};

#[wasm_bindgen_test]
async fn a_call_whose_argument_is_not_json_settles_as_an_error() {
    let outcome = call(NOTHING_IS_SENT, "fetch", "{", "{}").await;
    assert_eq!(verdict(&outcome), "error");
}

#[wasm_bindgen_test]
async fn an_argument_that_breaks_a_rule_is_named_and_nothing_is_sent() {
    let outcome = call(NOTHING_IS_SENT, "imagine", r#"{"prompt":" "}"#, "{}").await;
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
    let outcome = call(fetch, "imagine", r#"{"prompt":"a"}"#, "{}").await;
    assert_eq!(verdict(&outcome), "ok");
    assert_eq!(text(&parsed(&outcome), "id"), "9007199254740993");
}

#[wasm_bindgen_test]
async fn a_reading_resolves_with_the_replys_own_text_beside_it() {
    let fetch = r#"return Promise.resolve(new Response('{"id":"1","status":"IN_PROGRESS","progress":"40%"}'))"#;
    let outcome = call(fetch, "fetch", r#""1""#, "{}").await;
    assert_eq!(verdict(&outcome), "ok");
    assert_eq!(text(&parsed(&outcome), "status"), "running");
    let raw = Array::from(&outcome.get(3)).get(0);
    assert_eq!(raw.as_string().as_deref(), Some(r#"{"id":"1","status":"IN_PROGRESS","progress":"40%"}"#));
}

#[wasm_bindgen_test]
async fn a_fetch_that_rejects_is_a_network_error_with_its_cause() {
    let outcome = call("return Promise.reject('reset')", "fetch", r#""1""#, "{}").await;
    assert_eq!(text(&error_of(&outcome), "code"), "network");
    assert_eq!(outcome.get(2), JsValue::from("reset"));
}

#[wasm_bindgen_test]
async fn a_read_that_is_left_is_aborted() {
    let live = live("return new Promise(() => {})", Array::new());
    begin("fetch", r#""1""#, "{}");
    js::hear(LEAVE, ID, live.is_sent(ID).into(), "", JsValue::UNDEFINED);
    assert_eq!(verdict(&outcome(live.ended()).await), "aborted");
}

#[wasm_bindgen_test]
async fn a_submit_that_is_left_when_it_is_out_leaves_doubt() {
    let live = live("globalThis.cometSent(); return new Promise(() => {})", Array::new());
    let sent = Promise::new(&mut |resolve, _| {
        Reflect::set(&js_sys::global(), &"cometSent".into(), &resolve).expect("the global object takes a field");
    });
    begin("imagine", r#"{"prompt":"a"}"#, "{}");
    JsFuture::from(sent).await.expect("it is sent");
    js::hear(LEAVE, ID, live.is_sent(ID).into(), "", JsValue::UNDEFINED);
    let fields = error_of(&outcome(live.ended()).await);
    assert_eq!(text(&fields, "code"), "submit_unknown");
    assert_eq!(get(&fields, "ambiguous"), JsValue::TRUE);
}

#[wasm_bindgen_test]
async fn a_timer_of_the_host_ends_a_request_that_hangs() {
    let options = r#"{"requestTimeoutMs":1}"#;
    let outcome = call("return new Promise(() => {})", "fetch", r#""1""#, options).await;
    assert_eq!(text(&error_of(&outcome), "code"), "timeout");
}

#[wasm_bindgen_test]
async fn a_wait_sleeps_between_its_requests_until_the_task_has_settled() {
    let fetch = r#"
        globalThis.cometReads = (globalThis.cometReads ?? 0) + 1;
        const status = cometReads < 3 ? "IN_PROGRESS" : "SUCCESS";
        return Promise.resolve(Response.json({ id: "1", status, imageUrl: "https://cdn.example/1.png" }));
    "#;
    let live = live(fetch, Array::new());
    begin("poll", r#""1""#, r#"{"intervalMs":1}"#);
    let outcome = outcome(live.ended()).await;
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
    let outcome = call_with(fetch, "veo", argument, "{}", images).await;
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
    let outcome = call_with(fetch, "blend", argument, "{}", images).await;
    assert_eq!(verdict(&outcome), "ok");
    let body = get(&js_sys::global(), "cometBody").as_string().expect("a small body is text");
    assert_eq!(body, r#"{"base64Array":["data:image/png;base64,Zmlyc3Q=","data:image/webp;base64,bGFzdCE="]}"#);
}

const NOTHING_IS_SENT: &str = "throw new Error('nothing is sent')";

/// The name of each test's one call.
const ID: u32 = 1;
/// As in `pkg/src/events.js`.
const OPEN: u32 = 0;
const CALL: u32 = 1;
const LEAVE: u32 = 3;

#[wasm_bindgen]
extern "C" {
    /// The package's host, and `ended`: a promise of what it was told last.
    type Live;
    #[wasm_bindgen(method, setter)]
    fn set_engine(this: &Live, engine: JsValue);
    #[wasm_bindgen(method, getter)]
    fn ended(this: &Live) -> Promise;
    #[wasm_bindgen(method, js_name = isSent)]
    fn is_sent(this: &Live, owner: u32) -> bool;
}

fn begin(name: &str, argument: &str, options: &str) {
    js::hear(CALL, ID, 0, &[name, options, argument].join("\n"), JsValue::UNDEFINED);
}

/// A call of a new engine.
async fn call(fetch: &str, name: &str, argument: &str, options: &str) -> Array {
    call_with(fetch, name, argument, options, Array::new()).await
}

async fn call_with(fetch: &str, name: &str, argument: &str, options: &str, images: Array) -> Array {
    let live = live(fetch, images);
    begin(name, argument, options);
    outcome(live.ended()).await
}

/// An engine whose fetch has this body; its arguments are `url` and `init`.
fn live(fetch: &str, images: Array) -> Live {
    let fetch = Function::new_with_args("url, init", fetch);
    let live: Live = host().call2(&JsValue::NULL, &fetch, &images).expect("it is sound").unchecked_into();
    let hear = |what, id, number, lines: String, value| js::hear(what, id, number, &lines, value);
    let hear: Closure<dyn Fn(u32, u32, u32, String, JsValue) -> bool> = Closure::new(hear);
    let engine = Object::new();
    Reflect::set(&engine, &"hear".into(), &hear.into_js_value()).expect("an object takes a field");
    live.set_engine(engine.into());
    let host = live.unchecked_ref::<JsValue>().clone();
    js::hear(OPEN, 0, 0, r#"{"baseUrl":"https://gateway.example","maxConcurrency":6}"#, host);
    live
}

/// Makes one of the package's own, whose modules are run as one script.
fn host() -> Function {
    let modules = [
        include_str!("../../pkg/src/bodies.js"),
        include_str!("../../pkg/src/events.js"),
        include_str!("../../pkg/src/exchange.js"),
        include_str!("../../pkg/src/host.js"),
    ]
    .concat();
    let lines = modules.lines().filter(|line| !line.starts_with("import "));
    let script: String = lines.flat_map(|line| [line.strip_prefix("export ").unwrap_or(line), "\n"]).collect();
    let make = r#"return function (fetch, images) {
        let end;
        const ended = new Promise((resolve) => (end = resolve));
        const settings = { baseUrl: "https://gateway.example", fetch, auth: "bearer", maxReplyBytes: 1000 };
        const tell = (id, outcome) => outcome[0] === "begun" || end(outcome);
        const outgoing = () => ({ headers: new Headers(), images });
        const trapped = (error) => end(["trapped", String(error)]);
        return Object.assign(new Host(settings, { tell, outgoing, trapped }), { ended });
    }"#;
    let made = Function::new_no_args(&(script + make)).call0(&JsValue::NULL);
    made.expect("it is sound").unchecked_into()
}

async fn outcome(ended: Promise) -> Array {
    JsFuture::from(ended).await.expect("a call never rejects").unchecked_into()
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
