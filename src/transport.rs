//! One HTTP exchange over the host's fetch: key, time limit, abort, redirect, body cap. Knows no path and no task.

use js_sys::{Array, Function, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortController, Headers, ReadableStreamDefaultReader, RequestInit, RequestRedirect, Response, ResponseType,
};

use crate::body::{form, json_body};
use crate::cancel::{Cancel, Interrupt};
use crate::core::http::{Body, HttpRequest, Reply};
use crate::core::task::Millis;
use crate::core::text;

/// How the key is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Auth {
    /// `Authorization: Bearer k`
    #[default]
    Bearer,
    /// `Authorization: k`
    Raw,
    /// `mj-api-secret: k`
    Secret,
}

/// Where requests go, and with what.
pub struct Transport {
    /// Absolute, without a slash at its end.
    pub base_url: String,
    /// Called unbound: a native fetch refuses any other receiver.
    pub fetch: Function,
    /// Gives the key, or a promise of it, before each request. None: a gateway adds it.
    pub key: Option<Function>,
    /// How the key is sent.
    pub auth: Auth,
    /// Replies larger than this are not read, in bytes.
    pub max_reply_bytes: usize,
}

/// One exchange's own settings.
pub struct Outgoing<'a> {
    /// What to send.
    pub request: &'a HttpRequest,
    /// The pictures that the request names by their place: Blob, ArrayBuffer, Uint8Array or data URI.
    pub images: &'a Array,
    /// The caller's headers.
    pub headers: &'a Headers,
    /// Until the headers, then between two pieces of the body.
    pub limit_ms: Option<Millis>,
    /// The caller's signal.
    pub cancel: &'a Cancel,
}

/// No reply, or not the whole of it.
#[derive(Debug)]
pub struct NoReply {
    /// What happened.
    pub why: Why,
    /// The request may have reached the service.
    pub sent: bool,
    /// What the host threw, if it threw.
    pub cause: JsValue,
}

/// What kept a reply away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The caller's signal.
    Aborted,
    /// The time limit.
    TimedOut,
    /// The host's fetch, or the connection.
    Network,
    /// The caller's key function, headers or picture: nothing left.
    Argument(&'static str),
}

impl Transport {
    /// Sends the request and reads the reply up to the cap, with the bytes as the host has them beside it.
    pub async fn exchange(&self, outgoing: &Outgoing<'_>) -> Result<(Reply, Uint8Array), NoReply> {
        let (response, abort) = self.respond(outgoing).await?;
        self.read_reply(response, abort, outgoing).await
    }

    /// The whole reply of which [`Transport::respond`] gave the head.
    pub async fn read_reply(
        &self,
        response: Response,
        abort: AbortOnDrop,
        outgoing: &Outgoing<'_>,
    ) -> Result<(Reply, Uint8Array), NoReply> {
        let mut reply = Reply {
            status: if response.type_() == ResponseType::Opaqueredirect { 0 } else { response.status() },
            redirected: response.redirected(),
            retry_after: header(&response, "retry-after"),
            request_id: header(&response, "x-oneapi-request-id").or_else(|| header(&response, "x-request-id")),
            ..Reply::default()
        };
        let bytes = self.read_body(&response, outgoing, &mut reply).await?;
        reply.body = bytes.to_vec();
        abort.disarm();
        Ok((reply, bytes))
    }

    /// The reply's head; its body is the caller's to read.
    pub async fn respond(&self, outgoing: &Outgoing<'_>) -> Result<(Response, AbortOnDrop), NoReply> {
        let unsent = |why: Why, cause: JsValue| NoReply { why, sent: false, cause };
        let cancel = outgoing.cancel;
        // A key function or a picture that never comes is no reason to wait for ever either.
        let init = match cancel.race(outgoing.limit_ms, self.init(outgoing)).await {
            Ok(Ok(init)) => init,
            Ok(Err((argument, cause))) => return Err(unsent(Why::Argument(argument), cause)),
            Err(interrupt) => return Err(unsent(interrupt.into(), JsValue::UNDEFINED)),
        };
        let abort = AbortOnDrop::new();
        if let Some(abort) = &abort.0 {
            init.set_signal(Some(&abort.signal()));
        }
        let url = text::concat(&[&*self.base_url, &outgoing.request.path]);
        let lost = |why, cause| NoReply { why, sent: true, cause };
        let promise =
            self.fetch.call2(&JsValue::UNDEFINED, &url.into(), &init).map_err(|cause| lost(Why::Network, cause))?;
        match cancel.race(outgoing.limit_ms, settled(promise)).await {
            Ok(Ok(response)) if is_response(&response) => Ok((response.unchecked_into(), abort)),
            Ok(Ok(_)) => Err(lost(Why::Network, JsError::new("fetch gave no Response").into())),
            Ok(Err(cause)) => Err(lost(Why::Network, cause)),
            Err(interrupt) => Err(lost(interrupt.into(), JsValue::UNDEFINED)),
        }
    }

    /// The fetch options. The error names the argument that spoiled them.
    async fn init(&self, outgoing: &Outgoing<'_>) -> Result<RequestInit, (&'static str, JsValue)> {
        let headers = Headers::new_with_headers(outgoing.headers).map_err(|cause| ("headers", cause))?;
        if let Some(key) = &self.key {
            let key = key.call0(&JsValue::UNDEFINED).map_err(|cause| ("apiKey", cause))?;
            let key = settled(key).await.map_err(|cause| ("apiKey", cause))?;
            let key = key.as_string().unwrap_or_default();
            let (name, value) = match self.auth {
                Auth::Bearer => ("authorization", text::concat(&["Bearer ", &key])),
                Auth::Raw => ("authorization", key),
                Auth::Secret => ("mj-api-secret", key),
            };
            headers.set(name, &value).map_err(|_| ("apiKey", JsValue::UNDEFINED))?;
        }
        let init = RequestInit::new();
        init.set_method(outgoing.request.method);
        init.set_redirect(RequestRedirect::Manual);
        match &outgoing.request.body {
            Body::Empty => {}
            Body::Json { text, images } => {
                headers.set("content-type", "application/json").map_err(|cause| ("headers", cause))?;
                init.set_body(&json_body(text, images, outgoing.images).await.map_err(|cause| ("image", cause))?);
            }
            Body::Form(parts) => {
                headers.delete("content-type").ok();
                init.set_body(form(parts, outgoing.images).map_err(|cause| ("inputReference", cause))?.as_ref());
            }
        }
        init.set_headers(&headers);
        Ok(init)
    }

    async fn read_body(
        &self,
        response: &Response,
        outgoing: &Outgoing<'_>,
        reply: &mut Reply,
    ) -> Result<Uint8Array, NoReply> {
        let lost = |why, cause| NoReply { why, sent: true, cause };
        let Some(body) = response.body() else { return Ok(Uint8Array::new_with_length(0)) };
        let reader = body.unchecked_ref::<Stream>().reader().map_err(|cause| lost(Why::Network, cause))?;
        let (mut pieces, mut length) = (Vec::<Uint8Array>::new(), 0);
        loop {
            let piece = match outgoing.cancel.race(outgoing.limit_ms, JsFuture::from(reader.read())).await {
                Ok(Ok(piece)) => piece.unchecked_into::<Piece>(),
                Ok(Err(cause)) => return Err(lost(Why::Network, cause)),
                Err(interrupt) => return Err(lost(interrupt.into(), JsValue::UNDEFINED)),
            };
            let Some(bytes) = piece.value() else { return Ok(join(pieces, length)) };
            length += bytes.length();
            if length as usize > self.max_reply_bytes {
                reply.over_cap = true;
                // Nobody waits for the rest; a stream that fails to stop is no news either.
                drop(JsFuture::from(reader.cancel()));
                return Ok(Uint8Array::new_with_length(0));
            }
            pieces.push(bytes);
        }
    }
}

#[wasm_bindgen]
extern "C" {
    /// A reply's body. One that a fetch of the caller's own has read already, or that is no web stream, gives no reader.
    type Stream;
    #[wasm_bindgen(method, catch, js_name = getReader)]
    fn reader(this: &Stream) -> Result<ReadableStreamDefaultReader, JsValue>;
    /// `{value, done}` of a stream's reader; no value when it is done.
    type Piece;
    #[wasm_bindgen(method, getter)]
    fn value(this: &Piece) -> Option<Uint8Array>;
}

impl From<Interrupt> for Why {
    fn from(interrupt: Interrupt) -> Self {
        match interrupt {
            Interrupt::Aborted => Why::Aborted,
            Interrupt::TimedOut => Why::TimedOut,
        }
    }
}

/// Ends the request, unless its reply has been read: a wait that is given up leaves no connection behind.
pub struct AbortOnDrop(Option<AbortController>);

impl AbortOnDrop {
    fn new() -> Self {
        AbortOnDrop(AbortController::new().ok())
    }

    /// The request has run its course.
    pub fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        if let Some(controller) = &self.0 {
            controller.abort();
        }
    }
}

/// A fetch of the caller's own may give anything.
fn is_response(value: &JsValue) -> bool {
    let headers = Reflect::get(value, &"headers".into());
    headers.is_ok_and(|headers| headers.is_object())
        && Reflect::get(value, &"status".into()).is_ok_and(|status| status.as_f64().is_some())
}

fn header(response: &Response, name: &str) -> Option<String> {
    response.headers().get(name).ok().flatten()
}

/// Waits for a value that may be a promise.
async fn settled(value: JsValue) -> Result<JsValue, JsValue> {
    JsFuture::from(Promise::resolve(&value)).await
}

fn join(pieces: Vec<Uint8Array>, length: u32) -> Uint8Array {
    if let [piece] = pieces.as_slice() {
        return piece.clone();
    }
    let whole = Uint8Array::new_with_length(length);
    let mut at = 0;
    for piece in pieces {
        whole.set(&piece, at);
        at += piece.length();
    }
    whole
}
