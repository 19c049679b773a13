//! The calls that read and do not wait: many tasks at once, and one step of a wait that the host drives.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

use js_sys::Array;
use wasm_bindgen::prelude::*;

use crate::call::{Call, Stop};
use crate::client::{Client, now};
use crate::core::handle::TaskHandle;
use crate::core::json::Writer;
use crate::core::many::{Ask, Many};

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
        let batch = RefCell::new(Batch { many: Many::new(handles, self.lists_work.get()), raws });
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
        self.lists_work.set(self.lists_work.get() && many.lists_work());
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
