//! The events of a client, as JSON: `TraceEvent` in `index.d.ts`.

use super::{Asked, Effect, Engine};
use crate::core::error::Error;
use crate::core::handle::{TaskHandle, TaskId};
use crate::core::http::{HttpRequest, Reply};
use crate::core::json::Writer;
use crate::core::reading;
use crate::core::task::{Millis, Task};

impl<V> Engine<V> {
    /// Who leaves from now on does so because the client is closed.
    pub fn close(&mut self) {
        self.is_closing = true;
    }

    /// The beginning of an event, if somebody listens; its end is [`Engine::trace`].
    fn event(&self, operation: &str, kind: &str, id: Option<&TaskId>) -> Option<Writer> {
        if !self.settings.is_traced {
            return None;
        }
        let mut json = Writer::default();
        json.raw("{");
        json.key("operation").string(operation);
        json.key("at").integer(self.clock.now);
        if let Some(id) = id {
            json.key("id").string(id.as_str());
        }
        json.key("type").string(kind);
        Some(json)
    }

    fn trace(&mut self, mut event: Writer) {
        event.close_object();
        self.effects.push(Effect::Event(event.finish()));
    }

    /// A request is made.
    pub(super) fn trace_request(&mut self, request: &HttpRequest, attempt: u32, tasks: usize) {
        let Some(mut event) = self.event(request.operation, "request", None) else { return };
        event.key("method").string(request.method);
        event.key("path").string(&request.path);
        event.key("attempt").integer(attempt.into());
        if tasks > 1 {
            event.key("batch").integer(tasks as i64);
        }
        self.trace(event);
    }

    /// Its reply is there.
    pub(super) fn trace_response(&mut self, asked: &Asked, reply: &Reply) {
        let Some(mut event) = self.event(asked.operation, "response", None) else { return };
        event.key("status").integer(reply.status.into());
        event.key("ms").integer(self.clock.now - asked.at);
        if let Some(id) = &reply.request_id {
            event.key("requestId").string(id);
        }
        self.trace(event);
    }

    /// A task was read in it.
    pub(super) fn trace_reading(&mut self, task: &Task) {
        let operation = reading::operation(&task.handle);
        let Some(mut event) = self.event(operation, "reading", Some(&task.handle.id)) else { return };
        task.write_standing(&mut event);
        self.trace(event);
    }

    /// The client's waits sleep.
    pub(super) fn trace_sleep(&mut self, ms: Millis, waiting: usize) {
        let Some(mut event) = self.event("poll", "sleep", None) else { return };
        event.key("ms").integer(ms);
        event.key("waiting").integer(waiting as i64);
        self.trace(event);
    }

    /// A request failed, and is made again after so long.
    pub(super) fn trace_retry(&mut self, error: &Error, handle: Option<&TaskHandle>, ms: Millis) {
        let Some(mut event) = self.event(error.operation, "retry", handle.map(|handle| &handle.id)) else { return };
        event.key("code").string(error.code.as_str());
        event.key("waitMs").integer(ms);
        self.trace(event);
    }

    /// A call or a wait has ended.
    pub(super) fn trace_settled(&mut self, operation: &str, outcome: &str, ambiguous: bool, id: Option<&TaskId>) {
        let Some(mut event) = self.event(operation, "settled", id) else { return };
        event.key("outcome").string(if self.is_closing { "closed" } else { outcome });
        event.key("ambiguous").boolean(ambiguous);
        self.trace(event);
    }
}
