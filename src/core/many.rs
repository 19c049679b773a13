//! One reading of many tasks: which requests it takes, and whose reading belongs where. Midjourney's go by the list route,
//! as many in a request as it takes; the others one by one. protocol.md 1.13.

use super::error::{Code, Error};
use super::http::{HttpRequest, Reply};
use super::json::Writer;
use super::poller::Route;
use super::reading::lacks_list;
use super::task::{Family, Millis, Task, TaskHandle};

/// A list request names at most so many tasks.
const MOST_IN_LIST: usize = 100;

/// A reading in its place: a task, None when the service does not know it, or why there is no reading.
type Outcome = Result<Option<Task>, Error>;

/// The readings that are wanted, and those that have come.
#[derive(Debug)]
pub struct Many {
    handles: Vec<TaskHandle>,
    /// For each place the first place with the same task: that one is asked for.
    firsts: Vec<usize>,
    outcomes: Vec<Option<Outcome>>,
    queue: Vec<Ask>,
    /// So many of the queue have been sent.
    asked: usize,
    lists_work: bool,
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// How.
    pub route: Route,
    /// For the tasks in these places; one if the route is single.
    pub places: Vec<usize>,
}

impl Many {
    /// `lists_work`: whether the gateway may have a list route.
    pub fn new(handles: Vec<TaskHandle>, lists_work: bool) -> Self {
        // Places in the order of what they hold: searched by halves, and a tenth of a map's code.
        let mut sorted: Vec<usize> = Vec::new();
        let (mut firsts, mut outcomes, mut listed) = (Vec::new(), Vec::new(), Vec::new());
        let (mut queue, mut singles) = (Vec::new(), Vec::new());
        let task = |at: usize| (handles[at].family == Family::Videos, handles[at].id.as_str());
        for (at, handle) in handles.iter().enumerate() {
            let first = match sorted.binary_search_by(|&other| task(other).cmp(&task(at))) {
                Ok(place) => sorted[place],
                Err(place) => {
                    sorted.insert(place, at);
                    match handle.family {
                        Family::Midjourney => listed.push(at),
                        Family::Videos => singles.push(Ask::single(at)),
                    }
                    at
                }
            };
            firsts.push(first);
            outcomes.push(None);
        }
        for places in listed.chunks(MOST_IN_LIST) {
            queue.push(Ask { route: Route::List, places: places.to_vec() });
        }
        queue.append(&mut singles);
        Many { firsts, outcomes, queue, asked: 0, lists_work, handles }
    }

    /// The next request to send.
    pub fn next_ask(&mut self) -> Option<Ask> {
        loop {
            let next = self.queue.get_mut(self.asked)?;
            let ask = Ask { route: next.route, places: std::mem::take(&mut next.places) };
            self.asked += 1;
            // One task alone costs one request either way, and its own address is the one that every gateway has.
            if ask.route == Route::Single || (self.lists_work && ask.places.len() > 1) {
                return Some(ask);
            }
            self.ask_singly(&ask.places);
        }
    }

    /// What is sent for it.
    pub fn request(&self, ask: &Ask) -> HttpRequest {
        ask.route.request(ask.places.len(), &|at| &self.handles[ask.places[at]])
    }

    /// What came of it. The error is one that no other request would escape: it ends them all.
    pub fn replied(
        &mut self,
        ask: &Ask,
        reply: Result<&Reply, Error>,
        base_url: &str,
        now: Millis,
    ) -> Result<(), Error> {
        let handle = |at: usize| &self.handles[ask.places[at]];
        let read = reply.and_then(|reply| ask.route.read(ask.places.len(), &handle, reply, base_url, now));
        match read {
            Ok(tasks) => {
                for (&at, task) in ask.places.iter().zip(tasks) {
                    self.outcomes[at] = Some(Ok(task));
                }
            }
            Err(error) if matches!(error.code, Code::Unauthorized | Code::Forbidden) => return Err(error),
            Err(error) if ask.route == Route::Single => {
                let unknown = error.code == Code::NotFound;
                self.outcomes[ask.places[0]] = Some(if unknown { Ok(None) } else { Err(error) });
            }
            Err(error) if lacks_list(&error) || error.code == Code::TooLarge => {
                // Too large is this list alone.
                self.lists_work &= error.code == Code::TooLarge;
                self.ask_singly(&ask.places);
            }
            Err(error) => {
                for &at in &ask.places {
                    self.outcomes[at] = Some(Err(error.clone().with_handle(&self.handles[at])));
                }
            }
        }
        Ok(())
    }

    /// Whether the gateway may still have a list route.
    pub fn lists_work(&self) -> bool {
        self.lists_work
    }

    /// The tasks that were read for these places.
    pub fn tasks(&mut self, ask: &Ask) -> impl Iterator<Item = &mut Task> {
        let places = &ask.places;
        let own = self.outcomes.iter_mut().enumerate().filter(|(at, _)| places.contains(at));
        own.filter_map(|(_, outcome)| outcome.as_mut()?.as_mut().ok()?.as_mut())
    }

    /// For each place the one whose reading stands there.
    pub fn firsts(&self) -> &[usize] {
        &self.firsts
    }

    /// A list with a place for each handle: `null`, `{"task": …}` or `{"error": …}`.
    pub fn write(&self, json: &mut Writer) {
        json.list(|list| {
            for (at, &first) in self.firsts.iter().enumerate() {
                let handle = &self.handles[at];
                match &self.outcomes[first] {
                    Some(Ok(Some(task))) if first == at => list.object(|json| task.write(json.key("task"))),
                    Some(Ok(Some(task))) => {
                        let mut task = task.clone();
                        task.handle = handle.clone();
                        list.object(|json| task.write(json.key("task")));
                    }
                    Some(Err(error)) => {
                        let error = error.clone().with_handle(handle);
                        list.object(|json| error.write(json.key("error")));
                    }
                    _ => list.raw("null"),
                }
            }
        });
    }

    fn ask_singly(&mut self, places: &[usize]) {
        for &place in places {
            self.queue.push(Ask::single(place));
        }
    }
}

impl Ask {
    fn single(place: usize) -> Self {
        Ask { route: Route::Single, places: vec![place] }
    }
}
