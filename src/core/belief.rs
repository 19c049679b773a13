//! How long tasks take, as far as anybody knows, and when the next request is worth it. The rule is the staleness budget
//! of schedule.md: ask when the expected needless wait since the task's unseen end reaches the budget.
//!
//! Durations are seconds here, since the rule's constants are.

use super::math::{exp, ln};
use super::task::{Estimate, Family, Kind, Makes, Millis, Progress, Status, Task};

/// ln T is normal with this mean and deviation, T in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Belief {
    /// Mean of ln T.
    pub mu: f64,
    /// Deviation of ln T.
    pub sigma: f64,
}

/// The shortest and the longest pause between two requests, in seconds; [`least_gap`] says when it may be shorter.
pub const GAP_S: (f64, f64) = (1.0, 30.0);
/// The first request comes no later than this after the submit, in seconds: early failures show early.
pub const FIRST_S: f64 = 15.0;
/// Where less than this is left of the belief, it has failed.
const FAILED_TAIL: f64 = 0.002;
/// Where less than this share of what would be left without progress is left of what it foretold, the task is overdue by
/// its own word. Few that are honest get there; those that race to 93 % and stall are found out early.
const OVERDUE: f64 = 0.48;
/// Samples that the shipped belief is worth.
const PRIOR_WEIGHT: f64 = 2.0;
/// What the deviation is drawn to while samples are few.
const PRIOR_SIGMA: f64 = 0.5;

impl Belief {
    /// What the package ships with. schedule.md, The rule, 1.
    pub fn shipped(family: Family, kind: Kind) -> Self {
        let (median, sigma): (f64, f64) = match (family, kind) {
            (Family::Videos, _) => (120.0, 0.67),
            (_, Kind::Imagine) => (40.0, 0.46),
            (_, Kind::Video) => (134.0, 0.49),
            _ => (75.0, 0.75),
        };
        Belief { mu: ln(median), sigma }
    }

    /// With what a reading says: this much progress at this age. A service that says 50 % after 30 s will need about 60 s;
    /// how firmly that counts grows with the progress.
    pub fn with_progress(self, progress: Option<Progress>, age: f64) -> Self {
        let percent = progress.map_or(0, |progress| progress.0) as f64 / 1000.0;
        if percent <= 0.0 || age <= 0.0 {
            return self;
        }
        let done = (percent / 100.0).min(0.98);
        let spread = 0.6 * (1.0 - done) + 0.05;
        let (own, other) = (1.0 / (self.sigma * self.sigma), 1.0 / (spread * spread));
        Belief { mu: (self.mu * own + ln(age / done) * other) / (own + other), sigma: (1.0 / (own + other)).sqrt() }
    }

    fn z(self, seconds: f64) -> f64 {
        if seconds <= 0.0 { f64::NEG_INFINITY } else { (ln(seconds) - self.mu) / self.sigma }
    }

    /// E[(u − T)+ | T > t]: how long a task that is unfinished at `t` will have been finished, on average, at `u`.
    pub fn expected_waste(self, t: f64, u: f64) -> f64 {
        let mean = exp(self.mu + self.sigma * self.sigma / 2.0);
        let (zt, zu) = (self.z(t), self.z(u));
        let ended = u * (phi(zu) - phi(zt));
        let spent = mean * (phi(zu - self.sigma) - phi(zt - self.sigma));
        (ended - spent) / (1.0 - phi(zt))
    }

    /// The pause until the next request of a task that is unfinished at this age, in seconds.
    /// `budget`: seconds of needless waiting that one request is worth.
    pub fn gap(self, age: f64, budget: f64, last_gap: f64) -> f64 {
        let (least, most) = (least_gap(budget), GAP_S.1);
        if self.left(age) < FAILED_TAIL {
            return (0.08 * age).min(2.0 * last_gap).clamp(least, most);
        }
        let (mut low, mut high) = (least, most);
        for _ in 0..24 {
            let middle = (low + high) / 2.0;
            if self.expected_waste(age, age + middle) < budget {
                low = middle;
            } else {
                high = middle;
            }
        }
        high
    }

    /// [`Belief::expected_waste`], also where the belief has failed: there it grows to the budget over the last gap.
    pub fn waste(self, t: f64, u: f64, budget: f64, last_gap: f64) -> f64 {
        if self.left(t) < FAILED_TAIL {
            return budget * (u - t) / last_gap.max(least_gap(budget));
        }
        self.expected_waste(t, u)
    }

    /// How the waste grows from here to the next request.
    pub fn growth(self, age: f64, gap: f64, budget: f64, last_gap: f64) -> Growth {
        let at = |gap| self.waste(age, age + gap, budget, last_gap);
        let doubled = at(gap) / at(gap / 2.0);
        let power = (1..STEEPEST).find(|power| doubled < 1.5 * (1 << power) as f64).unwrap_or(STEEPEST);
        Growth { gap, waste: at(gap), power }
    }

    /// The share of tasks that are unfinished at this age.
    fn left(self, age: f64) -> f64 {
        1.0 - phi(self.z(age))
    }

    /// What progress foretold, unless it stalls past that: then it says nothing, and what was believed without it holds.
    pub fn unless_overdue(self, told: Belief, age: f64) -> Belief {
        if told.left(age) < OVERDUE * self.left(age) { self } else { told }
    }

    /// The time that remains of a task that is unfinished at this age: by then it has ended with this probability.
    pub fn remaining(self, age: f64, probability: f64) -> f64 {
        let from = phi(self.z(age));
        let wanted = from + probability * (1.0 - from);
        let (mut low, mut high) = (self.z(age).max(-8.0), 8.0);
        for _ in 0..28 {
            let middle = (low + high) / 2.0;
            if phi(middle) < wanted {
                low = middle;
            } else {
                high = middle;
            }
        }
        (exp(self.mu + self.sigma * high) - age).max(0.0)
    }
}

/// Expected waste between two requests, as a power of the time: ten thousand of them are compared at every step, and each by
/// the closed form would cost fifty times as much.
#[derive(Clone, Copy, Debug)]
pub struct Growth {
    /// Seconds until the next request.
    gap: f64,
    /// What is to be expected by then.
    waste: f64,
    power: i32,
}

/// Beyond that, the waste begins with a step.
const STEEPEST: i32 = 8;

impl Growth {
    /// So many seconds after it began.
    pub fn waste(self, seconds: f64) -> f64 {
        let mut waste = self.waste;
        for _ in 0..self.power {
            waste *= seconds / self.gap;
        }
        waste
    }
}

/// The shortest pause with this budget: a second, or less where the caller asks for less waiting than the default budget
/// does, which a second between two requests could not give.
pub fn least_gap(budget: f64) -> f64 {
    (2.0 * budget).clamp(0.25, GAP_S.0)
}

/// What the durations of finished tasks have taught: count, mean and spread of ln T, no samples.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Learned {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Learned {
    /// One more task that succeeded, by the service's own times.
    pub fn add(&mut self, seconds: f64) {
        if !(0.1..=86_400.0).contains(&seconds) {
            return;
        }
        self.count += 1.0;
        let away = ln(seconds) - self.mean;
        self.mean += away / self.count;
        self.squares += away * (ln(seconds) - self.mean);
    }

    /// The shipped belief, moved by what was learned.
    pub fn apply(&self, shipped: Belief) -> Belief {
        if self.count == 0.0 {
            return shipped;
        }
        let weight = PRIOR_WEIGHT + self.count;
        let variance = (PRIOR_WEIGHT * PRIOR_SIGMA * PRIOR_SIGMA + self.squares) / weight;
        Belief { mu: (PRIOR_WEIGHT * shipped.mu + self.count * self.mean) / weight, sigma: variance.sqrt().max(0.05) }
    }
}

/// All that a client has learned, by family, kind and model.
#[derive(Clone, Debug, Default)]
pub struct Beliefs(Vec<(Family, Kind, Option<String>, Learned)>);

/// More kinds and models than one application uses.
const MOST_BELIEFS: usize = 64;

impl Beliefs {
    /// What is believed of a task. A reading that says video counts for more than what was submitted.
    pub fn of(&self, family: Family, kind: Kind, model: Option<&str>) -> Belief {
        let shipped = Belief::shipped(family, kind);
        let known = self.0.iter().find(|entry| (entry.0, entry.1, entry.2.as_deref()) == (family, kind, model));
        known.map_or(shipped, |entry| entry.3.apply(shipped))
    }

    /// What is believed of this task.
    pub fn of_task(&self, task: &Task) -> Belief {
        self.of(task.handle.family, kind_of(task), task.handle.model.as_deref())
    }

    /// Learns from a task that has succeeded, by the service's own clock at both ends.
    pub fn learn(&mut self, task: &Task) {
        let (Status::Succeeded, Some(from), Some(to)) = (task.status, task.submitted_at, task.finished_at) else {
            return;
        };
        let seconds = (to - from) as f64 / 1000.0;
        let (family, kind, model) = (task.handle.family, kind_of(task), task.handle.model.clone());
        let place = self.0.iter().position(|entry| (entry.0, entry.1, &entry.2) == (family, kind, &model));
        match place {
            Some(place) => self.0[place].3.add(seconds),
            None if self.0.len() < MOST_BELIEFS => {
                let mut learned = Learned::default();
                learned.add(seconds);
                self.0.push((family, kind, model, learned));
            }
            None => {}
        }
    }
}

/// An imagine whose prompt asks for a video takes as long as a video.
fn kind_of(task: &Task) -> Kind {
    match (task.handle.family, task.makes) {
        (Family::Midjourney, Makes::Video) => Kind::Video,
        _ => task.handle.kind,
    }
}

/// What remains of a running task.
pub fn estimate(belief: Belief, task: &Task, now: Millis) -> Estimate {
    let age = age_s(task.handle.submitted_at, now);
    let belief = belief.with_progress(task.progress, age);
    let ms = |probability| (belief.remaining(age, probability) * 1000.0) as Millis;
    Estimate { median_ms: ms(0.5), p90_ms: ms(0.9) }
}

/// A task's age in seconds; a clock that is behind the submitter's makes it no younger than new.
pub fn age_s(submitted_at: Millis, now: Millis) -> f64 {
    (now - submitted_at).max(0) as f64 / 1000.0
}

/// The normal distribution function, to 1e-7: Abramowitz and Stegun 7.1.26.
fn phi(z: f64) -> f64 {
    if z.is_infinite() {
        return if z > 0.0 { 1.0 } else { 0.0 };
    }
    let x = z.abs() / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    let series =
        t * (0.254_829_592 + t * (-0.284_496_736 + t * (1.421_413_741 + t * (-1.453_152_027 + t * 1.061_405_429))));
    let upper = 0.5 * series * exp(-x * x);
    if z > 0.0 { 1.0 - upper } else { upper }
}
