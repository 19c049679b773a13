//! Seeded tasks, for tests in virtual time: schedule.md, The model.
#![allow(dead_code, reason = "each test file uses a part of it")]

use comet_tasks::core::belief::Belief;
use comet_tasks::core::handle::{Kind, TaskHandle, TaskId};
use comet_tasks::core::json;
use comet_tasks::core::reading;
use comet_tasks::core::task::{Millis, Task};

const STEPS: [i64; 6] = [5, 18, 35, 46, 71, 93];

/// xorshift and Box-Muller: the same tasks in every run.
pub(crate) struct Random(u64);

impl Default for Random {
    fn default() -> Self {
        Random(0x9E37_79B9_7F4A_7C15)
    }
}

impl Random {
    pub(crate) fn uniform(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    pub(crate) fn normal(&mut self) -> f64 {
        let (a, b) = (self.uniform().max(1e-300), self.uniform());
        (-2.0 * a.ln()).sqrt() * (2.0 * std::f64::consts::PI * b).cos()
    }
}

/// How one task goes: when it ends, and how it bends its progress on the way.
pub(crate) struct Course {
    pub(crate) end: Millis,
    bend: f64,
}

impl Course {
    pub(crate) fn new(belief: Belief, random: &mut Random) -> Self {
        let end = ((belief.mu + belief.sigma * random.normal()).exp() * 1000.0) as Millis;
        Course { end, bend: (0.15 * random.normal()).exp() }
    }

    /// The last step passed at this age.
    pub(crate) fn progress(&self, age: Millis) -> i64 {
        let share = (age as f64 / self.end as f64).powf(self.bend) * 100.0;
        STEPS.iter().rev().find(|step| (**step as f64) <= share).copied().unwrap_or(0)
    }
}

pub(crate) fn handle(kind: Kind) -> TaskHandle {
    TaskHandle::new(kind, TaskId::new("1773314942177684").expect("a sound id"), 0)
}

pub(crate) fn reply(handle: &TaskHandle, done: bool, progress: Option<i64>) -> Task {
    let status = if done { "SUCCESS" } else { "IN_PROGRESS" };
    let progress = progress.map_or(String::new(), |percent| format!("{percent}%"));
    let url = if done { "https://v.test/a.mp4" } else { "" };
    let body = format!(
        r#"{{"id":"1","status":"{status}","progress":"{progress}","imageUrl":"{}","videoUrl":"{url}"}}"#,
        if done { "https://v.test/a.png" } else { "" }
    );
    let body = json::parse(&body).expect("written above");
    reading::task(&body, handle, "https://api.test").expect("a task")
}
