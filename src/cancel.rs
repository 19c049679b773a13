//! What may end a wait before its time: its caller, or a timer. One call is one task, so one waker does.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Poll, Waker};

use gloo_timers::callback::Timeout;

use crate::core::task::Millis;

/// The longest wait that a timer takes; beyond it fires at once.
const LONGEST_TIMER_MS: Millis = 0x7FFF_FFFF;

/// Why a piece of work was left unfinished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interrupt {
    /// The caller does not want it any more.
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

/// The end of one call from outside; why, the facade knows.
#[derive(Clone, Default)]
pub struct Cancel(Bell);

impl Cancel {
    /// Ends the call.
    pub fn abort(&self) {
        self.0.ring();
    }

    /// Whether it was ended.
    pub fn is_aborted(&self) -> bool {
        self.0.0.borrow().0
    }

    /// Does the work, unless the signal or the time limit comes first. Then the work is dropped.
    pub async fn race<T>(&self, limit_ms: Option<Millis>, work: impl Future<Output = T>) -> Result<T, Interrupt> {
        let timer = limit_ms.map(Timer::new);
        let mut work = pin!(work);
        poll_fn(|context| {
            if self.0.has_rung(context.waker()) {
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
