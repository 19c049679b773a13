//! Any text as the body of a webhook.
#![no_main]

use comet_tasks::core::json::Writer;
use comet_tasks::core::webhook;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &str| {
    let mut written = Writer::default();
    match webhook::parse(body, "https://api.cometapi.com", 1_773_315_000_000) {
        Ok(task) => {
            assert!(!task.handle.id.as_str().is_empty());
            task.write(&mut written);
        }
        Err(error) => error.write(&mut written),
    }
    serde_json::from_str::<serde_json::Value>(&written.finish()).expect("the outcome is JSON");
});
