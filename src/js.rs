//! The wasm-bindgen surface: convert in, call, convert out. The facade in `pkg/src` makes it a public API.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Array, Function, Promise};
use serde::Serialize;
use serde_wasm_bindgen::preserve;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;
use web_sys::{AbortSignal, Headers};

use crate::call::{Call, Limit, Stop};
use crate::cancel::Cancel;
use crate::client::{self, Client, Seen, now};
use crate::core::error::{Code, Error};
use crate::core::fields::Fields;
use crate::core::json::{self, Value, Writer};
use crate::core::keep;
use crate::core::poller::{DEFAULT_STALENESS_BUDGET, PollOptions, Timeout};
use crate::core::submit::{self, Dialect, Speed};
use crate::core::task::{Kind, Status, TaskHandle};
use crate::core::text;
use crate::core::webhook;
use crate::transport::{Exchange, Transport};
use crate::waits::Waits;

#[wasm_bindgen]
extern "C" {
    /// A client's settings, checked by the facade.
    #[derive(Clone)]
    pub type Settings;
    #[wasm_bindgen(method, getter, js_name = baseUrl)]
    fn base_url(this: &Settings) -> String;
    #[wasm_bindgen(method, getter)]
    fn dialect(this: &Settings) -> String;
    #[wasm_bindgen(method)]
    pub(crate) fn exchange(this: &Settings, request: &str, images: &Array, headers: &Headers) -> Exchange;
    #[wasm_bindgen(method, getter, js_name = requestTimeoutMs)]
    fn request_timeout_ms(this: &Settings) -> Option<f64>;
    #[wasm_bindgen(method, getter, js_name = maxConcurrency)]
    fn max_concurrency(this: &Settings) -> f64;
    #[wasm_bindgen(method, getter)]
    fn headers(this: &Settings) -> Headers;
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
    #[wasm_bindgen(method, getter, js_name = isAlone)]
    fn is_alone(this: &Context) -> bool;
    #[wasm_bindgen(method, getter, js_name = onHandle)]
    fn on_handle(this: &Context) -> Option<Function>;
    #[wasm_bindgen(method, getter, js_name = onReading)]
    fn on_reading(this: &Context) -> Option<Function>;
    #[wasm_bindgen(method, getter, js_name = onSubmitted)]
    fn on_submitted(this: &Context) -> Option<Function>;
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
        let shared_timeout = settings.request_timeout_ms().map(|ms| ms.is_finite().then_some(ms as i64));
        let client = Client {
            transport: Transport { base_url: settings.base_url(), settings: settings.clone() },
            dialect: if settings.dialect() == "snake" { Dialect::Snake } else { Dialect::Comet },
            on_event: settings.on_event(),
            beliefs: RefCell::default(),
            lists_work: Cell::new(true),
            waits: Rc::new(Waits::new(settings.headers(), shared_timeout, settings.max_concurrency() as usize)),
        };
        Engine { client: Rc::new(client) }
    }

    /// The page became visible, or came back online.
    pub fn hurry(&self) {
        self.client.waits.hurry();
    }

    /// One question of `persist`: JSON in and out, and nothing is waited for.
    pub fn keep(&self, question: String) -> String {
        keep::answer(&json::parse(&question).unwrap_or(Value::Null), now(), client::seed())
    }

    /// One call. Resolves to `["ok", value, raw]`, `["error", fields, cause, raw]` or `["thrown", value]`; never rejects.
    /// `argument` is JSON: the parameters of a submit, or a task's handle. So are `options`.
    pub fn call(&self, name: String, argument: String, options: String, context: Context) -> Promise {
        let client = self.client.clone();
        future_to_promise(async move {
            let outcome = dispatch(&client, &name, &argument, &options, &context).await;
            settled(&client, operation_of(&name), &outcome);
            let outcome = match outcome {
                Ok(done) => Outcome("ok", done.value, done.raw, JsValue::UNDEFINED),
                Err(Stop::Thrown(value)) => Outcome("thrown", value, JsValue::UNDEFINED, JsValue::UNDEFINED),
                Err(Stop::Error { error, cause, raw }) => {
                    Outcome("error", written(&|json| error.write(json)), cause, raw)
                }
            };
            Ok(serde_wasm_bindgen::to_value(&outcome)?)
        })
    }
}

/// What a call resolves to: an array.
#[derive(Serialize)]
struct Outcome(
    &'static str,
    #[serde(with = "preserve")] JsValue,
    #[serde(with = "preserve")] JsValue,
    #[serde(with = "preserve")] JsValue,
);

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
        Done { value: written(&|json| task.write(json)), raw, status: task.status }
    }
}

fn settled(client: &Client, operation: &str, outcome: &Result<Done, Stop>) {
    let (word, ambiguous, handle) = match outcome {
        Ok(done) => (done.status.as_str(), false, None),
        Err(Stop::Thrown(_)) => ("aborted", false, None),
        Err(Stop::Error { error, .. }) => (error.code.as_str(), error.ambiguous, error.handle.as_deref()),
    };
    client.emit(operation, handle, &|json| {
        json.key("type").string("settled");
        json.key("outcome").string(word);
        json.key("ambiguous").boolean(ambiguous);
    });
}

async fn dispatch(
    client: &Rc<Client>,
    name: &str,
    argument: &str,
    options: &str,
    context: &Context,
) -> Result<Done, Stop> {
    let operation = operation_of(name);
    let parse = |json| json::parse(json).map_err(|_| Error::new(Code::Validation, operation, "not JSON"));
    let (argument, options) = (parse(argument)?, parse(options)?);
    let options = Fields { operation, object: &options };
    let call = read_call(&options, context)?;
    if let Some(word) = name.strip_prefix("run.") {
        let rule = "must be the kind of a submit";
        let kind = Kind::new(word).ok_or_else(|| Error::argument(operation, "kind", rule, word))?;
        let waiting = poll_options(&options)?;
        return Ok(client.run(&call, kind, &argument, waiting, context.on_submitted()).await?.into());
    }
    if let Some(kind) = Kind::new(name) {
        let (accepted, _) = client.submit(&call, kind, &argument, None).await?;
        let status = accepted.task.map_or(Status::Queued, |task| task.status);
        return Ok(Done { status, ..Done::plain(written(&|json| accepted.handle.write(json))) });
    }
    match name {
        "upload" => {
            let urls = client.upload(&call, &argument).await?;
            Ok(Done::plain(written(&|json| json.strings(&urls))))
        }
        "fetchTasks" => {
            let (value, raw) = client.fetch_tasks(&call, read_handles(&argument)?).await?;
            Ok(Done { raw, ..Done::plain(value) })
        }
        "pollOnce" => poll_once(client, &argument, &options, &call).await,
        "webhook" => {
            let task = webhook::parse(argument.text().unwrap_or_default(), &client.transport.base_url, now())?;
            Ok((task, JsValue::UNDEFINED).into())
        }
        _ => on_task(client, name, &argument, &options, &call).await,
    }
}

/// The calls that name a task.
async fn on_task(
    client: &Rc<Client>,
    name: &str,
    argument: &Value<'_>,
    options: &Fields<'_>,
    call: &Call,
) -> Result<Done, Stop> {
    let operation = operation_of(name);
    let handle = read_handle(argument, "handle", operation)?;
    call.tell_handle(&handle);
    match name {
        "poll" => {
            let waiting = poll_options(options).map_err(|error| error.with_handle(&handle))?;
            let mut poller = client.poller(handle, waiting);
            if argument.text().is_some() {
                poller.age_is_unknown();
            }
            Ok(client.poll(call, poller, None).await?.into())
        }
        "seed" => {
            let seed = client.image_seed(call, &handle).await?;
            Ok(Done::plain(written(&|json| json.string(&seed))))
        }
        "content" => Ok(Done::plain(client.content(call, &handle).await?)),
        _ => Ok(client.fetch_task(call, &handle).await?.into()),
    }
}

/// The argument is the handle, and the JSON of the state as a text: that one may be anybody's, and is judged by itself.
async fn poll_once(client: &Client, argument: &Value<'_>, options: &Fields<'_>, call: &Call) -> Result<Done, Stop> {
    let [value, state] = argument.items() else {
        return Err(Error::new(Code::Validation, options.operation, "no handle and state").into());
    };
    let handle = read_handle(value, "handle", options.operation)?;
    call.tell_handle(&handle);
    let waiting = poll_options(options).map_err(|error| error.with_handle(&handle))?;
    let mut poller = client.poller(handle, PollOptions { throw_on_failure: false, ..waiting });
    if value.text().is_some() {
        poller.age_is_unknown();
    }
    if let Some(state) = state.text() {
        poller.resume(&json::parse(state).unwrap_or(Value::Null), now());
    }
    let (value, raw, status) = client.poll_once(call, poller).await?;
    Ok(Done { value, raw, status })
}

/// `name` is the argument's in errors.
fn read_handle(value: &Value<'_>, name: &str, operation: &'static str) -> Result<TaskHandle, Error> {
    TaskHandle::read(value, now()).map_err(|(field, rule)| {
        let mut got = Writer::default();
        got.value(value);
        Error::argument(
            operation,
            &text::concat(&[name, field.strip_prefix("handle").unwrap_or(field)]),
            rule,
            &got.finish(),
        )
    })
}

fn read_handles(argument: &Value<'_>) -> Result<Vec<TaskHandle>, Error> {
    if !matches!(argument, Value::List(_)) {
        return Err(Error::argument("fetchTasks", "handles", "must be a list of tasks' handles or ids", "no list"));
    }
    let read = |(at, value): (usize, &Value<'_>)| {
        read_handle(value, &text::concat(&["handles[", &at.to_string(), "]"]), "fetchTasks")
    };
    argument.items().iter().enumerate().map(read).collect()
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
            "fetchTasks" => "fetchTasks",
            "pollOnce" => "pollOnce",
            _ => "run",
        },
    }
}

fn written(write: &dyn Fn(&mut Writer)) -> JsValue {
    let mut json = Writer::default();
    write(&mut json);
    json.finish().into()
}

/// A call's plain options, by their public names; false stands for "no limit".
fn read_call(options: &Fields, context: &Context) -> Result<Call, Error> {
    let speed = match options.text("speed")? {
        None => None,
        Some(word) => Some(Speed::new(word).ok_or_else(|| {
            Error::argument(options.operation, "speed", "must be \"relax\", \"fast\" or \"turbo\"", word)
        })?),
    };
    Ok(Call {
        cancel: Cancel::new(context.signal()),
        headers: context.headers(),
        images: context.images(),
        request_timeout: limit(options, "requestTimeoutMs")?,
        is_alone: context.is_alone(),
        speed,
        on_handle: context.on_handle(),
        on_reading: context.on_reading(),
    })
}

fn limit(options: &Fields, name: &str) -> Result<Option<Limit>, Error> {
    match options.get(name) {
        Value::Bool(false) => Ok(Some(None)),
        _ => Ok(thousandths(options, name, 0, "must be milliseconds, 0 or more, or null")?.map(|ms| Some(ms / 1000))),
    }
}

/// A number times 1000. No JavaScript number that is a whole one for sure is larger than 9e15.
fn thousandths(options: &Fields, name: &str, least: i64, rule: &'static str) -> Result<Option<i64>, Error> {
    let number = match options.get(name) {
        Value::Null => return Ok(None),
        Value::Number(digits) => json::scaled(digits, 3).map(|(number, _)| number),
        _ => None,
    };
    match number.filter(|number| (least..=9_000_000_000_000_000_000).contains(number)) {
        Some(number) => Ok(Some(number)),
        None => Err(options.error(name, rule, options.get(name))),
    }
}

fn poll_options(options: &Fields) -> Result<PollOptions, Error> {
    let budget = thousandths(options, "stalenessBudget", 1, "must be seconds above 0")?;
    let positive =
        |name| Ok::<_, Error>(thousandths(options, name, 1000, "must be 1 or more")?.map(|count| count / 1000));
    Ok(PollOptions {
        staleness_budget: budget.map_or(DEFAULT_STALENESS_BUDGET, |thousandths| thousandths as f64 / 1000.0),
        timeout: limit(options, "timeoutMs")?.map(|ms| ms.map_or(Timeout::Never, Timeout::After)),
        interval_ms: positive("intervalMs")?,
        max_requests: positive("maxRequests")?.map(|count| count.min(u32::MAX.into()) as u32),
        after_modal: options.flag("afterModal")?,
        throw_on_failure: options.flag("throwOnFailure")?.unwrap_or(true),
    })
}
