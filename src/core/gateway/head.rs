//! What is decided before anybody waits: origin, path, method, types. The body comes later.

use crate::core::json::{Value, Writer};
use crate::core::submit::Speed;
use crate::core::text;

use super::routes::{decode, extension, find};
use super::{Check, Gateway, Refusal, Route};

/// A request's head, as the host read it.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    value: &'a Value<'a>,
}

/// What the head came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Passed {
    /// A browser asks whether its page may call.
    Preflight,
    /// Go on.
    Route {
        /// What is asked for.
        route: Route,
        /// Of a submit's path.
        speed: Option<Speed>,
        /// The id in the path.
        check: Option<Check>,
        /// A read's path at the service; a submit's comes with its body.
        path: Option<String>,
    },
}

impl<'a> Head<'a> {
    /// `{method, origin, path, query, headers: {...}}`; origin is the gateway's own, the headers' names are in lower case.
    pub fn new(value: &'a Value<'a>) -> Self {
        Head { value }
    }

    fn part(self, name: &str) -> &'a str {
        match self.value.get(name) {
            Value::Text(text) => text,
            _ => "",
        }
    }

    fn header(self, name: &str) -> Option<&'a str> {
        match self.value.get("headers").get(name) {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl Gateway {
    /// Judges a request's head.
    pub fn judge(&self, head: Head) -> Result<Passed, Refusal> {
        self.check_origin(head)?;
        let path = head.part("path").strip_prefix(&*self.base_path);
        let place = path.and_then(find).filter(|place| self.is_open(place.route));
        let unknown = || Refusal::new(404, "unknown_route", "this gateway has no such route");
        let place = place.ok_or_else(unknown)?;
        let route = place.route;
        let method = head.part("method");
        if method == "OPTIONS" && self.is_preflight(head, route) {
            return Ok(Passed::Preflight);
        }
        if !route.takes(method) {
            return Err(Refusal::new(405, "method_not_allowed", "this route has another method"));
        }
        check_query(head, route)?;
        if route.is_post() {
            self.check_body_headers(head, route)?;
        }
        let Some(segment) = place.id else {
            return Ok(Passed::Route { route, speed: place.speed, check: None, path: None });
        };
        let name = decode(segment).ok_or_else(unknown)?;
        let extension = match route {
            Route::Content(crate::core::task::Family::Midjourney) => extension(&name),
            _ => "",
        };
        let id = &name[..name.len() - extension.len()];
        let check = Check::new(route.family(), id).ok_or_else(Refusal::not_found)?;
        let path = (!route.is_post()).then(|| route.read_path(&check.named.id, extension));
        Ok(Passed::Route { route, speed: place.speed, check: Some(check), path })
    }

    fn is_open(&self, route: Route) -> bool {
        self.allow.as_ref().is_none_or(|allow| allow.iter().any(|word| word == route.word()))
    }

    /// Only pages of this origin, and of those that were named. What is no browser sends neither header.
    fn check_origin(&self, head: Head) -> Result<(), Refusal> {
        let site = head.header("sec-fetch-site");
        let is_fine = match head.header("origin") {
            Some(origin) => self.is_named(origin) || is_own(origin, head.part("origin"), site),
            // A browser leaves Origin out of plain reads: an <img> of a named origin's page is one.
            None => match site {
                Some("cross-site" | "same-site") => !self.origins.is_empty() && head.part("method") != "POST",
                _ => true,
            },
        };
        match is_fine {
            true => Ok(()),
            false => Err(Refusal::new(403, "origin_not_allowed", "pages of this origin may not call this gateway")),
        }
    }

    fn is_named(&self, origin: &str) -> bool {
        self.origins.iter().any(|named| named == origin)
    }

    fn is_preflight(&self, head: Head, route: Route) -> bool {
        let method = head.header("access-control-request-method").unwrap_or_default();
        head.header("origin").is_some_and(|origin| self.is_named(origin)) && route.takes(method)
    }

    fn check_body_headers(&self, head: Head, route: Route) -> Result<(), Refusal> {
        let wanted = if route.takes_form() { "multipart/form-data" } else { "application/json" };
        let given = text::before(head.header("content-type").unwrap_or_default(), ";").trim();
        if !given.eq_ignore_ascii_case(wanted) {
            let message = text::concat(&["this route takes ", wanted]);
            return Err(Refusal::new(415, "unsupported_type", &message));
        }
        if !matches!(head.header("content-encoding"), None | Some("identity")) {
            return Err(Refusal::new(415, "unsupported_encoding", "bodies are taken as they are, not compressed"));
        }
        let length = head.header("content-length").map(|length| text::number(length, 10));
        match length {
            None => Ok(()),
            Some(Some(length)) if length <= self.max_body_bytes => Ok(()),
            Some(Some(_)) => Err(Refusal::new(413, "too_large", "the body is too large")),
            Some(None) => Err(Refusal::invalid("content-length must be a number")),
        }
    }

    /// The headers of every reply to this request, a preflight's included.
    pub fn write_reply_headers(&self, head: Head, json: &mut Writer) {
        let mut set = |name: &str, value: &str| {
            json.list(|pair| {
                pair.string(name);
                pair.string(value);
            });
        };
        SAFE.iter().for_each(|(name, value)| set(name, value));
        let resource = if self.origins.is_empty() { "same-origin" } else { "cross-origin" };
        set("cross-origin-resource-policy", resource);
        if self.origins.is_empty() {
            return;
        }
        set("vary", "Origin");
        let Some(origin) = head.header("origin").filter(|origin| self.is_named(origin)) else { return };
        set("access-control-allow-origin", origin);
        set("access-control-allow-credentials", "true");
        set("access-control-expose-headers", EXPOSED);
        if head.part("method") == "OPTIONS" {
            set("access-control-allow-methods", "GET, POST");
            // What an application's own authorize reads has a name that only the application knows.
            let asked = head.header("access-control-request-headers").filter(|names| is_header_list(names));
            set("access-control-allow-headers", asked.unwrap_or("content-type"));
            set("access-control-max-age", "600");
        }
    }
}

/// A reply must never run as a page of the origin that it comes from, whatever it calls itself.
const SAFE: [(&str, &str); 4] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    (
        "content-security-policy",
        "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox",
    ),
    ("cache-control", "private, no-cache"),
];

/// What a page of another origin may read, beside the few headers that it may read anyway.
const EXPOSED: &str =
    "retry-after, x-oneapi-request-id, x-request-id, content-length, content-range, accept-ranges, etag";

/// The same origin; behind a proxy that ends TLS the scheme alone may differ, and then the browser's own word is needed.
fn is_own(origin: &str, own: &str, site: Option<&str>) -> bool {
    match site {
        Some("same-origin") => match (text::split_once(origin, "://"), text::split_once(own, "://")) {
            (Some((_, theirs)), Some((_, ours))) => theirs == ours,
            _ => false,
        },
        None => origin == own,
        Some(_) => false,
    }
}

/// No route has parameters. A preview's name for the browser's cache may stand behind an image's.
fn check_query(head: Head, route: Route) -> Result<(), Refusal> {
    let query = head.part("query");
    let is_rand = query
        .strip_prefix("?rand=")
        .is_some_and(|value| value.len() <= 40 && value.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let fine = query.is_empty() || (is_rand && matches!(route, Route::Content(_)));
    if fine { Ok(()) } else { Err(Refusal::invalid("this route has no such parameter")) }
}

fn is_header_list(names: &str) -> bool {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b',' | b' ');
    names.len() <= 1000 && names.bytes().all(is_name)
}
