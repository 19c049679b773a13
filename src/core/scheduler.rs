//! All waits of one client: who is asked next, singly or in a batch. Without clock or network, like the waits themselves:
//! [`Scheduler::next`] says what to do, [`Scheduler::replied`] takes what came of it. schedule.md, The rule, 5.

use super::error::Error;
use super::handle::TaskHandle;
use super::poller::{Poller, Route};
use super::reading::lacks_list;
use super::task::{Millis, Task};
use super::time::earlier;

/// A batch names at most so many tasks.
pub const MOST_IN_BATCH: usize = 100;
/// The sum of expected waste is sought this far ahead.
const HORIZON_MS: Millis = 30_000;
/// The shares of their budgets that a batch must be worth. A little more than one: a batch takes along many who would have
/// been asked later anyway.
const WORTH_A_BATCH: f64 = 1.1;

/// Names a wait for as long as it lasts.
pub type WaitId = u32;
/// Names a request for as long as it is under way.
pub type AskId = u32;

/// What is to be done.
#[derive(Debug)]
pub enum Action<G> {
    /// Send this request; its outcome goes to [`Scheduler::replied`].
    Ask(Ask),
    /// This wait is over and forgotten, and so is the request that only it waited for.
    Settle {
        /// Its poller knows how it ended, and may miss the reading that was set aside.
        wait: Box<Wait<G>>,
        /// To be ended: nobody waits for its reply.
        abandoned: Option<AskId>,
    },
    /// Nothing for so many milliseconds; None: nothing until a request comes back or a wait is added.
    Sleep(Option<Millis>),
}

/// One request.
#[derive(Debug)]
pub struct Ask {
    /// Its name.
    pub id: AskId,
    /// How.
    pub route: Route,
    /// For which tasks; one if the route is single.
    pub handles: Vec<TaskHandle>,
}

/// The waits of one client. `G` is what is kept for each beside its state.
#[derive(Debug)]
pub struct Scheduler<G> {
    /// Stalest first: who is asked goes to the end. In boxes, because a list of ten thousand is moved about a lot.
    waits: Vec<Box<Wait<G>>>,
    in_flight: usize,
    /// One batch at a time: what it brings back is what the next need not ask for.
    batch: Option<AskId>,
    most_in_flight: usize,
    /// Whether the gateway may have the list route: until it says otherwise.
    pub lists_work: bool,
    next_id: u32,
}

/// One wait.
#[derive(Debug)]
pub struct Wait<G> {
    /// Its name.
    pub id: WaitId,
    /// Its state.
    pub poller: Poller,
    /// What is kept for it.
    pub guest: G,
    /// The request under way for it.
    ask: Option<AskId>,
}

impl<G> Wait<G> {
    fn is_for(&self, handle: &TaskHandle) -> bool {
        let own = self.poller.handle();
        own.id == handle.id && own.family == handle.family
    }
}

impl<G> Scheduler<G> {
    /// No waits yet. So many requests at once, at most.
    pub fn new(most_in_flight: usize) -> Self {
        Scheduler { waits: Vec::new(), in_flight: 0, batch: None, most_in_flight, lists_work: true, next_id: 0 }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.waits.is_empty()
    }

    /// One more wait, whose name no other has. It shares the request that may be under way for its task.
    pub fn add(&mut self, id: WaitId, guest: G, mut poller: Poller, now: Millis) {
        let own = |wait: &Wait<G>| wait.ask.is_some() && wait.is_for(poller.handle());
        let other = if self.in_flight == 0 { None } else { self.waits.iter().find(|wait| own(wait)) };
        let mut ask = None;
        if let Some(other) = other {
            poller.asked(now, other.poller.asked_by());
            ask = other.ask;
        }
        self.waits.push(Box::new(Wait { id, poller, guest, ask }));
    }

    /// Forgets a wait. The request that nobody waits for any more, if it was the last to wait for one.
    pub fn remove(&mut self, id: WaitId) -> Option<AskId> {
        let place = self.waits.iter().position(|wait| wait.id == id)?;
        let ask = self.waits.remove(place).ask;
        self.abandoned(ask)
    }

    /// The request that a wait was waiting for, if it was the only one.
    fn abandoned(&mut self, ask: Option<AskId>) -> Option<AskId> {
        let ask = ask?;
        if self.waits.iter().any(|wait| wait.ask == Some(ask)) {
            return None;
        }
        self.end(ask);
        Some(ask)
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.waits.len()
    }

    /// The wait, while it lasts.
    pub fn wait(&mut self, id: WaitId) -> Option<&mut Wait<G>> {
        // Who was asked last is at the end, and has news.
        self.waits.iter_mut().rev().find(|wait| wait.id == id).map(|wait| &mut **wait)
    }

    /// A page that becomes visible or comes back online asks for what it may have missed.
    pub fn hurry(&mut self, now: Millis) {
        self.waits.iter_mut().for_each(|wait| wait.poller.hurry(now));
    }

    /// The clock has leapt by so much, which no wait's time limit is to suffer from.
    pub fn extend(&mut self, ms: Millis) {
        self.waits.iter_mut().for_each(|wait| wait.poller.extend(ms));
    }

    /// What to do at this time.
    pub fn next(&mut self, now: Millis) -> Action<G> {
        if let Some(settled) = self.settled(now) {
            return settled;
        }
        if self.in_flight < self.most_in_flight {
            let grouped = self.is_grouped();
            if grouped && self.batch.is_none() {
                let company = self.company(now);
                let is_worth_it = self.waste(&company, now) >= WORTH_A_BATCH;
                if is_worth_it || company.iter().any(|&at| self.is_due(at, now, grouped)) {
                    return Action::Ask(self.batch(company, now));
                }
            }
            let alone = (0..self.waits.len())
                .find(|&at| !(grouped && self.waits[at].poller.may_list()) && self.is_due(at, now, false));
            if let Some(at) = alone {
                return Action::Ask(self.single(at, now));
            }
        }
        Action::Sleep(self.until_next(now))
    }

    /// The outcome of a request. `read` finds a task in the reply. Who has news is named.
    pub fn replied(
        &mut self,
        ask: &Ask,
        now: Millis,
        mut read: impl FnMut(&mut Wait<G>) -> Result<Option<Task>, Error>,
    ) -> Vec<WaitId> {
        self.end(ask.id);
        let (mut news, mut jitter) = (Vec::new(), None);
        for wait in self.waits.iter_mut().filter(|wait| wait.ask == Some(ask.id)) {
            wait.ask = None;
            // Those who fail together come back together: in one request, not in as many as there are waits.
            wait.poller.jitter = *jitter.get_or_insert(wait.poller.jitter);
            let reply = read(wait);
            if let Err(error) = &reply {
                self.lists_work &= ask.route == Route::Single || !lacks_list(error);
            }
            if wait.poller.handle_reply(now, reply) {
                news.push(wait.id);
            }
        }
        news
    }

    /// A wait that is over, taken out.
    fn settled(&mut self, now: Millis) -> Option<Action<G>> {
        for at in 0..self.waits.len() {
            let wait = &mut self.waits[at];
            if wait.ask.is_some() && wait.poller.gives_up_at().is_some_and(|end| now >= end) {
                wait.poller.expire();
            }
            // With a request under way the budget of requests may be used up, and its reply still counts.
            let is_over = if wait.ask.is_some() { wait.poller.is_over() } else { wait.poller.due().is_none() };
            if is_over {
                let wait = self.waits.remove(at);
                let abandoned = self.abandoned(wait.ask);
                return Some(Action::Settle { wait, abandoned });
            }
        }
        None
    }

    /// Two tasks that one batch can serve are company; two waits for one task share its requests anyway.
    fn is_grouped(&self) -> bool {
        let mut listed = self.waits.iter().filter(|wait| wait.poller.may_list());
        let first = listed.next().filter(|_| self.lists_work);
        first.is_some_and(|first| listed.any(|wait| !wait.is_for(first.poller.handle())))
    }

    fn is_due(&mut self, at: usize, now: Millis, in_company: bool) -> bool {
        let wait = &mut self.waits[at];
        // Of a wait with a request under way the budget of requests may be used up, and `due` would end it.
        if wait.ask.is_some() {
            return false;
        }
        let due = if in_company { wait.poller.due_in_company() } else { wait.poller.due() };
        due.is_some_and(|due| due <= now)
    }

    /// The stalest waits that one batch may ask for: those that are due, and those whom the schedule lets go along.
    fn company(&mut self, now: Millis) -> Vec<usize> {
        let mut company = Vec::new();
        for at in 0..self.waits.len() {
            if self.waits[at].ask.is_some() || !self.waits[at].poller.may_list() {
                continue;
            }
            // Who is due comes first, whatever is expected of it: its deadline may have come.
            let due = self.is_due(at, now, true).then_some(f64::INFINITY);
            if let Some(waste) = due.or_else(|| self.waits[at].poller.waste(now)) {
                company.push((waste, at));
            }
        }
        stalest(&company)
    }

    /// The expected waste of these waits together, each in shares of its own budget.
    fn waste(&self, company: &[usize], at: Millis) -> f64 {
        let mut shares = 0.0;
        for &place in company {
            let poller = &self.waits[place].poller;
            shares += poller.waste(at).unwrap_or(0.0) / poller.staleness_budget();
        }
        shares
    }

    fn batch(&mut self, company: Vec<usize>, now: Millis) -> Ask {
        let id = self.begin();
        let mut handles: Vec<TaskHandle> = Vec::new();
        for &at in &company {
            let wait = &mut self.waits[at];
            wait.ask = Some(id);
            wait.poller.asked(now, Route::List);
            if !handles.iter().any(|handle| wait.is_for(handle)) {
                handles.push(wait.poller.handle().clone());
            }
        }
        self.move_to_end(id);
        self.batch = Some(id);
        Ask { id, route: Route::List, handles }
    }

    fn single(&mut self, at: usize, now: Millis) -> Ask {
        let id = self.begin();
        let (handle, route) = (self.waits[at].poller.handle().clone(), self.waits[at].poller.route());
        for wait in self.waits.iter_mut().filter(|wait| wait.ask.is_none() && wait.is_for(&handle)) {
            wait.ask = Some(id);
            wait.poller.asked(now, route);
        }
        self.move_to_end(id);
        Ask { id, route, handles: vec![handle] }
    }

    fn begin(&mut self) -> AskId {
        self.in_flight += 1;
        self.next_id += 1;
        self.next_id
    }

    fn end(&mut self, ask: AskId) {
        self.in_flight -= 1;
        self.batch = self.batch.filter(|batch| *batch != ask);
    }

    fn move_to_end(&mut self, ask: AskId) {
        let mut asked = Vec::new();
        for wait in std::mem::take(&mut self.waits) {
            let list = if wait.ask == Some(ask) { &mut asked } else { &mut self.waits };
            list.push(wait);
        }
        self.waits.append(&mut asked);
    }

    /// How long nothing needs doing.
    fn until_next(&mut self, now: Millis) -> Option<Millis> {
        let can_ask = self.in_flight < self.most_in_flight;
        let grouped = self.is_grouped();
        let can_batch = can_ask && grouped && self.batch.is_none();
        let mut next = None;
        for wait in &mut self.waits {
            let at = match wait.ask {
                Some(_) => wait.poller.gives_up_at(),
                None if grouped && wait.poller.may_list() => can_batch.then(|| wait.poller.due_in_company()).flatten(),
                None => can_ask.then(|| wait.poller.due()).flatten(),
            };
            next = earlier(next, at);
        }
        if can_batch {
            next = earlier(next, self.company_due(now));
        }
        next.map(|at| (at - now).max(1))
    }

    /// When the next batch is worth its request.
    fn company_due(&mut self, now: Millis) -> Option<Millis> {
        // Who was asked a moment ago may come along by then.
        let company = self.company(now + HORIZON_MS);
        if self.waste(&company, now + HORIZON_MS) < WORTH_A_BATCH {
            return None;
        }
        let (mut low, mut high) = (now, now + HORIZON_MS);
        while high - low > 50 {
            let middle = (low + high) / 2;
            if self.waste(&company, middle) < WORTH_A_BATCH {
                low = middle;
            } else {
                high = middle;
            }
        }
        Some(high)
    }
}

/// The waits with the most to gain, up to a batch. A bound is sought that so many pass, which needs no sorting.
fn stalest(company: &[(f64, usize)]) -> Vec<usize> {
    let mut least = f64::NEG_INFINITY;
    if company.len() > MOST_IN_BATCH {
        let (mut low, mut high) = (0.0, 100.0);
        for _ in 0..30 {
            let middle = (low + high) / 2.0;
            if company.iter().filter(|(waste, _)| *waste >= middle).count() > MOST_IN_BATCH {
                low = middle;
            } else {
                high = middle;
            }
        }
        least = low;
    }
    let mut stalest = Vec::new();
    for (waste, at) in company {
        if *waste >= least && stalest.len() < MOST_IN_BATCH {
            stalest.push(*at);
        }
    }
    stalest
}
