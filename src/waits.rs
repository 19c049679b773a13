//! The waits of one client, driven: one loop, one timer, and a request for many of them at once.
//!
//! What is asked when is decided in `core::scheduler`; here are the clock, the network and the callers. Where calls may not
//! share anything that is waited for (DESIGN.md, Request contexts) each call has a [`Waits`] of its own.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Array, Function};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::Headers;

use crate::call::{Call, Limit, Stop};
use crate::cancel::{Bell, Cancel};
use crate::client::{Client, Seen, now};
use crate::core::error::Error;
use crate::core::handle::TaskHandle;
use crate::core::http::Reply;
use crate::core::poller::{Poller, Route};
use crate::core::reading;
use crate::core::scheduler::{Action, Ask, AskId, Scheduler, WaitId};
use crate::core::task::Task;

/// The waits that share a loop.
pub struct Waits {
    headers: Headers,
    request_timeout: Option<Limit>,
    scheduler: RefCell<Scheduler>,
    guests: RefCell<Vec<Guest>>,
    asks: RefCell<Vec<(AskId, Rc<Call>)>>,
    bell: Bell,
    is_driven: Cell<bool>,
}

/// Who waits, and what is kept for it.
struct Guest {
    id: WaitId,
    on_reading: Option<Function>,
    /// The body of the last reading.
    raw: JsValue,
    /// What the host threw at the last request.
    cause: JsValue,
    end: Rc<RefCell<Option<Result<Seen, Stop>>>>,
    bell: Bell,
}

/// Forgets a wait that is given up.
struct Leave {
    waits: Rc<Waits>,
    id: WaitId,
}

impl Drop for Leave {
    fn drop(&mut self) {
        self.waits.leave(self.id);
    }
}

impl Waits {
    /// No waits yet. Requests go out with these headers, and so many at once.
    pub fn new(headers: Headers, request_timeout: Option<Limit>, most_in_flight: usize) -> Self {
        Waits {
            headers,
            request_timeout,
            scheduler: RefCell::new(Scheduler::new(most_in_flight)),
            guests: RefCell::default(),
            asks: RefCell::default(),
            bell: Bell::default(),
            is_driven: Cell::new(false),
        }
    }

    /// Waits until the task has settled. `first` is a reading that is there already.
    pub async fn wait(
        self: Rc<Self>,
        client: &Rc<Client>,
        call: &Call,
        mut poller: Poller,
        first: Option<Seen>,
    ) -> Result<Seen, Stop> {
        let (end, bell) = (Rc::default(), Bell::default());
        let mut raw = JsValue::UNDEFINED;
        if let Some((task, bytes)) = first {
            tell(&call.on_reading, &task, &bytes).map_err(Stop::Thrown)?;
            poller.take(now(), task);
            raw = bytes;
        }
        let id = self.scheduler.borrow_mut().add(poller, now());
        let cause = JsValue::UNDEFINED;
        let (on_reading, ends, rings) = (call.on_reading.clone(), Rc::clone(&end), bell.clone());
        self.guests.borrow_mut().push(Guest { id, on_reading, raw, cause, end: ends, bell: rings });
        let _leave = Leave { waits: self.clone(), id };
        self.clone().drive(client);
        call.cancel.race(None, bell.rest(None)).await.map_err(|_| Stop::Thrown(call.cancel.reason()))?;
        end.take().unwrap_or(Err(Stop::Thrown(JsValue::UNDEFINED)))
    }

    /// A page that becomes visible or comes back online asks for what it may have missed.
    pub fn hurry(&self) {
        self.scheduler.borrow_mut().hurry(now());
        self.bell.ring();
    }

    fn leave(&self, id: WaitId) {
        self.guests.borrow_mut().retain(|guest| guest.id != id);
        let abandoned = self.scheduler.borrow_mut().remove(id);
        self.abandon(abandoned);
        self.bell.ring();
    }

    fn abandon(&self, ask: Option<AskId>) {
        if let Some(call) = ask.and_then(|ask| self.forget(ask)) {
            call.cancel.abort();
        }
    }

    fn forget(&self, ask: AskId) -> Option<Rc<Call>> {
        let mut asks = self.asks.borrow_mut();
        let place = asks.iter().position(|(id, _)| *id == ask)?;
        Some(asks.swap_remove(place).1)
    }

    /// Starts the loop, or wakes it.
    fn drive(self: Rc<Self>, client: &Rc<Client>) {
        if self.is_driven.replace(true) {
            return self.bell.ring();
        }
        let client = client.clone();
        spawn_local(async move {
            while !self.scheduler.borrow().is_empty() {
                let action = self.scheduler.borrow_mut().next(now());
                match action {
                    Action::Settle { id, outcome, abandoned } => {
                        self.abandon(abandoned);
                        self.settle(id, *outcome);
                    }
                    Action::Ask(ask) => self.clone().ask(client.clone(), ask),
                    Action::Sleep(ms) => {
                        if let Some(ms) = ms.filter(|_| self.asks.borrow().is_empty()) {
                            client.emit_sleep(ms, self.guests.borrow().len());
                        }
                        self.bell.rest(ms).await;
                    }
                }
            }
            self.is_driven.set(false);
        });
    }

    fn ask(self: Rc<Self>, client: Rc<Client>, ask: Ask) {
        let call = Rc::new(Call {
            cancel: Cancel::new(None),
            headers: self.headers.clone(),
            images: Array::new(),
            request_timeout: self.request_timeout,
            is_alone: false,
            speed: None,
            on_handle: None,
            on_reading: None,
        });
        self.asks.borrow_mut().push((ask.id, call.clone()));
        spawn_local(async move {
            let request = match ask.route {
                Route::Single => reading::request(&ask.handles[0]),
                Route::List => reading::list_request(&ask.handles.iter().map(|handle| &handle.id).collect::<Vec<_>>()),
            };
            let reply = client.read(&call, &request, ask.handles.len()).await;
            if self.forget(ask.id).is_some() {
                self.replied(&client, &ask, reply);
                self.bell.ring();
            }
        });
    }

    fn replied(&self, client: &Client, ask: &Ask, reply: Result<(Reply, JsValue), Stop>) {
        let (reply, bytes, cause) = match reply {
            Ok((reply, bytes)) => (Ok(reply), bytes, JsValue::UNDEFINED),
            Err(Stop::Error { error, cause, .. }) => (Err(error), JsValue::UNDEFINED, cause),
            Err(Stop::Thrown(_)) => return,
        };
        let tasks = client.tasks(ask, reply);
        if let Some(error) = tasks.iter().find_map(|task| task.as_ref().err()) {
            client.emit_retry(error, ask.handles.first());
        }
        let news = self.scheduler.borrow_mut().replied(ask, now(), |id, poller| {
            let place = ask.handles.iter().position(|handle| handle.id == poller.handle().id).unwrap_or(0);
            let mut task = tasks[place].clone();
            if let Ok(Some(task)) = &mut task {
                task.handle = poller.handle().clone();
                poller.believe(client.consider(task));
            }
            self.keep(id, matches!(task, Ok(Some(_))).then_some(&bytes), &cause);
            task
        });
        news.into_iter().for_each(|id| self.tell_news(client, id));
    }

    fn keep(&self, id: WaitId, bytes: Option<&JsValue>, cause: &JsValue) {
        if let Some(guest) = self.guests.borrow_mut().iter_mut().find(|guest| guest.id == id) {
            guest.cause = cause.clone();
            if let Some(bytes) = bytes {
                guest.raw = bytes.clone();
            }
        }
    }

    /// Gives a reading to its caller. What that throws ends the wait.
    fn tell_news(&self, client: &Client, id: WaitId) {
        let Some(task) = self.scheduler.borrow().poller(id).and_then(Poller::last).cloned() else { return };
        client.emit_reading(&task);
        let guests = self.guests.borrow();
        let Some(guest) = guests.iter().find(|guest| guest.id == id) else { return };
        let (on_reading, raw) = (guest.on_reading.clone(), guest.raw.clone());
        drop(guests);
        if let Err(thrown) = tell(&on_reading, &task, &raw) {
            self.end(id, |_| Err(Stop::Thrown(thrown)));
        }
    }

    fn settle(&self, id: WaitId, outcome: Result<Task, Error>) {
        self.end(id, |guest| match outcome {
            Ok(task) => Ok((task, guest.raw.clone())),
            Err(error) => Err(Stop::Error { error, cause: guest.cause.clone(), raw: guest.raw.clone() }),
        });
    }

    fn end(&self, id: WaitId, outcome: impl FnOnce(&Guest) -> Result<Seen, Stop>) {
        let mut guests = self.guests.borrow_mut();
        let Some(place) = guests.iter().position(|guest| guest.id == id) else { return };
        let guest = guests.swap_remove(place);
        drop(guests);
        guest.end.replace(Some(outcome(&guest)));
        guest.bell.ring();
    }
}

impl Client {
    /// What a reply says of each task that was asked for.
    fn tasks(&self, ask: &Ask, reply: Result<Reply, Error>) -> Vec<Result<Option<Task>, Error>> {
        let base_url = &self.transport.base_url;
        let handles: Vec<&TaskHandle> = ask.handles.iter().collect();
        let tasks = reply.and_then(|reply| match ask.route {
            Route::Single => reading::read(handles[0], &reply, base_url, now()).map(|task| vec![Some(task)]),
            Route::List => reading::read_many(&handles, &reply, base_url, now()),
        });
        match tasks {
            Ok(tasks) => tasks.into_iter().map(Ok).collect(),
            Err(error) => handles.iter().map(|handle| Err(error.clone().with_handle(handle))).collect(),
        }
    }
}

/// Gives a reading to the caller.
pub(crate) fn tell(on_reading: &Option<Function>, task: &Task, raw: &JsValue) -> Result<(), JsValue> {
    let Some(on_reading) = on_reading else { return Ok(()) };
    let mut json = crate::core::json::Writer::default();
    task.write(&mut json);
    on_reading.call2(&JsValue::UNDEFINED, &json.finish().into(), raw).map(drop)
}
