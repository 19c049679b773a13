//! The calls that read and do not wait: many tasks at once, and one step of a wait that the host drives.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

use js_sys::Array;
use wasm_bindgen::prelude::*;

use crate::call::{Call, Stop};
use crate::cancel::Interrupt;
use crate::client::{Client, Seen, now};
use crate::core::error::Error;
use crate::core::handle::TaskHandle;
use crate::core::json::Writer;
use crate::core::many::{Ask, Many};
use crate::core::poller::{Poller, Route, Step, Turn};
use crate::core::reading;
use crate::core::task::Status;

/// Requests of one call that are in flight at once.
const MOST_IN_FLIGHT: usize = 6;

/// The readings of one call, and for each place the bytes it was read from, or what the host threw.
struct Batch {
    many: Many,
    raws: Vec<JsValue>,
}

type Asking<'a> = Pin<Box<dyn Future<Output = Result<(), Stop>> + 'a>>;

impl Client {
    /// One reading of each task, in as few requests as the service allows: the JSON of [`Many::write`], and a list of what
    /// each was read from.
    pub async fn fetch_tasks(&self, call: &Call, handles: Vec<TaskHandle>) -> Result<(JsValue, JsValue), Stop> {
        let raws = vec![JsValue::UNDEFINED; handles.len()];
        let batch = RefCell::new(Batch { many: Many::new(handles, self.waits.lists_work()), raws });
        let mut asking: Vec<Asking> = Vec::new();
        poll_fn(|context| {
            loop {
                while asking.len() < MOST_IN_FLIGHT {
                    let Some(ask) = batch.borrow_mut().many.next_ask() else { break };
                    asking.push(Box::pin(self.ask_many(call, &batch, ask)));
                }
                if asking.is_empty() {
                    return Poll::Ready(Ok(()));
                }
                match advance(&mut asking, context) {
                    Ok(0) => return Poll::Pending,
                    Ok(_) => {}
                    Err(stop) => return Poll::Ready(Err(stop)),
                }
            }
        })
        .await?;
        drop(asking);
        let Batch { many, raws } = batch.into_inner();
        let mut json = Writer::default();
        many.write(&mut json);
        let raws: Array = many.firsts().iter().map(|&first| &raws[first]).collect();
        Ok((json.finish().into(), raws.into()))
    }

    async fn ask_many(&self, call: &Call, batch: &RefCell<Batch>, ask: Ask) -> Result<(), Stop> {
        let request = batch.borrow().many.request(&ask);
        let (reply, raw) = match self.read(call, &request, ask.places.len()).await {
            Ok((reply, bytes)) => (Ok(reply), bytes),
            Err(Stop::Error { error, cause, .. }) => (Err(error), cause),
            Err(thrown) => return Err(thrown),
        };
        let Batch { many, raws } = &mut *batch.borrow_mut();
        many.replied(&ask, reply.as_ref().map_err(Clone::clone), &self.transport.base_url, now())?;
        if !many.lists_work() {
            self.waits.use_no_lists();
        }
        for &at in &ask.places {
            raws[at] = raw.clone();
        }
        for task in many.tasks(&ask) {
            self.consider(task);
            self.emit_reading(task);
        }
        Ok(())
    }
}

impl Client {
    /// One step of a wait that the host drives: at most one request, whose time limits are the only timers. Returns the JSON
    /// of `PollStep` in `index.d.ts`, what its task was read from, and how that stands.
    pub async fn poll_once(&self, call: &Call, mut poller: Poller) -> Result<(JsValue, JsValue, Status), Stop> {
        let (mut seen, mut cause) = (None, JsValue::UNDEFINED);
        if let Step::Fetch(route) = poller.step(now()) {
            let left = poller.gives_up_at().map(|end| end - now());
            match call.cancel.race(left, self.look(call, &mut poller, route)).await {
                Err(Interrupt::Aborted) => return Err(Stop::Aborted),
                Err(Interrupt::TimedOut) => poller.expire(),
                Ok(Ok(found)) => seen = found,
                Ok(Err(Stop::Error { error, cause: thrown, .. })) => {
                    self.emit_retry(&error, Some(poller.handle()));
                    cause = thrown;
                    poller.handle_reply(now(), Err(error));
                }
                Ok(Err(thrown)) => return Err(thrown),
            }
        }
        if call.cancel.is_aborted() {
            return Err(Stop::Aborted);
        }
        let (task, raw) = seen.map_or((None, JsValue::UNDEFINED), |(task, raw)| (Some(task), raw));
        let (task, wait_ms) = match poller.turn(now(), task.as_ref()) {
            Turn::Done(task) => (Some(*task), None),
            Turn::Later(ms) => (task, Some(ms)),
            Turn::Failed(error) => return Err(Stop::Error { error, cause, raw }),
        };
        let mut json = Writer::default();
        json.object(|json| {
            match &task {
                Some(task) => task.write(json.key("task")),
                None => json.key("task").raw("null"),
            }
            json.key("done").boolean(wait_ms.is_none());
            match wait_ms {
                Some(_) => poller.write_state(json.key("state")),
                None => json.key("state").raw("null"),
            }
            json.key("waitMs").integer(wait_ms.unwrap_or(0));
        });
        Ok((json.finish().into(), raw, task.map_or(Status::Running, |task| task.status)))
    }

    /// The request of a step. News go to the wait, and to the caller.
    async fn look(&self, call: &Call, poller: &mut Poller, route: Route) -> Result<Option<Seen>, Stop> {
        let handle = poller.handle().clone();
        let request = match route {
            Route::Single => reading::request(&handle),
            Route::List => reading::list_request(&[&handle.id]),
        };
        let (reply, raw) = self.read(call, &request, 1).await?;
        let base_url = &self.transport.base_url;
        let read: Result<_, Error> = match route {
            Route::Single => reading::read(&handle, &reply, base_url, now()).map(Some),
            Route::List => reading::read_listed(&handle, &reply, base_url, now()),
        };
        let Some(mut task) = read? else {
            poller.handle_reply(now(), Ok(None));
            return Ok(None);
        };
        poller.believe(self.consider(&mut task));
        if poller.handle_reply(now(), Ok(Some(task.clone()))) {
            self.emit_reading(&task);
            if call.listens {
                self.tell_reading(call.id, &task, raw.clone());
            }
        }
        Ok(Some((task, raw)))
    }
}

/// Lets all go on; returns how many have come to their end. The first error ends them all.
fn advance(asking: &mut Vec<Asking>, context: &mut Context) -> Result<usize, Stop> {
    let before = asking.len();
    let mut outcome = Ok(());
    asking.retain_mut(|one| {
        if outcome.is_err() {
            return true;
        }
        match one.as_mut().poll(context) {
            Poll::Pending => true,
            Poll::Ready(end) => {
                outcome = end;
                false
            }
        }
    });
    outcome.map(|()| before - asking.len())
}
