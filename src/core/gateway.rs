//! The rules of the edge gateway: which request may pass and as what, and what of a reply goes back to the caller.
//! Denies by default: what no rule names is refused on the way in and left out on the way back.
//!
//! A caller never sees an id of the service's alone. Ids go out with a tag behind them, `<id>.<tag>`, which the host makes
//! with a keyed hash over caller, family and id; they come back with it, and the host checks each [`Check`] before anything
//! is sent. So this module splits and joins ids, and the host does the cryptography: nothing here waits.

use super::json::Value;
use super::task::{Family, TaskId};

mod body;
mod head;
mod id;
mod media;
mod problem;
mod reply;
mod routes;
mod rules;

pub use body::{Outgoing, list_of};
pub use head::{Head, Passed};
pub use id::{Check, MARK, open_handle};
pub use media::media_type;
pub use problem::Refusal;
pub use reply::{Answer, Received};
pub use routes::Route;

/// A gateway's settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gateway {
    /// The service, absolute, without a slash at its end.
    pub base_url: String,
    /// Where the gateway is mounted, e.g. `/api/comet`; no slash at its end.
    pub base_path: String,
    /// The routes that are open, by their public names; None: all.
    pub allow: Option<Vec<String>>,
    /// Other origins whose pages may call.
    pub origins: Vec<String>,
    /// The models of /v1/videos that may be asked for; None: any.
    pub models: Option<Vec<String>>,
    /// A request's body may have so many bytes.
    pub max_body_bytes: i64,
    /// The operator's own hook, which every /mj submit gets.
    pub notify_hook: Option<String>,
}

impl Gateway {
    /// From the JSON that the facade makes of its checked options.
    pub fn read(options: &Value) -> Self {
        let texts = |name: &str| {
            let items = options.get(name).items().iter();
            items.filter_map(|item| item.text().map(str::to_string)).collect::<Vec<_>>()
        };
        let given = |name: &str| matches!(options.get(name), Value::List(_)).then(|| texts(name));
        let text = |name: &str| options.get(name).letters().to_string();
        Gateway {
            base_url: text("baseUrl"),
            base_path: text("basePath"),
            allow: given("allow"),
            origins: texts("allowOrigins"),
            models: given("models"),
            max_body_bytes: options.get("maxBodyBytes").integer().unwrap_or_default(),
            notify_hook: options.get("notifyHook").text().map(str::to_string),
        }
    }
}

/// A task of the service, named with its family: the same id may exist in both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its API.
    pub family: Family,
    /// The service's id.
    pub id: TaskId,
}
