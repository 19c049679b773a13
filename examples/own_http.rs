//! The protocol without this crate's client: `core` says what to send and when, and you send it, with whatever HTTP and
//! whatever clock your program has. Here both are made up, so that it runs anywhere: `cargo run --example own_http`.

use std::error::Error;

use comet_tasks::core::belief::Belief;
use comet_tasks::core::http::{HttpRequest, Reply};
use comet_tasks::core::json::{Value, parse};
use comet_tasks::core::poller::{PollOptions, Poller, Step};
use comet_tasks::core::reading;
use comet_tasks::core::submit::{Dialect, Submission};
use comet_tasks::core::task::{Kind, Millis, TaskHandle};

const BASE_URL: &str = "https://api.cometapi.com";

fn main() -> Result<(), Box<dyn Error>> {
    let mut now = 1_750_000_000_000;
    let handle = submit(&parse(r#"{"prompt": "a small boat at dawn"}"#).expect("JSON"), now)?;
    println!("submitted: {}", handle.id.as_str());

    let belief = Belief::shipped(handle.family, handle.kind);
    let mut poller = Poller::new(handle.clone(), PollOptions::default(), belief, now, 1);
    let done_at = now + 40_000;
    loop {
        match poller.step(now) {
            Step::Sleep(ms) => now += ms, // your timer
            Step::Fetch(_) => {
                let reply = send(&reading::request(&handle), now >= done_at);
                let task = reading::read(&handle, &reply, BASE_URL, now);
                poller.handle_reply(now, task.map(Some));
            }
            Step::Done(outcome) => {
                println!("pictures: {:?}", outcome.map_err(|error| error.message.clone())?.list("images"));
                return Ok(());
            }
        }
    }
}

fn submit(params: &Value<'_>, now: Millis) -> Result<TaskHandle, String> {
    let submission = Submission::read(Kind::Imagine, params, Dialect::Comet, None);
    let submission = submission.map_err(|error| error.message.clone())?;
    let reply = send(&submission.request, false);
    let accepted = submission.judge(&reply, BASE_URL, now).map_err(|error| error.message.clone())?;
    Ok(accepted.handle)
}

/// Your HTTP: the method, the path after the base URL, and the body are in `request`; the key is yours to add.
fn send(request: &HttpRequest, is_done: bool) -> Reply {
    println!("{} {}", request.method, request.path);
    let body = match (request.method, is_done) {
        ("POST", _) => r#"{"code": 1, "description": "submit success", "result": "1712345678901234"}"#,
        (_, false) => r#"{"id": "1712345678901234", "status": "IN_PROGRESS", "progress": "40%"}"#,
        (_, true) => {
            r#"{"id": "1712345678901234", "status": "SUCCESS", "progress": "100%", "imageUrl": "https://cdn.example/1.png"}"#
        }
    };
    Reply { status: 200, body: body.into(), ..Reply::default() }
}
