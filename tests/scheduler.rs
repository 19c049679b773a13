//! All waits of one client, in virtual time: schedule.md, The rule, 5, and its table of many tasks.

mod durations;

use std::collections::{BTreeMap, HashMap};

use comet_tasks::core::belief::Belief;
use comet_tasks::core::error::{Code, Error};
use comet_tasks::core::handle::{Kind, TaskHandle, TaskId};
use comet_tasks::core::poller::{PollOptions, Poller, Route, Timeout};
use comet_tasks::core::scheduler::{Action, Ask, Scheduler, Wait};
use comet_tasks::core::task::Millis;
use durations::{Course, Random, reply};

const ROUND_TRIP_MS: Millis = 200;

fn handle(id: usize, kind: Kind, submitted_at: Millis) -> TaskHandle {
    TaskHandle::new(kind, TaskId::new(&format!("17733149{id:08}")).expect("a sound id"), submitted_at)
}

fn poller(handle: TaskHandle, options: PollOptions, now: Millis) -> Poller {
    let belief = Belief::shipped(handle.family, handle.kind);
    Poller::new(handle, options, belief, now, 1)
}

/// A service with tasks, and the requests that are on their way to it and back.
struct World {
    scheduler: Scheduler<()>,
    courses: HashMap<String, (Millis, Course)>,
    /// By the time at which the reply arrives.
    under_way: BTreeMap<(Millis, u32), Ask>,
    now: Millis,
    requests: usize,
    batches: usize,
    late_s: Vec<f64>,
    list_works: bool,
}

impl World {
    fn new(connections: usize) -> Self {
        World {
            scheduler: Scheduler::new(connections),
            courses: HashMap::new(),
            under_way: BTreeMap::new(),
            now: 0,
            requests: 0,
            batches: 0,
            late_s: Vec::new(),
            list_works: true,
        }
    }

    fn submit(&mut self, id: usize, kind: Kind, course: Course) {
        self.submit_with(PollOptions::default(), id, kind, course);
    }

    fn submit_with(&mut self, options: PollOptions, id: usize, kind: Kind, course: Course) {
        let handle = handle(id, kind, self.now);
        self.courses.insert(handle.id.as_str().into(), (self.now, course));
        self.scheduler.add(id as u32, (), poller(handle, options, self.now), self.now);
    }

    /// Lets time pass until this time, or until nothing is left to do.
    fn run_until(&mut self, end: Millis) {
        loop {
            let wake = match self.scheduler.next(self.now) {
                Action::Settle { wait, .. } => {
                    let outcome = wait.poller.outcome().expect("it is over");
                    self.settle(&outcome.expect("no task fails here").handle);
                    continue;
                }
                Action::Ask(ask) => {
                    self.requests += 1;
                    self.batches += usize::from(ask.route == Route::List);
                    self.under_way.insert((self.now + ROUND_TRIP_MS, ask.id), ask);
                    continue;
                }
                Action::Sleep(ms) => ms.map_or(Millis::MAX, |ms| self.now + ms),
            };
            let arrival = self.under_way.keys().next().map_or(Millis::MAX, |(at, _)| *at);
            let next = wake.min(arrival);
            if next >= end {
                self.now = end;
                return;
            }
            self.now = next;
            if arrival == next {
                self.arrive();
            }
        }
    }

    fn settle(&mut self, handle: &TaskHandle) {
        let (submitted_at, course) = &self.courses[handle.id.as_str()];
        self.late_s.push((self.now - submitted_at - course.end) as f64 / 1000.0);
    }

    /// The reply that is due says how things stood half a round trip ago.
    fn arrive(&mut self) {
        let ((now, _), ask) = self.under_way.pop_first().expect("somebody looked");
        let (courses, list_works) = (&self.courses, self.list_works);
        self.scheduler.replied(&ask, now, |Wait { poller, .. }| {
            if ask.route == Route::List && !list_works {
                return Err(Error::new(Code::NotFound, "midjourney.list", "no such route"));
            }
            let (submitted_at, course) = &courses[poller.handle().id.as_str()];
            let age = now - ROUND_TRIP_MS / 2 - submitted_at;
            let done = age >= course.end;
            Ok(Some(reply(poller.handle(), done, Some(if done { 100 } else { course.progress(age) }))))
        });
    }
}

/// So many videos, submitted over a minute: requests per task and mean latency in seconds.
fn many(count: usize) -> (f64, f64) {
    let mut world = World::new(6);
    let mut random = Random::default();
    let belief = Belief::shipped(Kind::Video.family(), Kind::Video);
    for id in 0..count {
        world.run_until((id * 60_000 / count) as Millis);
        let course = Course::new(belief, &mut random);
        world.submit(id, Kind::Video, course);
    }
    world.run_until(Millis::MAX);
    assert_eq!(world.late_s.len(), count);
    (world.requests as f64 / count as f64, world.late_s.iter().sum::<f64>() / count as f64)
}

/// The most requests per task and the most seconds of mean latency: against the loop of half a second that `npm run bench`
/// has beside it, a fortieth of the requests at a hundred tasks, a fifteenth of them and a tenth of the latency at a thousand.
#[test]
fn many_tasks_are_asked_for_in_batches() {
    for (count, requests, latency_s) in [(100, 2.18, 1.12), (1_000, 0.87, 0.91)] {
        let (asked, late) = many(count);
        println!("{count}: {asked:.2} requests per task, {late:.2} s");
        assert!(asked <= requests && late <= latency_s, "{count}: {asked:.2} requests, {late:.2} s");
    }
}

#[test]
#[ignore = "a minute in a debug build: cargo test --release --test scheduler -- --ignored"]
fn ten_thousand_tasks_are_asked_for_in_batches() {
    let (asked, late) = many(10_000);
    println!("10000: {asked:.2} requests per task, {late:.2} s");
    assert!(asked <= 0.25 && late <= 2.2);
}

fn two_pictures(world: &mut World) {
    for id in 0..2 {
        world.submit(
            id,
            Kind::Imagine,
            Course::new(Belief::shipped(Kind::Imagine.family(), Kind::Imagine), &mut Random::default()),
        );
    }
}

#[test]
fn a_gateway_without_the_list_route_is_asked_singly_from_then_on() {
    let mut world = World::new(6);
    world.list_works = false;
    two_pictures(&mut world);
    world.run_until(Millis::MAX);
    assert_eq!((world.late_s.len(), world.batches), (2, 1));
}

/// Fifty waits that began at fifty moments of a second would otherwise make fifty requests in each.
#[test]
fn waits_with_an_interval_come_together_in_one_batch_an_interval() {
    let mut world = World::new(6);
    let mut random = Random::default();
    let belief = Belief::shipped(Kind::Video.family(), Kind::Video);
    for id in 0..50 {
        world.run_until(id as Millis * 20);
        let options = PollOptions { interval_ms: Some(1_000), ..PollOptions::default() };
        let mut course = Course::new(belief, &mut random);
        course.end = 3_600_000;
        world.submit_with(options, id, Kind::Video, course);
    }
    world.run_until(3_000);
    let before = world.requests;
    world.run_until(3_000 + 12 * (1_000 + ROUND_TRIP_MS));
    assert_eq!((world.requests - before, world.batches), (12, world.requests));
}

#[test]
fn one_wait_alone_uses_no_batch() {
    let mut world = World::new(6);
    world.submit(
        0,
        Kind::Imagine,
        Course::new(Belief::shipped(Kind::Imagine.family(), Kind::Imagine), &mut Random::default()),
    );
    world.run_until(Millis::MAX);
    assert_eq!((world.late_s.len(), world.batches), (1, 0));
}

#[test]
fn videos_of_v1_are_asked_for_singly_and_never_more_than_the_connections_at_once() {
    let mut world = World::new(6);
    let mut random = Random::default();
    for id in 0..40 {
        world.submit(id, Kind::Veo, Course::new(Belief::shipped(Kind::Veo.family(), Kind::Veo), &mut random));
    }
    world.run_until(15_000);
    let mut asks = 0;
    while let Action::Ask(ask) = world.scheduler.next(15_000) {
        assert_eq!((ask.route, ask.handles.len()), (Route::Single, 1));
        asks += 1;
    }
    assert_eq!(asks, 6);
}

#[test]
fn waits_for_one_task_share_its_requests() {
    let mut scheduler = Scheduler::new(6);
    let add = |scheduler: &mut Scheduler<()>, id| {
        scheduler.add(id, (), poller(handle(1, Kind::Veo, 0), PollOptions::default(), 60_000), 60_000);
    };
    (0..3).for_each(|id| add(&mut scheduler, id));
    let Action::Ask(ask) = scheduler.next(60_000) else { panic!("an old task is asked for at once") };
    add(&mut scheduler, 3);
    assert!(matches!(scheduler.next(60_000), Action::Sleep(_)));
    let news = scheduler.replied(&ask, 60_200, |wait| Ok(Some(reply(wait.poller.handle(), true, Some(100)))));
    assert_eq!(news, [0, 1, 2, 3]);
}

#[test]
fn waits_for_one_picture_use_no_batch() {
    let mut scheduler = Scheduler::new(6);
    for id in 0..3 {
        scheduler.add(id, (), poller(handle(1, Kind::Imagine, 0), PollOptions::default(), 60_000), 60_000);
    }
    let Action::Ask(ask) = scheduler.next(60_000) else { panic!("an old task is asked for at once") };
    assert_eq!((ask.route, ask.handles.len()), (Route::Single, 1));
    let news = scheduler.replied(&ask, 60_200, |wait| Ok(Some(reply(wait.poller.handle(), false, None))));
    assert_eq!(news, [0, 1, 2]);
    assert!(matches!(scheduler.next(60_200), Action::Sleep(_)));
}

#[test]
fn the_reply_to_the_last_of_max_requests_counts() {
    for waits in [1, 2] {
        let mut scheduler = Scheduler::new(6);
        let options = PollOptions { max_requests: Some(1), ..PollOptions::default() };
        let old = |id| poller(handle(id, Kind::Imagine, 0), options, 60_000);
        (0..waits).for_each(|id| scheduler.add(id as u32, (), old(id), 60_000));
        let Action::Ask(ask) = scheduler.next(60_000) else { panic!("old tasks are asked for at once") };
        assert!(matches!(scheduler.next(60_000), Action::Sleep(_)), "its request is under way");
        scheduler.replied(&ask, 60_200, |wait| Ok(Some(reply(wait.poller.handle(), true, Some(100)))));
        for _ in 0..waits {
            let Action::Settle { wait, .. } = scheduler.next(60_200) else { panic!("it has ended") };
            assert!(wait.poller.outcome().expect("it is over").is_ok());
        }
    }
}

#[test]
fn a_wait_that_joins_a_batch_outlives_a_gateway_without_the_list_route() {
    let mut scheduler = Scheduler::new(6);
    let old = |id| poller(handle(id, Kind::Imagine, 0), PollOptions::default(), 60_000);
    (0..2).for_each(|id| scheduler.add(id as u32, (), old(id), 60_000));
    let Action::Ask(ask) = scheduler.next(60_000) else { panic!("old tasks are asked for at once") };
    scheduler.add(2, (), old(0), 60_000);
    scheduler.replied(&ask, 60_200, |_| Err(Error::new(Code::NotFound, "midjourney.list", "no such route")));
    assert!(matches!(scheduler.next(70_000), Action::Ask(_)), "all go on singly");
    assert_eq!(scheduler.len(), 3);
}

#[test]
fn a_wait_that_leaves_takes_its_request_with_it_unless_another_waits_for_it() {
    let mut scheduler = Scheduler::new(6);
    let old = || poller(handle(1, Kind::Veo, 0), PollOptions::default(), 60_000);
    [1, 2].into_iter().for_each(|id| scheduler.add(id, (), old(), 60_000));
    let Action::Ask(ask) = scheduler.next(60_000) else { panic!("an old task is asked for at once") };
    assert_eq!(scheduler.remove(1), None);
    assert_eq!(scheduler.remove(2), Some(ask.id));
    assert!(scheduler.is_empty());
}

#[test]
fn a_deadline_ends_a_wait_whose_request_is_under_way() {
    let mut scheduler = Scheduler::new(6);
    let options = PollOptions { timeout: Some(Timeout::After(1_000)), ..PollOptions::default() };
    scheduler.add(1, (), poller(handle(1, Kind::Veo, 0), options, 60_000), 60_000);
    assert!(matches!(scheduler.next(60_000), Action::Ask(_)));
    assert!(matches!(scheduler.next(60_000), Action::Sleep(Some(1_000))));
    let Action::Settle { wait, .. } = scheduler.next(61_000) else { panic!("its time is over") };
    let outcome = wait.poller.outcome().expect("it is over");
    assert_eq!(outcome.expect_err("no reading came").code, Code::Deadline);
}

#[test]
fn a_key_that_cannot_be_had_ends_its_waits_and_says_nothing_of_the_list_route() {
    let mut scheduler = Scheduler::new(6);
    let old = |id| poller(handle(id, Kind::Imagine, 0), PollOptions::default(), 60_000);
    (0..2).for_each(|id| scheduler.add(id as u32, (), old(id), 60_000));
    let Action::Ask(ask) = scheduler.next(60_000) else { panic!("old tasks are asked for at once") };
    let no_key = || Error::argument("midjourney.list", "apiKey", "must be usable", "an error");
    scheduler.replied(&ask, 60_200, |_| Err(no_key()));
    for _ in 0..2 {
        let Action::Settle { wait, .. } = scheduler.next(60_200) else { panic!("it has ended") };
        assert_eq!(wait.poller.outcome().expect("it is over").expect_err("no key").code, Code::Validation);
    }
    assert!(scheduler.lists_work);
}

#[test]
fn a_wait_with_an_interval_goes_along_no_earlier_than_the_service_asked() {
    let mut error = Error::new(Code::RateLimited, "midjourney.list", "too many");
    (error.retryable, error.retry_after_ms) = (true, Some(60_000));
    let mut scheduler = Scheduler::new(6);
    let options = PollOptions { interval_ms: Some(10_000), ..PollOptions::default() };
    let old = |id| poller(handle(id, Kind::Imagine, 0), options, 60_000);
    (0..2).for_each(|id| scheduler.add(id as u32, (), old(id), 60_000));
    let Action::Ask(ask) = scheduler.next(60_000) else { panic!("old tasks are asked for at once") };
    scheduler.replied(&ask, 60_200, |_| Err(error.clone()));
    scheduler.add(2, (), old(2), 115_000);
    let Action::Ask(ask) = scheduler.next(115_000) else { panic!("an old task is asked for at once") };
    assert_eq!(ask.handles.len(), 1, "the others were asked to wait until 120,200");
}

#[test]
fn a_page_that_becomes_visible_waits_for_no_company() {
    let mut scheduler = Scheduler::new(6);
    (0..2).for_each(|id| {
        scheduler.add(id as u32, (), poller(handle(id, Kind::Video, 0), PollOptions::default(), 0), 0);
    });
    let Action::Sleep(Some(_)) = scheduler.next(5_000) else { panic!("young tasks are not asked for") };
    scheduler.hurry(5_000);
    let Action::Ask(ask) = scheduler.next(5_000) else { panic!("at once") };
    assert_eq!(ask.handles.len(), 2);
}

#[test]
fn waits_whose_batch_failed_come_back_in_one_batch() {
    let mut error = Error::new(Code::Gateway, "midjourney.list", "an outage");
    error.retryable = true;
    let mut scheduler = Scheduler::new(6);
    for id in 0..50 {
        let (handle, belief) = (handle(id, Kind::Imagine, 0), Belief::shipped(Kind::Imagine.family(), Kind::Imagine));
        let poller = Poller::new(handle, PollOptions::default(), belief, 60_000, 7 * id as u32);
        scheduler.add(id as u32, (), poller, 60_000);
    }
    let mut now = 60_000;
    for _ in 0..4 {
        let ask = loop {
            match scheduler.next(now) {
                Action::Ask(ask) => break ask,
                Action::Sleep(ms) => now += ms.expect("they go on"),
                Action::Settle { .. } => panic!("an outage of seconds ends no wait"),
            }
        };
        assert_eq!(ask.handles.len(), 50);
        scheduler.replied(&ask, now, |_| Err(error.clone()));
    }
}
