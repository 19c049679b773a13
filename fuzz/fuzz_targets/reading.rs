//! Any bytes as the reply to a read: a task or an error, never a panic, and the task keeps the promises of its type.
//! Input: one byte for the kind, one for the status, then the body.
#![no_main]

use comet_tasks::core::http::Reply;
use comet_tasks::core::json::Writer;
use comet_tasks::core::reading;
use comet_tasks::core::task::{Kind, Status, Task, TaskHandle, TaskId};
use libfuzzer_sys::fuzz_target;

const STATUSES: [u16; 8] = [200, 204, 400, 403, 404, 429, 500, 503];
const KINDS: [Kind; 4] = [Kind::Imagine, Kind::Video, Kind::Describe, Kind::Veo];
const BASE_URL: &str = "https://api.cometapi.com";

fuzz_target!(|data: &[u8]| {
    let [kind, status, body @ ..] = data else { return };
    let kind = KINDS[*kind as usize % KINDS.len()];
    let status = STATUSES[*status as usize % STATUSES.len()];
    let reply = Reply { status, body: body.to_vec(), ..Reply::default() };
    let handle = TaskHandle::new(kind, TaskId::new("1773314942177684").expect("a sound id"), 1_773_314_942_177);
    for outcome in [
        reading::read(&handle, &reply, BASE_URL, 1_773_315_000_000).map(Some),
        reading::read_listed(&handle, &reply, BASE_URL, 1_773_315_000_000),
    ] {
        match outcome {
            Ok(task) => task.iter().for_each(check),
            Err(error) => {
                assert!(!error.ambiguous, "a read creates nothing");
                assert_eq!(error.handle.as_deref(), Some(&handle), "an error lost its task");
            }
        }
    }
    reading::content_error(&handle, &reply, 0);
});

fn check(task: &Task) {
    let mut written = Writer::default();
    task.write(&mut written);
    let shown: serde_json::Value = serde_json::from_str(&written.finish()).expect("a task is JSON");
    let list = |field: &str| shown[field].as_array().expect("a list").iter();
    let succeeded = task.status == Status::Succeeded;
    let has_result = list("images").chain(list("videos")).next().is_some() || shown["content"] == true;
    assert!(succeeded || !has_result, "a result before the end");
    let preview = Some(&shown["preview"]).filter(|preview| !preview.is_null());
    assert!(preview.is_none() || !task.status.is_terminal(), "a preview after the end");
    assert!(task.progress.is_none_or(|progress| (0..=100_000).contains(&progress.0)), "progress out of range");
    assert_eq!(task.reason.is_some(), matches!(task.status, Status::Failed | Status::Canceled));
    for url in list("images").chain(list("videos")).chain(preview) {
        let lower = url.as_str().expect("a text").to_ascii_lowercase();
        assert!(lower.starts_with("https://") || lower.starts_with("http://"), "{url}");
    }
}
