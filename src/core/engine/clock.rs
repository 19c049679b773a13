//! The time of a client: the wall clock's, but for what no wait may suffer from.

use crate::core::task::Millis;

/// A step of the wall clock that is larger than this, and that nothing else bears out, is a leap: the machine slept, or
/// somebody put the clock forward.
const LEAP_MS: Millis = 300_000;

/// Two clocks of the host's, and what the engine makes of them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clock {
    /// The engine's time. It never runs backward.
    pub(super) now: Millis,
    /// By how much that is ahead of the wall clock, which was put back and has not been put right again.
    ahead: Millis,
    /// What the steady clock showed last.
    steady: Option<Millis>,
}

impl Clock {
    /// The wall clock shows this, and the steady one, which knows nothing of the time of day, that. `due` is the end of a sleep
    /// that may just have ended. Returns how far the wall clock has leapt forward, if it did.
    pub(super) fn set(&mut self, wall: Millis, steady: Option<Millis>, due: Option<Millis>) -> Option<Millis> {
        let passed = steady.zip(self.steady).map(|(now, last)| (now - last).max(0));
        self.steady = steady;
        let is_first = self.now == 0;
        if wall < self.now {
            self.ahead = self.ahead.max(self.now + passed.unwrap_or(0) - wall);
        } else {
            self.ahead = 0;
        }
        let (last, now) = (self.now, wall + self.ahead);
        self.now = now.max(last);
        let slept = due.filter(|due| *due <= now).map_or(0, |due| due - last);
        let leap = now - last - passed?.max(slept);
        (leap > LEAP_MS && !is_first).then_some(leap)
    }

    /// A sleep until then is over, whatever the clocks say: some stand still while a program computes.
    pub(super) fn reach(&mut self, due: Millis) {
        if due > self.now {
            self.ahead += due - self.now;
            self.now = due;
        }
    }
}
