//! What of a reply goes back. A reading is written anew from the fields that are known, and every id and address in it that
//! is the service's own becomes the gateway's. A reply to a read names no task but those that were asked for: whatever the
//! service says, reading gives nobody a task. Only a submit's reply names new ones.

use crate::core::http::{Content, Reply, begins_tag, content};
use crate::core::json::{self, Value, Writer};
use crate::core::task::{Family, TaskId};
use crate::core::{assets, midjourney, text};

use super::id::{has_room, quoted};
use super::routes::extension;
use super::{Gateway, MARK, Refusal, Route};

/// What the service answered, and to what.
#[derive(Clone, Copy, Debug)]
pub struct Received<'a> {
    /// What was asked for.
    pub route: Route,
    /// The ids that the request named, checked.
    pub asked: &'a [TaskId],
    /// Status and body.
    pub reply: &'a Reply,
}

/// What the caller gets: JSON, or nothing where the service said nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body, with [`MARK`] where a tag goes.
    pub text: String,
    /// The id of each tag, in order.
    pub ids: Vec<TaskId>,
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        Answer { status: refusal.status, text: refusal.body(), ids: Vec::new() }
    }
}

impl Gateway {
    /// Makes the caller's reply of the service's.
    pub fn answer(&self, received: Received) -> Answer {
        self.judge_reply(received).unwrap_or_else(Answer::from)
    }

    fn judge_reply(&self, received: Received) -> Result<Answer, Refusal> {
        let reply = received.reply;
        let status = match reply.status {
            _ if reply.redirected => return Err(redirect()),
            0 | 300..=399 => return Err(redirect()),
            // No host can pass these on.
            1..200 | 600.. => return Err(Refusal::upstream("the service answered with a status that there is not")),
            // These have no body, and the caller's reply has one.
            204 | 205 => 200,
            401 => return self.refused_key(received),
            status => status,
        };
        // Without a code of ours: the client looks for the service's own words.
        let words = |message: &str| Refusal::new(status, "", message);
        match reply.over_cap {
            true if reply.is_ok() => return Err(Refusal::upstream("the service's reply is too large")),
            true => return Err(words("the service's reply is too large")),
            false => {}
        }
        let text = reply.text();
        let body = match content(text) {
            Content::Json(body) => body,
            Content::Empty => return Ok(Answer { status, text: String::new(), ids: Vec::new() }),
            Content::Html if matches!(status, 200..400 | 404 | 405) => {
                return Err(Refusal::upstream("the service answered with a web page: check the gateway's baseUrl"));
            }
            Content::Html => return Err(words("the service answered with a web page")),
            Content::Broken { .. } => return Err(Refusal::upstream("the service's reply cannot be read")),
            Content::Text if reply.is_ok() => return Err(Refusal::upstream("the service's reply is not JSON")),
            Content::Text => return Err(words(&plain(text))),
        };
        self.rewritten(received, status, &body)
    }

    fn rewritten(&self, received: Received, status: u16, body: &Value) -> Result<Answer, Refusal> {
        let mut rewriter = Rewriter { gateway: self, received, ids: Vec::new(), json: Writer::default() };
        rewriter.whole(body)?;
        Ok(Answer { status, text: rewriter.json.finish(), ids: rewriter.ids })
    }

    /// The gateway's own key is refused. The caller has done nothing wrong, and cannot sign in to help it. But a task that the
    /// reply names all the same may be billed, and is his.
    fn refused_key(&self, received: Received) -> Result<Answer, Refusal> {
        let text = received.reply.text();
        if let (true, Content::Json(body)) = (received.route.is_submit(), content(text)) {
            let answer = self.rewritten(received, 403, &body)?;
            if !answer.ids.is_empty() {
                return Ok(answer);
            }
        }
        Err(Refusal::new(403, "upstream_unauthorized", "the service refuses this gateway"))
    }
}

fn redirect() -> Refusal {
    Refusal::upstream("the service answered with a redirect: check the gateway's baseUrl")
}

/// What a member of a reply is, by its name.
enum Meaning {
    /// A task's id.
    Id,
    /// `result`: an id, a seed, URLs or a whole task, by the route.
    Result,
    /// A URL, or something with URLs in it.
    Place,
    /// An object or a list of further members.
    Inside,
    /// A sentence of the service's, which may quote anything.
    Sentence,
    /// A value that passes as it is.
    Plain,
}

/// Fields that the client reads, of all the services that it knows. protocol.md 1.12, 1.17, 1.21. The others stay behind:
/// among them are hooks, hosts and accounts of the operator's.
///
/// A match, and not the lists of words that the client has: this runs for every member of every reply.
fn meaning(name: &str) -> Option<Meaning> {
    Some(match name {
        "result" => Meaning::Result,
        "id" | "task_id" | "taskId" => Meaning::Id,
        "imageUrl" | "imageUrls" | "image_url" | "image_urls" | "cdnImage" | "discordImage" | "videoUrl"
        | "videoUrls" | "video_url" | "video_urls" | "result_url" | "url" | "urls" | "output" | "output_video"
        | "thumbnail" | "videos" | "video" => Meaning::Place,
        "data" | "error" | "errors" | "properties" | "metadata" | "buttons" | "content" | "task_result" => {
            Meaning::Inside
        }
        "description" | "message" | "msg" | "detail" | "err" | "error_msg" | "failReason" | "fail_reason"
        | "task_status_msg" | "bannedWord" => Meaning::Sentence,
        "code" | "type" | "status" | "task_status" | "progress" | "action" | "object" | "model" | "size"
        | "seconds" | "success" | "param" | "prompt" | "promptEn" | "finalPrompt" | "finalZhPrompt" | "state"
        | "submitTime" | "startTime" | "finishTime" | "submit_time" | "start_time" | "finish_time" | "created_at"
        | "started_at" | "completed_at" | "expires_at" | "numberOfQueues" | "remix" | "customId" | "label"
        | "emoji" | "style" | "botType" | "videoType" | "aspect_ratio" | "resolution" | "duration" | "request_id" => {
            Meaning::Plain
        }
        _ => return None,
    })
}

struct Rewriter<'a> {
    gateway: &'a Gateway,
    received: Received<'a>,
    ids: Vec<TaskId>,
    json: Writer,
}

type Written = Result<(), Refusal>;

impl Rewriter<'_> {
    fn whole(&mut self, body: &Value) -> Written {
        match body {
            Value::List(rows) if self.is_reading() => self.rows(rows),
            Value::Text(words) => {
                self.sentence(words);
                Ok(())
            }
            body => self.inside(body),
        }
    }

    fn is_reading(&self) -> bool {
        matches!(self.received.route, Route::Task(_) | Route::Tasks)
    }

    /// The row's task, when it is one that was asked for. A row without a name is the only one's that was.
    fn owner(&self, row: &Value) -> Option<TaskId> {
        match (TaskId::read(row.get("id")), self.received.asked) {
            (Some(id), asked) => asked.contains(&id).then_some(id),
            (None, [only]) if self.received.route != Route::Tasks => Some(only.clone()),
            (None, _) => None,
        }
    }

    /// A list's rows that were asked for. The others are somebody else's.
    fn rows(&mut self, rows: &[Value]) -> Written {
        self.json.raw("[");
        for row in rows {
            let Some(id) = self.owner(row) else { continue };
            let own = [id];
            let received = Received { asked: &own, ..self.received };
            let json = std::mem::take(&mut self.json);
            let mut one = Rewriter { gateway: self.gateway, received, ids: std::mem::take(&mut self.ids), json };
            let written = one.inside(row);
            (self.json, self.ids) = (one.json, one.ids);
            written?;
        }
        self.json.close_list();
        Ok(())
    }

    fn inside(&mut self, value: &Value) -> Written {
        match value {
            Value::Object(members) => {
                self.json.raw("{");
                for (name, value) in members {
                    self.member(name, value)?;
                }
                self.json.close_object();
            }
            Value::List(items) => {
                self.json.raw("[");
                for item in items {
                    self.inside(item)?;
                }
                self.json.close_list();
            }
            Value::Text(words) => self.sentence(words),
            plain => self.json.value(plain),
        }
        Ok(())
    }

    fn member(&mut self, name: &str, value: &Value) -> Written {
        let Some(meaning) = meaning(name) else { return Ok(()) };
        if let (Meaning::Id, false) = (&meaning, self.received.route.is_submit()) {
            return self.asked_id(name, value);
        }
        self.json.key(name);
        match (meaning, value) {
            (Meaning::Id, Value::Text(_) | Value::Number(_)) => self.new_ids(value),
            (Meaning::Result, Value::Text(_) | Value::Number(_)) => self.result(value),
            (Meaning::Result, Value::List(_)) if self.makes_midjourney() => self.new_ids(value),
            (Meaning::Result, Value::List(_)) | (Meaning::Place, _) => self.places(value),
            // A list of tasks in its wrapper.
            (Meaning::Inside, Value::List(rows)) if name == "data" && self.is_reading() => self.rows(rows),
            (Meaning::Sentence, Value::Text(words)) => {
                self.sentence(words);
                Ok(())
            }
            (Meaning::Plain | Meaning::Id, Value::Object(_) | Value::List(_)) => {
                self.json.raw("null");
                Ok(())
            }
            (Meaning::Plain, value) => {
                self.json.value(value);
                Ok(())
            }
            (_, value) => self.inside(value),
        }
    }

    /// In a reading there is one id, the one that was asked for; a row of a list has it, too.
    fn asked_id(&mut self, name: &str, value: &Value) -> Written {
        if let ([id], false) = (self.received.asked, value.is_null()) {
            let id = id.clone();
            self.json.key(name);
            return self.id(id);
        }
        Ok(())
    }

    fn makes_midjourney(&self) -> bool {
        matches!(self.received.route, Route::Submit(kind) if kind.family() == Family::Midjourney)
    }

    fn result(&mut self, value: &Value) -> Written {
        if matches!(self.received.route, Route::Submit(_)) {
            return self.new_ids(value);
        }
        match value {
            Value::Text(words) => self.sentence(words),
            digits => self.json.value(digits),
        }
        Ok(())
    }

    /// An id, or several; anything else is none.
    fn new_ids(&mut self, value: &Value) -> Written {
        let mut whole = String::new();
        for id in midjourney::ids_in(value) {
            let quoted = self.marked(id)?;
            let inner = &quoted[1..quoted.len() - 1];
            whole = if whole.is_empty() { inner.into() } else { text::concat(&[&whole, ",", inner]) };
        }
        let json = if whole.is_empty() { "null".into() } else { text::concat(&["\"", &whole, "\""]) };
        self.json.raw(&json);
        Ok(())
    }

    fn id(&mut self, id: TaskId) -> Written {
        let quoted = self.marked(id)?;
        self.json.raw(&quoted);
        Ok(())
    }

    fn marked(&mut self, id: TaskId) -> Result<String, Refusal> {
        if !has_room(&id) {
            return Err(Refusal::upstream("the service's id is too long to be signed"));
        }
        let quoted = quoted(&id);
        self.ids.push(id);
        Ok(quoted)
    }

    fn sentence(&mut self, words: &str) {
        if assets::WebUrl::parse(words).is_some() {
            return self.place(words);
        }
        self.json.string(&plain(words));
    }

    /// Texts are URLs here, alone, in lists, in objects, or as JSON in a text.
    fn places(&mut self, value: &Value) -> Written {
        match value {
            Value::Text(words) if matches!(words.trim().as_bytes().first(), Some(b'[' | b'{')) => {
                match json::parse(words.trim()) {
                    Ok(inner @ (Value::List(_) | Value::Object(_))) => self.places(&inner),
                    _ => self.places(&Value::Null),
                }
            }
            Value::Text(words) => {
                self.place(words.trim());
                Ok(())
            }
            Value::List(items) => {
                self.json.raw("[");
                for item in items {
                    self.places(item)?;
                }
                self.json.close_list();
                Ok(())
            }
            value => self.inside(value),
        }
    }

    fn place(&mut self, url: &str) {
        match assets::absolute(url, &self.gateway.base_url) {
            Some(url) => match self.own_place(&url) {
                Some(own) => self.json.raw(&own),
                None => self.json.string(&url),
            },
            None => self.json.string(&plain(url)),
        }
    }

    /// The gateway's own place for an address at the service that names the task, as JSON. It starts with the mount point:
    /// under which name the page knows this host, only the page knows.
    fn own_place(&mut self, url: &str) -> Option<String> {
        let path = assets::path_at(url, &self.gateway.base_url)?;
        let (start, rest, end) = match self.received.route.family() {
            Family::Midjourney => ("/mj/image/", path.strip_prefix("/mj/image/")?, extension(path)),
            Family::Videos => ("/v1/videos/", path.strip_prefix("/v1/videos/")?, "/content"),
        };
        let named = TaskId::new(&super::routes::decode(rest.strip_suffix(end)?)?)?;
        let new = self.ids.first().filter(|_| self.received.route.is_submit());
        let mut known = self.received.asked.iter().chain(new);
        // A video's content may stand under another name of the same task; the task's own name leads there, too.
        let is_content = self.received.route.family() == Family::Videos;
        let id = known.find(|id| is_content || **id == named)?.clone();
        if !has_room(&id) {
            return None;
        }
        let rand = text::split_once(url, "?rand=").map(|(_, value)| value).filter(|value| {
            !value.is_empty() && value.len() <= 40 && value.bytes().all(|byte| byte.is_ascii_alphanumeric())
        });
        let query = rand.map(|rand| text::concat(&["?rand=", rand])).unwrap_or_default();
        let place = [&*self.gateway.base_path, start, &id.path_segment(), ".", MARK, end, &query];
        self.ids.push(id);
        Some(text::concat(&["\"", &text::concat(&place), "\""]))
    }
}

/// The service's words without tags, and not without end.
fn plain(words: &str) -> String {
    const MOST: usize = 1_000;
    let mut plain = String::new();
    let mut in_tag = false;
    let mut letters = words.chars().take(4 * MOST).peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '<' if begins_tag(letters.peek()) => in_tag = true,
            '>' if in_tag => in_tag = false,
            _ if in_tag => {}
            _ => plain.push(letter),
        }
        if plain.len() >= MOST {
            // Half a word might be half a key, in which nobody would find the key. A key has no letters but these.
            plain.truncate(plain.rfind(|letter: char| !letter.is_ascii_graphic()).unwrap_or(0));
            break;
        }
    }
    plain
}
