//! What must hold in every host: Node runs it from `web_node.rs`, a browser from `web_browser.rs`.

use comet_tasks::js::{Context, Engine};
use js_sys::{Array, Function, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::Headers;

#[wasm_bindgen_test]
async fn a_call_whose_argument_is_not_json_settles_as_an_error() {
    let settled = engine().call("fetchTask".into(), "{".into(), "{}".into(), context());
    let settled: Array = JsFuture::from(settled).await.expect("a call never rejects").unchecked_into();
    assert_eq!(settled.get(0), JsValue::from("error"));
}

fn engine() -> Engine {
    Engine::new(&object(&[
        ("baseUrl", "https://gateway.example".into()),
        ("fetch", Function::new_no_args("throw new Error('nothing is sent')").into()),
        ("auth", "bearer".into()),
        ("dialect", "comet".into()),
        ("maxReplyBytes", 1_000.into()),
    ]))
}

fn context() -> Context {
    object(&[("headers", Headers::new().expect("no header is invalid").into()), ("images", Array::new().into())])
}

fn object<T: JsCast>(fields: &[(&str, JsValue)]) -> T {
    let object = Object::new();
    for (name, value) in fields {
        Reflect::set(&object, &JsValue::from(*name), value).expect("a plain object takes every field");
    }
    object.unchecked_into()
}
