//! The wasm-bindgen surface of the edge gateway. Every method is one decision: text in, text out, at once. So one instance
//! serves all requests of an isolate: it owns nothing that a request could wait for.
//!
//! What comes back is a line of JSON; a body stands behind it, after a line feed, which JSON's own texts never hold.

use wasm_bindgen::prelude::*;

use crate::core::gateway::{self, Check, Head, MARK, Outgoing, Passed, Received, Refusal, Route};
use crate::core::http::{Body, Part, Reply};
use crate::core::json::{self, Value, Writer};
use crate::core::submit::Speed;
use crate::core::task::TaskId;
use crate::core::text;

/// The rules of one gateway.
#[wasm_bindgen]
pub struct Gateway {
    rules: gateway::Gateway,
}

#[wasm_bindgen]
impl Gateway {
    /// A gateway with these settings, which the facade has checked.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &str) -> Gateway {
        Gateway { rules: gateway::Gateway::read(&parsed(options)) }
    }

    /// `{headers, status, body}`: the answer. `{headers, route, operation, isSubmit, limitMs, takes, speed, check, path}`: go on.
    pub fn judge(&self, head: &str) -> String {
        let head = parsed(head);
        let head = Head::new(&head);
        let verdict = self.rules.judge(head);
        written(|json| {
            json.key("headers").list(|json| self.rules.write_reply_headers(head, json));
            match &verdict {
                Err(refusal) => write_refusal(refusal, json),
                Ok(Passed::Preflight) => json.key("status").integer(204),
                Ok(passed) => write_passed(passed, json),
            }
        })
    }

    /// The answer to what the host found out by itself.
    pub fn refuse(&self, word: &str) -> String {
        written(|json| write_refusal(&Refusal::of(word), json))
    }

    /// A JSON body: `{path, checks, pictures}` and the new body, or `{status, body}`.
    #[wasm_bindgen(js_name = readJson)]
    pub fn read_json(&self, route: &str, speed: &str, parent: &str, body: &[u8], pictures: u32) -> String {
        let read = |route, body| {
            self.rules.read_json(route, Speed::new(speed), TaskId::new(parent).as_ref(), body, pictures as usize)
        };
        match (Route::new(route), std::str::from_utf8(body)) {
            (Some(route), Ok(body)) => outgoing(read(route, body)),
            _ => self.refuse("unreadable"),
        }
    }

    /// A form: `{path, checks, parts}`, or `{status, body}`.
    #[wasm_bindgen(js_name = readForm)]
    pub fn read_form(&self, parts: &str) -> String {
        outgoing(self.rules.read_form(&parsed(parts)))
    }

    /// The body of a list of these ids alone.
    pub fn list(&self, ids: &str) -> String {
        gateway::list_of(&task_ids(ids))
    }

    /// The type under which a result goes on; nothing when it does not.
    #[wasm_bindgen(js_name = mediaType)]
    pub fn media_type(&self, content_type: &str) -> Option<String> {
        gateway::media_type(content_type)
    }

    /// The service's reply for the caller: `{status, ids}` and the body, with a mark for the tag of each id.
    pub fn answer(&self, route: &str, asked: &str, status: u16, over_cap: bool, body: Vec<u8>) -> String {
        let Some(route) = Route::new(route) else { return self.refuse("") };
        let reply = Reply { status, over_cap, body: String::from_utf8_lossy(&body).into_owned(), ..Reply::default() };
        let answer = self.rules.answer(Received { route, asked: &task_ids(asked), reply: &reply });
        let head = written(|json| {
            json.key("status").integer(answer.status.into());
            json.key("ids").list(|json| answer.ids.iter().for_each(|id| json.string(id.as_str())));
        });
        text::concat(&[&head, "\n", &answer.text])
    }

    /// A handle that a caller sent: `{handle, checks}`, or `{field, rule}`.
    pub fn open(&self, handle: &str) -> String {
        let opened = gateway::open_handle(&parsed(handle));
        written(|json| match &opened {
            Ok((handle, checks)) => {
                handle.write(json.key("handle"));
                write_checks(checks, json);
            }
            Err((field, rule)) => {
                json.key("field").string(field);
                json.key("rule").string(rule);
            }
        })
    }
}

fn parsed(text: &str) -> Value<'_> {
    json::parse(text).unwrap_or(Value::Null)
}

fn task_ids(text: &str) -> Vec<TaskId> {
    parsed(text).items().iter().filter_map(TaskId::read).collect()
}

fn written(write: impl FnOnce(&mut Writer)) -> String {
    let mut json = Writer::default();
    json.object(write);
    json.finish()
}

fn write_refusal(refusal: &Refusal, json: &mut Writer) {
    json.key("status").integer(refusal.status.into());
    json.key("body").string(&refusal.body());
}

fn write_checks(checks: &[Check], json: &mut Writer) {
    json.key("checks").list(|json| checks.iter().for_each(|check| check.write(json)));
}

fn write_passed(passed: &Passed, json: &mut Writer) {
    let Passed::Route { route, speed, check, path } = passed else { return };
    json.key("route").string(route.name());
    json.key("operation").string(route.operation());
    json.key("isSubmit").boolean(route.is_submit());
    json.key("limitMs").integer(route.limit_ms());
    json.key("takes").string_or_null(route.takes_body());
    json.key("speed").string(speed.map_or("", Speed::as_str));
    match check {
        Some(check) => check.write(json.key("check")),
        None => json.key("check").raw("null"),
    }
    json.key("path").string_or_null(path.as_deref());
}

fn outgoing(read: Result<Outgoing, Refusal>) -> String {
    let Outgoing { request, checks } = match read {
        Ok(outgoing) => outgoing,
        Err(refusal) => return written(|json| write_refusal(&refusal, json)),
    };
    let head = |write: &dyn Fn(&mut Writer)| {
        written(|json| {
            json.key("path").string(&request.path);
            write_checks(&checks, json);
            write(json);
        })
    };
    match &request.body {
        Body::Empty => head(&|_| {}),
        Body::Form(parts) => {
            head(&|json| json.key("parts").list(|json| parts.iter().for_each(|part| write_part(part, json))))
        }
        Body::Json { text, images } => {
            let head = head(&|json| {
                let places = images.iter().map(|(_, image)| image.index as i64);
                json.key("pictures").list(|json| places.for_each(|index| json.integer(index)));
            });
            let mut body = text::concat(&[&head, "\n"]);
            let mut from = 0;
            for (at, _) in images {
                body.push_str(&text[from..*at]);
                body.push_str(MARK);
                from = *at;
            }
            body.push_str(&text[from..]);
            body
        }
    }
}

fn write_part(part: &Part, json: &mut Writer) {
    json.object(|json| match part {
        Part::Text { name, value } => {
            json.key("name").string(name);
            json.key("value").string(value);
        }
        Part::File { name, filename, image } => {
            json.key("name").string(name);
            json.key("file").integer(image.index as i64);
            json.key("filename").string(filename);
            json.key("type").string(&image.mime);
        }
    });
}
