//! The waits of one client, driven: one loop, one timer, and a request for many of them at once.
//!
//! What is asked when is decided in `core::scheduler`; here are the clock, the network and the callers. A wait is an entry in
//! a list and no future of its own: there may be ten thousand. Where calls may not share anything that is waited for
//! (DESIGN.md, Request contexts) each call has a [`Waits`] of its own.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::Array;
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
use crate::core::rows::rows;
use crate::core::scheduler::{Action, Ask, AskId, Scheduler, Wait, WaitId};
use crate::core::task::Task;
use crate::core::text;

/// The waits that share a loop.
pub struct Waits {
    headers: Headers,
    request_timeout: Option<Limit>,
    scheduler: RefCell<Scheduler<Guest>>,
    asks: RefCell<Vec<(AskId, Rc<Call>)>>,
    bell: Bell,
    is_driven: Cell<bool>,
}

/// Who waits.
#[derive(Clone, Copy)]
pub struct Caller {
    /// The facade's name for the wait.
    pub id: WaitId,
    /// It wants to hear of readings that are news.
    pub listens: bool,
    /// The call's name in events.
    pub operation: &'static str,
    /// The call began with a submit: to repeat it would make a second task.
    pub submitted: bool,
}

/// What is kept for a wait.
struct Guest {
    caller: Caller,
    /// The body of the last reading, until that is told.
    raw: JsValue,
    /// The row that the last reading was read from, in less memory than either.
    row: Option<Box<str>>,
    /// What the host threw at the last request.
    cause: JsValue,
}

impl Waits {
    /// No waits yet. Requests go out with these headers, and so many at once.
    pub fn new(headers: Headers, request_timeout: Option<Limit>, most_in_flight: usize) -> Self {
        Waits {
            headers,
            request_timeout,
            scheduler: RefCell::new(Scheduler::new(most_in_flight)),
            asks: RefCell::default(),
            bell: Bell::default(),
            is_driven: Cell::new(false),
        }
    }

    /// A wait begins. `first` is a reading that is there already. The caller is told of news and of the end.
    pub fn enter(self: Rc<Self>, client: &Rc<Client>, caller: Caller, mut poller: Poller, first: Option<Seen>) {
        let mut raw = JsValue::UNDEFINED;
        let is_read = first.is_some();
        if let Some((task, bytes)) = first {
            poller.take(now(), task);
            raw = bytes;
        }
        let guest = Guest { caller, raw, row: None, cause: JsValue::UNDEFINED };
        self.scheduler.borrow_mut().add(caller.id, guest, poller, now());
        if is_read {
            self.tell_news(client, caller.id);
        }
        self.drive(client);
    }

    /// Whether the gateway may have the list route: until it says otherwise, to a wait or to another call.
    pub fn lists_work(&self) -> bool {
        self.scheduler.borrow().lists_work
    }

    /// It has said so.
    pub fn use_no_lists(&self) {
        self.scheduler.borrow_mut().lists_work = false;
    }

    /// A page that becomes visible or comes back online asks for what it may have missed.
    pub fn hurry(&self) {
        self.scheduler.borrow_mut().hurry(now());
        self.bell.ring();
    }

    /// Forgets a wait, if it is here. The name of its call.
    pub fn leave(&self, id: WaitId) -> Option<&'static str> {
        let mut scheduler = self.scheduler.borrow_mut();
        let operation = scheduler.wait(id)?.guest.caller.operation;
        let abandoned = scheduler.remove(id);
        drop(scheduler);
        self.abandon(abandoned);
        self.bell.ring();
        Some(operation)
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
                    Action::Settle { wait, abandoned } => {
                        self.abandon(abandoned);
                        settle(&client, *wait);
                    }
                    Action::Ask(ask) => self.clone().ask(client.clone(), ask),
                    Action::Sleep(ms) => {
                        if let Some(ms) = ms.filter(|_| self.asks.borrow().is_empty()) {
                            client.emit_sleep(ms, self.scheduler.borrow().len());
                        }
                        self.bell.rest(ms).await;
                    }
                }
            }
            self.is_driven.set(false);
            client.alone.borrow_mut().retain(|waits| !Rc::ptr_eq(waits, &self));
        });
    }

    fn ask(self: Rc<Self>, client: Rc<Client>, ask: Ask) {
        let call = Rc::new(Call {
            cancel: Cancel::default(),
            headers: self.headers.clone(),
            images: Array::new(),
            request_timeout: self.request_timeout,
            is_alone: false,
            id: 0,
            speed: None,
            listens: false,
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
            Err(_) => return,
        };
        let tasks = client.tasks(ask, reply.as_ref().map_err(Error::clone));
        if let Some(error) = tasks.iter().find_map(|task| task.as_ref().err()) {
            client.emit_retry(error, ask.handles.first());
        }
        let mut read = Vec::new();
        let news = self.scheduler.borrow_mut().replied(ask, now(), |Wait { id, poller, guest, .. }| {
            let place = ask.handles.iter().position(|handle| handle.id == poller.handle().id).unwrap_or(0);
            let mut task = tasks[place].clone();
            guest.cause = cause.clone();
            if let Ok(Some(task)) = &mut task {
                task.handle = poller.handle().clone();
                poller.believe(client.consider(task));
                read.push((*id, task.row));
                guest.raw = bytes.clone();
            }
            task
        });
        news.into_iter().for_each(|id| self.tell_news(client, id));
        let body = reply.map(|reply| reply.text().into_owned()).unwrap_or_default();
        self.set_aside(&body, read);
    }

    /// Of a wait that goes on only its own row is kept: the rest of the reply, and what was read from it, may go.
    fn set_aside(&self, body: &str, read: Vec<(WaitId, Option<u32>)>) {
        let rows = rows(body);
        let mut scheduler = self.scheduler.borrow_mut();
        for (id, row) in read {
            if let Some(Wait { poller, guest, .. }) = scheduler.wait(id).filter(|wait| !wait.poller.is_over()) {
                let row = row.map_or(Some(&body), |row| rows.get(row as usize));
                let own = row.filter(|row| text::find(row, poller.handle().id.as_str()).is_some());
                guest.row = own.map(|&row| row.into());
                guest.raw = JsValue::UNDEFINED;
                poller.set_aside();
            }
        }
    }

    /// Gives a reading to its caller, who may end the wait for it.
    fn tell_news(&self, client: &Client, id: WaitId) {
        let mut scheduler = self.scheduler.borrow_mut();
        let Some(Wait { poller, guest, .. }) = scheduler.wait(id) else { return };
        let (Some(task), listens, raw) = (poller.last().cloned(), guest.caller.listens, guest.raw.clone()) else {
            return;
        };
        drop(scheduler);
        client.emit_reading(&task);
        if listens {
            client.tell_reading(id, &task, raw);
        }
    }
}

/// Tells a wait's caller how it ended.
fn settle(client: &Client, wait: Wait<Guest>) {
    let (Guest { caller, mut raw, row, cause }, mut poller) = (wait.guest, wait.poller);
    if let (None, Some(row)) = (poller.last(), row) {
        let reply = Reply { status: 200, body: row.as_bytes().into(), ..Reply::default() };
        if let Ok(mut task) = reading::read(poller.handle(), &reply, &client.transport.base_url, now()) {
            client.consider(&mut task);
            poller.restore(task);
            raw = (&*row).into();
        }
    }
    let Some(outcome) = poller.outcome() else { return };
    let outcome = outcome.map(|task| (task, raw.clone()).into()).map_err(|mut error| {
        error.retryable &= !caller.submitted;
        Stop::Error { error, cause, raw }
    });
    client.tell(caller.id, &client.conclude(caller.operation, outcome)).ok();
}

impl Client {
    /// What a reply says of each task that was asked for.
    fn tasks(&self, ask: &Ask, reply: Result<&Reply, Error>) -> Vec<Result<Option<Task>, Error>> {
        let base_url = &self.transport.base_url;
        let handles: Vec<&TaskHandle> = ask.handles.iter().collect();
        let tasks = reply.and_then(|reply| match ask.route {
            Route::Single => reading::read(handles[0], reply, base_url, now()).map(|task| vec![Some(task)]),
            Route::List => reading::read_many(&handles, reply, base_url, now()),
        });
        match tasks {
            Ok(tasks) => tasks.into_iter().map(Ok).collect(),
            Err(error) => handles.iter().map(|handle| Err(error.clone().with_handle(handle))).collect(),
        }
    }
}
