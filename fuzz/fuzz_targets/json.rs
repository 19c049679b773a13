//! The JSON reader against serde_json: both take a text or both refuse it, and read the same value. The differences that
//! `core::json` documents are allowed for: half a surrogate pair is U+FFFD, and 64 levels are the deepest.
#![no_main]

use comet_tasks::core::json::{self, JsonError, Value, Writer};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let theirs = serde_json::from_str::<serde_json::Value>(text);
    // Their numbers hide in objects with a key of this name.
    if text.contains("$serde_json") {
        return;
    }
    match (json::parse(text), theirs) {
        (Ok(ours), Ok(theirs)) => {
            if !text.contains("\\u") {
                assert!(same(&ours, &theirs), "{ours:?} is not {theirs:?}");
            }
            let mut writer = Writer::default();
            writer.value(&ours);
            let again = writer.finish();
            assert_eq!(json::parse(&again), Ok(ours), "{again} does not read back");
        }
        (Ok(ours), Err(error)) => assert!(text.contains("\\u"), "we take {ours:?}, they say {error}"),
        (Err(JsonError::TooDeep), _) | (Err(_), Err(_)) => {}
        (Err(error), Ok(theirs)) => panic!("we say {error:?}, they take {theirs}"),
    }
});

fn same(ours: &Value, theirs: &serde_json::Value) -> bool {
    match (ours, theirs) {
        (Value::Null, serde_json::Value::Null) => true,
        (Value::Bool(ours), serde_json::Value::Bool(theirs)) => ours == theirs,
        (Value::Text(ours), serde_json::Value::String(theirs)) => ours == theirs,
        (Value::Number(ours), serde_json::Value::Number(theirs)) => plain(ours) == plain(&theirs.to_string()),
        (Value::List(ours), serde_json::Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| same(ours, theirs))
        }
        (Value::Object(members), serde_json::Value::Object(theirs)) => {
            members.iter().all(|(key, _)| theirs.get(&**key).is_some_and(|theirs| same(ours.get(key), theirs)))
                && theirs.keys().all(|key| members.iter().any(|(ours, _)| ours == key))
        }
        _ => false,
    }
}

/// They write an exponent's letter and sign in their own way.
fn plain(number: &str) -> String {
    number.to_ascii_lowercase().replace("e+", "e")
}
