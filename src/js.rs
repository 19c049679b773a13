//! The wasm-bindgen surface: convert in, call, convert out. The facade in `pkg/src` makes it a public API.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, Function, Promise};
use serde::Serialize;
use serde_wasm_bindgen::preserve;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;
use web_sys::Headers;

use crate::call::{Call, Limit, Stop, handle_json};
use crate::cancel::Cancel;
use crate::client::{self, Client, Seen, now};
use crate::core::classify::Purpose;
use crate::core::error::{Code, Error};
use crate::core::fields::Fields;
use crate::core::http::{READ_TIMEOUT_MS, SUBMIT_TIMEOUT_MS};
use crate::core::json::{self, Value, Writer};
use crate::core::keep;
use crate::core::poller::{DEFAULT_STALENESS_BUDGET, PollOptions, Poller, Timeout};
use crate::core::submit::{self, Dialect, Speed};
use crate::core::task::{Kind, Status, TaskHandle};
use crate::core::webhook;
use crate::core::{midjourney, reading, text};
use crate::transport::{Exchange, Transport};
use crate::waits::{Caller, Waits};

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
    #[wasm_bindgen(method, getter, js_name = onOutcome)]
    fn on_outcome(this: &Settings) -> Function;

    /// What of a call's options is no plain value.
    pub type Context;
    #[wasm_bindgen(method, getter)]
    fn headers(this: &Context) -> Headers;
    #[wasm_bindgen(method, getter)]
    fn images(this: &Context) -> Array;
    #[wasm_bindgen(method, getter, js_name = isAlone)]
    fn is_alone(this: &Context) -> bool;
    #[wasm_bindgen(method, getter)]
    fn id(this: &Context) -> u32;
    #[wasm_bindgen(method, getter)]
    fn listens(this: &Context) -> bool;
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
        // Where the build keeps messages, the trap has one. `immediate-abort` never comes here.
        #[cfg(all(feature = "npm", target_arch = "wasm32", not(panic = "immediate-abort")))]
        std::panic::set_hook(Box::new(|info| wasm_bindgen::throw_str(&info.to_string())));
        let shared_timeout = settings.request_timeout_ms().map(|ms| ms.is_finite().then_some(ms as i64));
        let client = Client {
            transport: Transport { base_url: settings.base_url(), settings: settings.clone() },
            dialect: if settings.dialect() == "snake" { Dialect::Snake } else { Dialect::Comet },
            on_event: settings.on_event(),
            beliefs: RefCell::default(),
            waits: Rc::new(Waits::new(settings.headers(), shared_timeout, settings.max_concurrency() as usize)),
            calls: RefCell::default(),
            poll_options: RefCell::default(),
            alone: RefCell::default(),
            on_outcome: settings.on_outcome(),
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

    /// A wait begins; `onOutcome` of the settings is told of it by this name, in the same outcomes as those of a call; "begun",
    /// with the handle, and "reading" are no end, and are told of calls too; what "submitted" gives is waited for. `headers` are those of a wait that shares nothing.
    pub fn wait(&self, wait: u32, argument: String, options: String, headers: Option<Headers>, listens: bool) {
        let caller = Caller { id: wait, listens, operation: "poll", submitted: false };
        if let Err(error) = begin_wait(&self.client, caller, &argument, &options, headers) {
            self.client.tell(wait, &self.client.conclude("poll", Err(error.into()))).ok();
        }
    }

    /// The caller of a call or of a wait does not want it any more.
    pub fn leave(&self, id: u32) {
        self.client.leave(id);
    }

    /// One call. Resolves to `["ok", value, raw]`, `["error", fields, cause, raw]`, `["thrown", value]` or `["aborted"]`; never
    /// rejects. `argument` is JSON: the parameters of a submit, or a task's handle. So are `options`. A run resolves when it has become
    /// a wait, of the name in its context.
    pub fn call(&self, name: String, argument: String, options: String, context: Context) -> Promise {
        let (client, cancel) = (self.client.clone(), Cancel::default());
        let id = context.id();
        client.calls.borrow_mut().push((id, cancel.clone()));
        future_to_promise(async move {
            let outcome = dispatch(&client, &name, &argument, &options, &context, cancel).await;
            client.calls.borrow_mut().retain(|(other, _)| *other != id);
            let outcome = match outcome {
                Ok(None) => Outcome("ok", JsValue::UNDEFINED, JsValue::UNDEFINED, JsValue::UNDEFINED),
                Ok(Some(done)) => client.conclude(operation_of(&name), Ok(done)),
                Err(stop) => client.conclude(operation_of(&name), Err(stop)),
            };
            Ok(serde_wasm_bindgen::to_value(&outcome)?)
        })
    }
}

/// What a call resolves to, or a wait is told: an array.
#[derive(Serialize)]
pub struct Outcome(
    pub &'static str,
    #[serde(with = "preserve")] pub JsValue,
    #[serde(with = "preserve")] pub JsValue,
    #[serde(with = "preserve")] pub JsValue,
);

/// A call's result.
pub struct Done {
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

impl Client {
    /// The end of a call or of a wait: told as an event, and to be told to the facade.
    pub fn conclude(&self, operation: &str, outcome: Result<Done, Stop>) -> Outcome {
        let (word, ambiguous, handle) = match &outcome {
            Ok(done) => (done.status.as_str(), false, None),
            Err(Stop::Aborted | Stop::Thrown(_)) => ("aborted", false, None),
            Err(Stop::Error { error, .. }) => (error.code.as_str(), error.ambiguous, error.handle.as_deref()),
        };
        if let Some(mut event) = self.event(operation, "settled", handle) {
            event.key("outcome").string(word);
            event.key("ambiguous").boolean(ambiguous);
            self.send(event);
        }
        let none = JsValue::UNDEFINED;
        match outcome {
            Ok(done) => Outcome("ok", done.value, done.raw, none),
            Err(Stop::Aborted) => Outcome("aborted", none.clone(), none.clone(), none),
            Err(Stop::Thrown(value)) => Outcome("thrown", value, none.clone(), none),
            Err(Stop::Error { error, cause, raw }) => Outcome("error", written(|json| error.write(json)), cause, raw),
        }
    }
}

fn begin_wait(
    client: &Rc<Client>,
    caller: Caller,
    argument: &str,
    options: &str,
    headers: Option<Headers>,
) -> Result<(), Error> {
    let (argument, options) = (parse("poll", argument)?, parse("poll", options)?);
    let options = Fields { operation: "poll", object: &options };
    let limit = limit(&options, "requestTimeoutMs")?;
    let poller = read_wait(client, caller.id, &argument, &options)?;
    client.enter(headers.map(|headers| (headers, limit)), caller, poller, None);
    Ok(())
}

/// A wait for the task that the argument names.
fn read_wait(client: &Client, id: u32, argument: &Value<'_>, options: &Fields<'_>) -> Result<Poller, Error> {
    let handle = read_handle(argument, "handle", options.operation)?;
    client.tell_handle(id, &handle);
    let waiting = poll_options(options).map_err(|error| error.with_handle(&handle))?;
    let mut poller = client.poller(handle, waiting);
    if argument.text().is_some() {
        poller.age_is_unknown();
    }
    Ok(poller)
}

fn parse<'a>(operation: &'static str, json: &'a str) -> Result<Value<'a>, Error> {
    json::parse(json).map_err(|_| Error::new(Code::Validation, operation, "not JSON"))
}

async fn dispatch(
    client: &Rc<Client>,
    name: &str,
    argument: &str,
    options: &str,
    context: &Context,
    cancel: Cancel,
) -> Result<Option<Done>, Stop> {
    let operation = operation_of(name);
    let (argument, options) = (parse(operation, argument)?, parse(operation, options)?);
    let options = Fields { operation, object: &options };
    let call = read_call(&options, context, cancel)?;
    if let Some(word) = name.strip_prefix("run.") {
        let rule = "must be the kind of a submit";
        let kind = Kind::new(word).ok_or_else(|| Error::argument(operation, "kind", rule, word))?;
        let waiting = poll_options(&options)?;
        client.run(&call, kind, &argument, waiting).await?;
        return Ok(None);
    }
    if let Some(kind) = Kind::new(name) {
        let (accepted, _) = client.submit(&call, kind, &argument, None).await?;
        let status = accepted.task.map_or(Status::Queued, |task| task.status);
        return Ok(Some(Done { status, ..Done::plain(handle_json(&accepted.handle)) }));
    }
    let done = match name {
        "fetchTasks" => {
            let (value, raw) = client.fetch_tasks(&call, read_handles(&argument)?).await?;
            Done { raw, ..Done::plain(value) }
        }
        "pollOnce" => poll_once(client, &argument, &options, &call).await?,
        "webhook" => {
            let task = webhook::parse(argument.text().unwrap_or_default(), &client.transport.base_url, now())?;
            (task, JsValue::UNDEFINED).into()
        }
        _ => single(client, name, &argument, &call).await?,
    };
    Ok(Some(done))
}

/// The calls of one request that creates no task.
async fn single(client: &Client, name: &str, argument: &Value<'_>, call: &Call) -> Result<Done, Stop> {
    let (request, limit, handle) = if name == "upload" {
        (midjourney::upload(argument)?, SUBMIT_TIMEOUT_MS, None)
    } else {
        let handle = read_handle(argument, "handle", operation_of(name))?;
        client.tell_handle(call.id, &handle);
        match name {
            "content" => {
                let exchange = client.content(call, &handle).await?;
                return Ok(Done { raw: handle_json(&handle), ..Done::plain(exchange) });
            }
            "seed" => (midjourney::seed(&handle), SUBMIT_TIMEOUT_MS, Some(handle)),
            _ => (reading::request(&handle), READ_TIMEOUT_MS, Some(handle)),
        }
    };
    let asked = client.ask(call, &request, Purpose::Read, call.limit(limit), 1, 1).await;
    let Some(handle) = handle else {
        let urls = midjourney::uploaded(&asked?.0, now())?;
        return Ok(Done::plain(written(|json| json.strings(&urls))));
    };
    let (reply, raw) = asked.map_err(|stop| stop.with_handle(&handle))?;
    if name == "seed" {
        let seed = midjourney::seeded(&reply, now()).map_err(|error| error.with_handle(&handle))?;
        return Ok(Done::plain(written(|json| json.string(&seed))));
    }
    Ok((client.read_task(&handle, &reply)?, raw).into())
}

/// The argument is the handle, and the JSON of the state as a text: that one may be anybody's, and is judged by itself.
async fn poll_once(client: &Client, argument: &Value<'_>, options: &Fields<'_>, call: &Call) -> Result<Done, Stop> {
    let [value, state] = argument.items() else {
        return Err(Error::new(Code::Validation, options.operation, "no handle and state").into());
    };
    let mut poller = read_wait(client, call.id, value, options)?;
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
        let name = text::concat(&[name, field.strip_prefix("handle").unwrap_or(field)]);
        Error::argument(operation, &name, rule, &got.finish())
    })
}

fn read_handles(argument: &Value<'_>) -> Result<Vec<TaskHandle>, Error> {
    if !matches!(argument, Value::List(_)) {
        return Err(Error::argument("fetchTasks", "handles", "must be a list of tasks' handles or ids", "no list"));
    }
    let mut handles = Vec::new();
    for (at, value) in argument.items().iter().enumerate() {
        let name = text::concat(&["handles[", &text::digits(at as i64), "]"]);
        handles.push(read_handle(value, &name, "fetchTasks")?);
    }
    Ok(handles)
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

#[inline(always)]
fn written(write: impl FnOnce(&mut Writer)) -> JsValue {
    let mut json = Writer::default();
    write(&mut json);
    json.finish().into()
}

/// A call's plain options, by their public names; false stands for "no limit".
fn read_call(options: &Fields, context: &Context, cancel: Cancel) -> Result<Call, Error> {
    let speed = match options.text("speed")? {
        None => None,
        Some(word) => Some(Speed::new(word).ok_or_else(|| {
            Error::argument(options.operation, "speed", "must be \"relax\", \"fast\" or \"turbo\"", word)
        })?),
    };
    Ok(Call {
        cancel,
        headers: context.headers(),
        images: context.images(),
        request_timeout: limit(options, "requestTimeoutMs")?,
        is_alone: context.is_alone(),
        id: context.id(),
        speed,
        listens: context.listens(),
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
        throw_on_failure: options.flag("throwOnFailure")?.unwrap_or(true) && options.operation != "pollOnce",
    })
}
