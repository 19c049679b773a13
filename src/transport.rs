//! One HTTP exchange. The host carries it (`pkg/src/exchange.js`: fetch, key, time limit, body cap); here is what it came to.

use js_sys::{Array, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::Headers;

use crate::cancel::Cancel;
use crate::core::http::{HttpRequest, Reply};
use crate::core::json::{self, Value, Writer};
use crate::core::task::Millis;
use crate::js::Settings;

#[wasm_bindgen]
extern "C" {
    /// An exchange of the host's.
    pub type Exchange;
    #[wasm_bindgen(method)]
    fn respond(this: &Exchange) -> Promise;
    #[wasm_bindgen(method)]
    fn read(this: &Exchange) -> Promise;
    #[wasm_bindgen(method)]
    fn abort(this: &Exchange);
    #[wasm_bindgen(method, getter)]
    fn at(this: &Exchange) -> String;
    #[wasm_bindgen(method, getter, js_name = isSent)]
    fn is_sent(this: &Exchange) -> bool;
    #[wasm_bindgen(method, getter, js_name = isPage)]
    fn is_page(this: &Exchange) -> bool;
}

/// Where requests go, and with what.
pub struct Transport {
    /// Absolute, without a slash at its end.
    pub base_url: String,
    /// Makes the exchanges.
    pub settings: Settings,
}

/// One exchange's own settings.
pub struct Outgoing<'a> {
    /// What to send.
    pub request: &'a HttpRequest,
    /// The pictures that the request names by their place: Blob, Uint8Array or data URI.
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The caller's signal.
    Aborted,
    /// The time limit.
    TimedOut,
    /// The host's fetch, or the connection.
    Network {
        /// In a page, where a request that fails without a status may have failed for CORS.
        is_page: bool,
    },
    /// The caller's key function, headers or picture: nothing left.
    Argument(String),
}

/// A reply whose body is still to be read.
pub struct Open<'a> {
    /// All but the body.
    pub head: Reply,
    exchange: AbortOnDrop,
    cancel: &'a Cancel,
}

impl Transport {
    /// Sends the request and reads the reply up to the cap, with the bytes as the host has them beside it.
    pub async fn exchange(&self, outgoing: &Outgoing<'_>) -> Result<(Reply, JsValue), NoReply> {
        self.respond(outgoing).await?.read().await
    }

    /// The reply's head.
    pub async fn respond<'a>(&self, outgoing: &Outgoing<'a>) -> Result<Open<'a>, NoReply> {
        let mut json = Writer::default();
        outgoing.request.write(&mut json, outgoing.limit_ms);
        let Outgoing { images, headers, cancel, .. } = outgoing;
        let exchange = AbortOnDrop(Some(self.settings.exchange(&json.finish(), images, headers)));
        let head = exchange.wait(cancel, Exchange::respond).await?.as_string().unwrap_or_default();
        let head = Reply::head(&json::parse(&head).unwrap_or(Value::Null));
        Ok(Open { head, exchange, cancel })
    }
}

impl Open<'_> {
    /// The whole reply.
    pub async fn read(self) -> Result<(Reply, JsValue), NoReply> {
        let bytes = self.exchange.wait(self.cancel, Exchange::read).await?;
        self.exchange.disarm();
        let over_cap = bytes.is_undefined();
        let body = if over_cap { Vec::new() } else { bytes.unchecked_ref::<Uint8Array>().to_vec() };
        Ok((Reply { body, over_cap, ..self.head }, bytes))
    }

    /// The exchange, for the host to hand its body over.
    pub fn into_exchange(self) -> JsValue {
        self.exchange.disarm().map_or(JsValue::UNDEFINED, JsValue::from)
    }
}

/// Ends the request, unless its reply has been read: a wait that is given up leaves no connection behind.
struct AbortOnDrop(Option<Exchange>);

impl AbortOnDrop {
    /// The request has run its course.
    fn disarm(mut self) -> Option<Exchange> {
        self.0.take()
    }

    async fn wait(&self, cancel: &Cancel, begin: fn(&Exchange) -> Promise) -> Result<JsValue, NoReply> {
        let Some(exchange) = &self.0 else { return Ok(JsValue::UNDEFINED) };
        let (why, cause) = match cancel.race(None, async { JsFuture::from(begin(exchange)).await }).await {
            Ok(Ok(value)) => return Ok(value),
            Err(_) => (Why::Aborted, JsValue::UNDEFINED),
            Ok(Err(cause)) => match exchange.at() {
                at if at == "time" => (Why::TimedOut, cause),
                at if at == "network" => (Why::Network { is_page: exchange.is_page() }, cause),
                at => (Why::Argument(at), cause),
            },
        };
        Err(NoReply { why, sent: exchange.is_sent(), cause })
    }
}

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        if let Some(exchange) = &self.0 {
            exchange.abort();
        }
    }
}
