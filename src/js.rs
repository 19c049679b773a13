//! The wasm-bindgen surface: convert in, call, convert out. The facade in `pkg/src` makes it a public API.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, Function, Promise};
use serde::Deserialize;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;
use web_sys::{AbortSignal, Headers};

use crate::call::{Call, Limit, Stop};
use crate::cancel::Cancel;
use crate::client::{Client, Seen, now};
use crate::core::error::{Code, Error};
use crate::core::json::{self, Value, Writer};
use crate::core::poller::{DEFAULT_STALENESS_BUDGET, PollOptions, Timeout};
use crate::core::submit::{self, Dialect, Speed};
use crate::core::task::{Kind, Status, TaskHandle};
use crate::core::webhook;
use crate::transport::{Auth, Transport};

#[wasm_bindgen]
extern "C" {
    /// A client's settings, checked by the facade.
    pub type Settings;
    #[wasm_bindgen(method, getter, js_name = baseUrl)]
    fn base_url(this: &Settings) -> String;
    #[wasm_bindgen(method, getter)]
    fn fetch(this: &Settings) -> Function;
    #[wasm_bindgen(method, getter)]
    fn key(this: &Settings) -> Option<Function>;
    #[wasm_bindgen(method, getter)]
    fn auth(this: &Settings) -> String;
    #[wasm_bindgen(method, getter)]
    fn dialect(this: &Settings) -> String;
    #[wasm_bindgen(method, getter, js_name = maxReplyBytes)]
    fn max_reply_bytes(this: &Settings) -> f64;
    #[wasm_bindgen(method, getter, js_name = onEvent)]
    fn on_event(this: &Settings) -> Option<Function>;

    /// What of a call's options is no plain value.
    pub type Context;
    #[wasm_bindgen(method, getter)]
    fn signal(this: &Context) -> Option<AbortSignal>;
    #[wasm_bindgen(method, getter)]
    fn headers(this: &Context) -> Headers;
    #[wasm_bindgen(method, getter)]
    fn images(this: &Context) -> Array;
    #[wasm_bindgen(method, getter, js_name = onHandle)]
    fn on_handle(this: &Context) -> Option<Function>;
    #[wasm_bindgen(method, getter, js_name = onReading)]
    fn on_reading(this: &Context) -> Option<Function>;
    #[wasm_bindgen(method, getter, js_name = onSubmitted)]
    fn on_submitted(this: &Context) -> Option<Function>;
}

/// A call's plain options, by their public names. Infinity stands for "none".
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Options {
    request_timeout_ms: Option<f64>,
    timeout_ms: Option<f64>,
    staleness_budget: Option<f64>,
    interval_ms: Option<f64>,
    max_requests: Option<f64>,
    after_modal: Option<bool>,
    throw_on_failure: Option<bool>,
    speed: Option<String>,
}

/// A client inside the wasm.
#[wasm_bindgen]
pub struct Engine {
    client: Rc<Client>,
}

#[wasm_bindgen]
impl Engine {
    /// A client with these settings.
    #[wasm_bindgen(constructor)]
    pub fn new(settings: &Settings) -> Engine {
        let client = Client {
            transport: Transport {
                base_url: settings.base_url(),
                fetch: settings.fetch(),
                key: settings.key(),
                auth: match &*settings.auth() {
                    "raw" => Auth::Raw,
                    "mj-api-secret" => Auth::Secret,
                    _ => Auth::Bearer,
                },
                max_reply_bytes: settings.max_reply_bytes() as usize,
            },
            dialect: if settings.dialect() == "snake" { Dialect::Snake } else { Dialect::Comet },
            on_event: settings.on_event(),
            beliefs: RefCell::default(),
        };
        Engine { client: Rc::new(client) }
    }

    /// One call. Resolves to `["ok", value, raw]`, `["error", fields, cause, raw]` or `["thrown", value]`; never rejects.
    /// `argument` is JSON: the parameters of a submit, or a task's handle.
    pub fn call(&self, name: String, argument: String, options: JsValue, context: Context) -> Promise {
        let client = self.client.clone();
        future_to_promise(async move {
            let outcome = dispatch(&client, &name, &argument, options, &context).await;
            settled(&client, operation_of(&name), &outcome);
            Ok(match outcome {
                Ok(done) => Array::of(&["ok".into(), done.value, done.raw]),
                Err(Stop::Thrown(value)) => Array::of(&["thrown".into(), value]),
                Err(Stop::Error { error, cause, raw }) => {
                    let mut json = Writer::default();
                    error.write(&mut json);
                    Array::of(&["error".into(), json.finish().into(), cause, raw])
                }
            }
            .into())
        })
    }
}

/// A call's result.
struct Done {
    /// JSON, or a Response.
    value: JsValue,
    /// The bytes that a task was read from.
    raw: JsValue,
    /// For the event.
    status: Status,
}

impl Done {
    fn plain(value: JsValue) -> Self {
        Done { value, raw: JsValue::UNDEFINED, status: Status::Succeeded }
    }
}

impl From<Seen> for Done {
    fn from((task, raw): Seen) -> Self {
        Done { value: written(|json| task.write(json)), raw, status: task.status }
    }
}

fn settled(client: &Client, operation: &str, outcome: &Result<Done, Stop>) {
    let (word, ambiguous, handle) = match outcome {
        Ok(done) => (done.status.as_str(), false, None),
        Err(Stop::Thrown(_)) => ("aborted", false, None),
        Err(Stop::Error { error, .. }) => (error.code.as_str(), error.ambiguous, error.handle.as_deref()),
    };
    client.emit(operation, handle, |json| {
        json.key("type").string("settled");
        json.key("outcome").string(word);
        json.key("ambiguous").boolean(ambiguous);
    });
}

async fn dispatch(
    client: &Client,
    name: &str,
    argument: &str,
    options: JsValue,
    context: &Context,
) -> Result<Done, Stop> {
    let operation = operation_of(name);
    let options = read_options(options, operation)?;
    let call = read_call(&options, context, operation)?;
    let argument = json::parse(argument).map_err(|_| Error::new(Code::Validation, operation, "not JSON"))?;
    if let Some(word) = name.strip_prefix("run.") {
        let rule = "must be the kind of a submit";
        let kind = Kind::new(word).ok_or_else(|| Error::argument(operation, "kind", rule, word))?;
        let waiting = poll_options(&options, operation)?;
        return Ok(client.run(&call, kind, &argument, waiting, context.on_submitted()).await?.into());
    }
    if let Some(kind) = Kind::new(name) {
        let (accepted, _) = client.submit(&call, kind, &argument, None).await?;
        let status = accepted.task.map_or(Status::Queued, |task| task.status);
        return Ok(Done { status, ..Done::plain(written(|json| accepted.handle.write(json))) });
    }
    match name {
        "upload" => {
            let urls = client.upload(&call, &argument).await?;
            Ok(Done::plain(written(|json| json.strings(&urls))))
        }
        "webhook" => {
            let task = webhook::parse(argument.text().unwrap_or_default(), &client.transport.base_url, now())?;
            Ok((task, JsValue::UNDEFINED).into())
        }
        _ => on_task(client, name, &argument, &options, &call).await,
    }
}

/// The calls that name a task.
async fn on_task(
    client: &Client,
    name: &str,
    argument: &Value<'_>,
    options: &Options,
    call: &Call,
) -> Result<Done, Stop> {
    let operation = operation_of(name);
    let handle = TaskHandle::read(argument, now()).map_err(|(field, rule)| {
        let mut got = Writer::default();
        got.value(argument);
        Error::argument(operation, field, rule, &got.finish())
    })?;
    call.tell_handle(&handle);
    match name {
        "poll" => {
            let waiting = poll_options(options, operation).map_err(|error| error.with_handle(&handle))?;
            let mut poller = client.poller(handle, waiting);
            if argument.text().is_some() {
                poller.age_is_unknown();
            }
            Ok(client.poll(call, poller, None).await?.into())
        }
        "seed" => {
            let seed = client.image_seed(call, &handle).await?;
            Ok(Done::plain(written(|json| json.string(&seed))))
        }
        "content" => Ok(Done::plain(client.content(call, &handle).await?.into())),
        _ => Ok(client.fetch_task(call, &handle).await?.into()),
    }
}

/// The name that errors and events have for a call.
fn operation_of(name: &str) -> &'static str {
    match Kind::new(name.strip_prefix("run.").unwrap_or(name)) {
        Some(kind) => submit::operation(kind),
        None => match name {
            "poll" => "poll",
            "seed" => "midjourney.seed",
            "upload" => "midjourney.upload",
            "content" => "videos.content",
            "webhook" => "webhook",
            "fetch" => "fetchTask",
            _ => "run",
        },
    }
}

fn written(write: impl FnOnce(&mut Writer)) -> JsValue {
    let mut json = Writer::default();
    write(&mut json);
    json.finish().into()
}

fn read_options(options: JsValue, operation: &'static str) -> Result<Options, Error> {
    if options.is_undefined() {
        return Ok(Options::default());
    }
    serde_wasm_bindgen::from_value(options)
        .map_err(|error| Error::new(Code::Validation, operation, ["options: ", &error.to_string()].concat()))
}

fn read_call(options: &Options, context: &Context, operation: &'static str) -> Result<Call, Error> {
    let speed = match options.speed.as_deref() {
        None => None,
        Some(word) => Some(
            Speed::new(word)
                .ok_or_else(|| Error::argument(operation, "speed", "must be \"relax\", \"fast\" or \"turbo\"", word))?,
        ),
    };
    Ok(Call {
        cancel: Cancel::new(context.signal()),
        headers: context.headers(),
        images: context.images(),
        request_timeout: limit("requestTimeoutMs", options.request_timeout_ms, operation)?,
        speed,
        on_handle: context.on_handle(),
        on_reading: context.on_reading(),
    })
}

/// Milliseconds; Infinity switches the limit off.
fn limit(name: &str, ms: Option<f64>, operation: &'static str) -> Result<Option<Limit>, Error> {
    match ms {
        None => Ok(None),
        Some(ms) if ms == f64::INFINITY => Ok(Some(None)),
        Some(ms) if ms >= 0.0 => Ok(Some(Some(ms as i64))),
        Some(_) => Err(Error::argument(operation, name, "must be milliseconds, 0 or more, or null", "another number")),
    }
}

fn poll_options(options: &Options, operation: &'static str) -> Result<PollOptions, Error> {
    let timeout = limit("timeoutMs", options.timeout_ms, operation)?;
    let positive = |name, value: Option<f64>| match value {
        Some(value) if !(1.0..=9e15).contains(&value) => {
            Err(Error::argument(operation, name, "must be 1 or more", "another number"))
        }
        value => Ok(value),
    };
    Ok(PollOptions {
        staleness_budget: match options.staleness_budget {
            None => DEFAULT_STALENESS_BUDGET,
            Some(seconds) if seconds > 0.0 && seconds.is_finite() => seconds,
            Some(_) => {
                return Err(Error::argument(operation, "stalenessBudget", "must be seconds above 0", "another number"));
            }
        },
        timeout: timeout.map(|ms| ms.map_or(Timeout::Never, Timeout::After)),
        interval_ms: positive("intervalMs", options.interval_ms)?.map(|ms| ms as i64),
        max_requests: positive("maxRequests", options.max_requests)?.map(|count| count as u32),
        after_modal: options.after_modal,
        throw_on_failure: options.throw_on_failure.unwrap_or(true),
    })
}

/// Whether this is a page, where a request that fails without a status may have failed for CORS.
pub fn is_page() -> bool {
    let global = js_sys::global();
    js_sys::Reflect::has(&global, &"document".into()).unwrap_or(false)
}
