//! Any bytes as the reply to a submit: a verdict, never a panic, and never a resend that could make a second task.
//! Input: one byte for the call, one for the status, then the body.
#![no_main]

use comet_tasks::core::error::Resend;
use comet_tasks::core::http::Reply;
use comet_tasks::core::json::{self, Writer};
use comet_tasks::core::midjourney;
use comet_tasks::core::submit::{Dialect, Submission};
use comet_tasks::core::task::Kind;
use libfuzzer_sys::fuzz_target;

const STATUSES: [u16; 24] = [
    200, 201, 204, 0, 301, 400, 401, 402, 403, 404, 405, 408, 409, 410, 413, 422, 425, 429, 500, 501, 502, 503, 524,
    599,
];
const CALLS: [(Kind, &str); 4] = [
    (Kind::Imagine, r#"{"prompt":"x"}"#),
    (Kind::Action, r#"{"taskId":"1","customId":"a::b"}"#),
    (Kind::Veo, r#"{"prompt":"x"}"#),
    (Kind::Remix, r#"{"handle":"task_1","prompt":"x"}"#),
];

fuzz_target!(|data: &[u8]| {
    let [call, status, body @ ..] = data else { return };
    let (kind, params) = CALLS[*call as usize % CALLS.len()];
    let status = STATUSES[*status as usize % STATUSES.len()];
    let reply = Reply { status, body: body.to_vec(), ..Reply::default() };
    let params = json::parse(params).expect("the call's arguments are JSON");
    let submission = Submission::read(kind, &params, Dialect::Comet, None).expect("the call's arguments are right");
    let mut written = Writer::default();
    match submission.judge(&reply, "https://api.cometapi.com", 1_773_315_000_000) {
        Ok(accepted) => {
            assert!((200..300).contains(&status), "accepted under HTTP {status}");
            accepted.handle.write(&mut written);
        }
        Err(error) => {
            assert!(!(error.ambiguous && error.retryable), "ambiguous and retryable");
            assert!(error.resend == Resend::Never || error.retryable, "resent, but not retryable");
            assert!(error.resend == Resend::Never || error.handle.is_none(), "resent although a task is known");
            error.write(&mut written);
        }
    }
    let written = written.finish();
    serde_json::from_str::<serde_json::Value>(&written).expect("the outcome is JSON");
    midjourney::uploaded(&reply, 0).ok();
    midjourney::seeded(&reply, 0).ok();
});
