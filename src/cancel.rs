//! What may end a wait before its time: the caller's AbortSignal, or a timer. One call is one task, so one waker does.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Poll, Waker};

use gloo_timers::callback::Timeout;
use wasm_bindgen::prelude::*;
use web_sys::AbortSignal;

use crate::core::task::Millis;

/// The longest wait that a timer takes; beyond it fires at once.
const LONGEST_TIMER_MS: Millis = 0x7FFF_FFFF;

/// Why a piece of work was left unfinished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interrupt {
    /// The caller's signal.
    Aborted,
    /// The time given to it.
    TimedOut,
}

/// Something that happens once, and wakes who waits for it.
#[derive(Clone, Default)]
pub(crate) struct Bell(Rc<RefCell<(bool, Option<Waker>)>>);

impl Bell {
    pub(crate) fn ring(&self) {
        let mut bell = self.0.borrow_mut();
        bell.0 = true;
        let waker = bell.1.take();
        drop(bell);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Until it rings, or so many milliseconds. It can ring again after.
    pub(crate) async fn rest(&self, ms: Option<Millis>) {
        let timer = ms.map(Timer::new);
        poll_fn(|context| {
            let is_over = self.has_rung(context.waker())
                || timer.as_ref().is_some_and(|timer| timer.bell.has_rung(context.waker()));
            if is_over { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        self.0.borrow_mut().0 = false;
    }

    fn has_rung(&self, waker: &Waker) -> bool {
        let mut bell = self.0.borrow_mut();
        bell.1 = Some(waker.clone());
        bell.0
    }
}

/// One call's abort signal. Dropping it stops listening.
pub struct Cancel {
    signal: Option<AbortSignal>,
    bell: Bell,
    listener: Closure<dyn FnMut()>,
}

impl Cancel {
    /// Listens to the signal, if there is one.
    pub fn new(signal: Option<AbortSignal>) -> Self {
        let bell = Bell::default();
        let heard = bell.clone();
        let listener = Closure::new(move || heard.ring());
        if let Some(signal) = &signal {
            // An object that only looks like a signal may refuse: then its `aborted` is looked at now and then.
            signal.add_event_listener_with_callback("abort", listener.as_ref().unchecked_ref()).ok();
        }
        Cancel { signal, bell, listener }
    }

    /// Whether the signal has been given, or [`Cancel::abort`] was called.
    pub fn is_aborted(&self) -> bool {
        self.bell.0.borrow().0 || self.signal.as_ref().is_some_and(AbortSignal::aborted)
    }

    /// Ends the call from inside.
    pub fn abort(&self) {
        self.bell.ring();
    }

    /// What it was given with.
    pub fn reason(&self) -> JsValue {
        self.signal.as_ref().map_or(JsValue::UNDEFINED, AbortSignal::reason)
    }

    /// Does the work, unless the signal or the time limit comes first. Then the work is dropped.
    pub async fn race<T>(&self, limit_ms: Option<Millis>, work: impl Future<Output = T>) -> Result<T, Interrupt> {
        let timer = limit_ms.map(Timer::new);
        let mut work = pin!(work);
        poll_fn(|context| {
            if self.bell.has_rung(context.waker()) || self.is_aborted() {
                return Poll::Ready(Err(Interrupt::Aborted));
            }
            if let Poll::Ready(value) = work.as_mut().poll(context) {
                return Poll::Ready(Ok(value));
            }
            match &timer {
                Some(timer) if timer.bell.has_rung(context.waker()) => Poll::Ready(Err(Interrupt::TimedOut)),
                _ => Poll::Pending,
            }
        })
        .await
    }

    /// Waits; only an abort ends it early.
    pub async fn sleep(&self, ms: Millis) -> Result<(), Interrupt> {
        match self.race(Some(ms), std::future::pending::<()>()).await {
            Err(Interrupt::Aborted) => Err(Interrupt::Aborted),
            _ => Ok(()),
        }
    }
}

impl Drop for Cancel {
    fn drop(&mut self) {
        if let Some(signal) = &self.signal {
            signal.remove_event_listener_with_callback("abort", self.listener.as_ref().unchecked_ref()).ok();
        }
    }
}

/// A running timer. Dropping it clears it.
struct Timer {
    bell: Bell,
    _timeout: Timeout,
}

impl Timer {
    fn new(ms: Millis) -> Self {
        let bell = Bell::default();
        let rings = bell.clone();
        let ms = ms.clamp(0, LONGEST_TIMER_MS) as u32;
        Timer { bell, _timeout: Timeout::new(ms, move || rings.ring()) }
    }
}
