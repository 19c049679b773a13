//! What each submit sends: one table of its arguments, and the few rules that no table says. protocol.md 1.1 to 1.8, 1.16, 1.19.

use super::error::Error;
use super::fields::{Fields, File, Image};
use super::http::{Body, HttpRequest, ImageData, Part};
use super::json::{Value, Writer};
use super::submit::{Dialect, Speed, Submission};
use super::task::{Family, Kind, TaskHandle};
use super::text;

type Outcome<T> = Result<T, Error>;

/// A submit's name, and its arguments in the order in which they are sent: a mark that [`Sending::take`] knows, the
/// argument's name, `=` and its default, `>` and the name that it is sent under. The order is that of [`Kind`].
const FORMS: [(&str, &str); 10] = [
    ("midjourney.imagine", IMAGINE),
    ("midjourney.video", VIDEO),
    ("midjourney.action", ACTION),
    ("midjourney.modal", "#taskId -prompt *mask>maskBase64"),
    ("midjourney.blend", "[images>base64Array |dimensions |botType {accountFilter"),
    ("midjourney.describe", "@image>base64 .link |botType {accountFilter"),
    ("midjourney.shorten", IMAGINE),
    ("midjourney.edits", "!prompt @image *mask>maskBase64 |botType {accountFilter"),
    ("videos.create", VEO),
    ("videos.remix", "!prompt"),
];
const IMAGINE: &str = "!prompt |botType {accountFilter [images>base64Array";
const VIDEO: &str = "|motion=low -prompt -videoType ?noStorage .action .index .taskId .task_id .image";
const ACTION: &str = "#taskId !customId ?enableRemix ?chooseSameChannel ?noStorage {accountFilter";
/// The model is what the service's own page takes when none is named. Always sent: one gateway refuses a request without.
const VEO: &str = "!prompt -model=veo3-fast -size $seconds [inputReference>input_reference";
/// What every /mj submit takes.
const COMMON: &str = "~state -notifyHook";

const ONE_OF: [(&str, &str, &str); 3] = [
    ("motion", "low high", "must be \"low\" or \"high\""),
    ("botType", "MID_JOURNEY NIJI_JOURNEY", "must be \"MID_JOURNEY\" or \"NIJI_JOURNEY\""),
    ("dimensions", "PORTRAIT SQUARE LANDSCAPE", "must be \"PORTRAIT\", \"SQUARE\" or \"LANDSCAPE\""),
];

/// A submit's name.
pub fn operation(kind: Kind) -> &'static str {
    FORMS[kind as usize].0
}

/// An argument of the tables, taken apart.
struct Argument {
    mark: u8,
    name: &'static str,
    default: Option<&'static str>,
    sent: &'static str,
}

fn arguments(table: &'static str) -> impl Iterator<Item = Argument> {
    text::split(table, " ").map(|argument| {
        let (mark, argument) = argument.split_at(1);
        let (argument, sent) = text::parted(argument, ">");
        let (name, default) = match text::split_once(argument, "=") {
            Some((name, default)) => (name, Some(default)),
            None => (argument, None),
        };
        Argument { mark: mark.as_bytes()[0], name, default, sent: if sent.is_empty() { name } else { sent } }
    })
}

/// Checks a submit's arguments and builds its request.
pub fn submission(kind: Kind, params: &Value, dialect: Dialect, speed: Option<Speed>) -> Outcome<Submission> {
    let (operation, table) = FORMS[kind as usize];
    let is_video = kind.family() == Family::Videos;
    let mut sending = Sending::new(operation, params, kind == Kind::Veo);
    let mut path = String::from("/v1/videos");
    if !is_video {
        let speed = speed.map_or(["", ""], |speed| ["/mj-", speed.as_str()]);
        path = text::concat(&[speed[0], speed[1], "/mj/submit/", kind.as_str()]);
    } else if let Some(speed) = speed {
        let rule = "must be left out: only Midjourney's submits have one";
        sending.fields.note("speed", rule, &Value::Text(speed.as_str().into()));
    }
    let mut model = None;
    if kind == Kind::Remix
        && let Some(mut parent) = sending.parent()
    {
        path = text::concat(&[&path, "/", &parent.id.path_segment(), "/remix"]);
        model = parent.model.take();
    }
    sending.take_all(table);
    match kind {
        Kind::Video => sending.video(dialect),
        Kind::Action => sending.action(),
        Kind::Blend => sending.pictures("images", 2, 5, "must be 2 to 5 pictures"),
        Kind::Veo => {
            let rule = "must be at most two pictures: the first frame and the last";
            sending.pictures("inputReference", 0, 2, rule);
            // It stands second.
            if let Some(Part::Text { value, .. }) = sending.parts.get(1) {
                model = Some(value.clone());
            }
        }
        _ => {}
    }
    let mut state = None;
    if !is_video {
        sending.take_all(COMMON);
        state = sending.common();
    }
    if kind != Kind::Remix {
        sending.extra(table);
    }
    let has_parent =
        matches!(kind, Kind::Action | Kind::Modal | Kind::Remix) || (!is_video && sending.fields.task_id().is_some());
    let request = sending.request(path)?;
    Ok(Submission { kind, request, model, state: state.map(str::to_string), has_parent })
}

/// `POST /mj/submit/upload-discord-images`: pictures in, URLs out. No task.
pub fn upload(params: &Value) -> Outcome<HttpRequest> {
    let mut sending = Sending::new("midjourney.upload", params, false);
    sending.take_all("[images>base64Array");
    sending.pictures("images", 1, usize::MAX, "must be at least one picture");
    sending.request("/mj/submit/upload-discord-images".into())
}

/// A request that is being written: JSON with a gap for each picture's data URI, or a form.
struct Sending<'a> {
    fields: Fields<'a>,
    is_form: bool,
    json: Writer,
    images: Vec<(usize, ImageData)>,
    parts: Vec<Part>,
    files: Vec<Part>,
}

impl<'a> Sending<'a> {
    fn new(operation: &'static str, params: &'a Value<'a>, is_form: bool) -> Self {
        let fields = Fields::new(operation, params);
        if !params.is_object() {
            fields.note("params", "must be an object", params);
        }
        let mut json = Writer::default();
        json.raw("{");
        Sending { fields, is_form, json, images: Vec::new(), parts: Vec::new(), files: Vec::new() }
    }

    fn take_all(&mut self, table: &'static str) {
        arguments(table).for_each(|argument| self.take(&argument));
    }

    fn take(&mut self, argument: &Argument) {
        let (fields, name, sent) = (&self.fields, argument.name, argument.sent);
        let text = match argument.mark {
            // A text that says something; one that must be there; one that may be blank; one of a few; the parent's id.
            b'-' => fields.words(name),
            b'!' => fields.required(name),
            b'~' => fields.text(name),
            b'|' => one_of(fields, name),
            b'#' => fields.required_task_id(),
            // A number or a text; goes out as text, since one gateway refuses anything else.
            b'$' => number(fields, name),
            _ => return self.take_other(argument),
        };
        self.text(sent, text.or(argument.default));
    }

    fn take_other(&mut self, argument: &Argument) {
        let (fields, name, sent) = (&self.fields, argument.name, argument.sent);
        match argument.mark {
            // True or false; an object.
            b'?' => {
                fields.flag(name);
                self.value(sent, fields.get(name));
            }
            b'{' => self.value(sent, fields.object(name)),
            // A picture or its URL; a picture that may be missing; pictures.
            b'@' => match fields.image(name) {
                Some(image) => self.image(sent, image),
                None => fields.wrong(name, "must be there"),
            },
            b'*' => {
                if let Some(file) = fields.image_data(name) {
                    self.file(sent, file);
                }
            }
            b'[' => self.file_list(sent, fields.images_data(name)),
            // Sent by a rule that no table says.
            _ => {}
        }
    }

    fn value(&mut self, name: &str, value: &Value) {
        if !value.is_null() {
            self.json.key(name).value(value);
        }
    }

    fn text(&mut self, name: &str, value: Option<&str>) {
        match value {
            None => {}
            Some(value) if self.is_form => self.parts.push(Part::Text { name: name.into(), value: value.into() }),
            Some(value) => self.json.key(name).string(value),
        }
    }

    fn file(&mut self, name: &str, file: File) {
        self.json.key(name);
        self.gap(file);
    }

    fn file_list(&mut self, name: &'static str, files: Vec<File>) {
        if files.is_empty() {
            return;
        }
        self.json.key(name).raw("[");
        for file in files {
            if self.is_form {
                self.files.push(Part::File { name, filename: file.name, image: file.data });
            } else {
                self.gap(file);
            }
        }
        self.json.close_list();
    }

    /// An empty string whose inside is filled in when the request leaves. Gaps are filled in the order of writing.
    fn gap(&mut self, file: File) {
        self.json.string("");
        self.images.push((self.json.position() - 1, file.data));
    }

    fn image(&mut self, name: &str, image: Image) {
        match image {
            Image::Data(file) => self.file(name, file),
            Image::Url(url) => self.text(if name == "base64" { "link" } else { name }, Some(&url)),
        }
    }

    fn pictures(&self, name: &str, least: usize, most: usize, rule: &'static str) {
        if !(least..=most).contains(&(self.images.len() + self.files.len())) {
            self.fields.wrong(name, rule);
        }
    }

    /// The task that a remix goes on from.
    fn parent(&self) -> Option<TaskHandle> {
        let value = self.fields.get("handle");
        match TaskHandle::read(value, 0) {
            Ok(parent) if parent.family == Family::Videos => return Some(parent),
            Ok(parent) => {
                let id = Value::Text(parent.id.as_str().into());
                self.fields.note("handle", "must be a task of /v1/videos", &id);
            }
            Err((field, rule)) => self.fields.note(field, rule, value),
        }
        None
    }

    /// How a new video begins: with a picture, or with another one's clip, for which three arguments belong together.
    /// protocol.md 1.3.
    fn video(&mut self, dialect: Dialect) {
        let fields = &self.fields;
        if dialect == Dialect::Snake {
            // That page lists it as required. One is never made up.
            fields.required("prompt");
        }
        let (action, parent, index) = (fields.words("action"), fields.task_id(), fields.get("index"));
        let image = fields.image("image");
        match (action, parent) {
            (None, None) if index.is_null() => {
                if image.is_none() {
                    fields.wrong("image", "must be there, unless action, index and taskId continue a video");
                }
            }
            (Some(action), Some(parent)) if !index.is_null() => {
                let clip = clip(fields, index);
                self.text("action", Some(action));
                match dialect {
                    Dialect::Comet => self.json.key("index").raw(clip),
                    Dialect::Snake => self.text("index", Some(clip)),
                }
                self.text(if dialect == Dialect::Comet { "taskId" } else { "task_id" }, Some(parent));
            }
            (action, _) => {
                let missing = match action {
                    None => "action",
                    Some(_) if index.is_null() => "index",
                    Some(_) => "taskId",
                };
                fields.note(missing, "must be given: action, index and taskId go together", &Value::Null);
            }
        }
        if let Some(image) = image {
            self.image("image", image);
        }
    }

    /// One gateway panics on what is no button's, and a panic leaves doubt. protocol.md 1.4.
    fn action(&self) {
        let value = self.fields.get("customId");
        if text::find(value.letters(), "::").is_none() {
            self.fields.wrong("customId", "must be a button's customId, which contains \"::\"");
        }
    }

    /// The caller's tag, when it and the hook are as the service takes them.
    fn common(&self) -> Option<&'a str> {
        let fields = &self.fields;
        let state = fields.text("state");
        if state.is_some_and(|state| state.encode_utf16().count() > 255) {
            fields.wrong("state", "must have at most 255 UTF-16 units");
        }
        let hook = fields.words("notifyHook");
        if hook.is_some_and(|hook| hook.encode_utf16().count() > 2000 || !super::fields::is_web_url(hook)) {
            fields.wrong("notifyHook", "must be an absolute http(s) URL of at most 2000 characters");
        }
        state
    }

    /// Whatever else the caller wants to send: in a form what can be text.
    fn extra(&mut self, table: &'static str) {
        for (name, value) in self.fields.object("extra").members() {
            let is_own = |table| arguments(table).any(|argument| argument.sent == &**name);
            if is_own(table) || (!self.is_form && is_own(COMMON)) {
                let rule = "must not repeat a field that has its own argument";
                self.fields.note("extra", rule, &Value::Text(name.clone()));
            }
            if !self.is_form {
                self.json.key(name).value(value);
                continue;
            }
            let text = match value {
                Value::Null => None,
                Value::Bool(true) => Some("true"),
                Value::Bool(false) => Some("false"),
                Value::Number(digits) => Some(*digits),
                Value::Text(text) => Some(&**text),
                _ => {
                    let field = text::concat(&["extra.", name]);
                    self.fields.note(&field, "must be a string, a number, true or false", value);
                    None
                }
            };
            self.text(name, text);
        }
    }

    fn request(mut self, path: String) -> Outcome<HttpRequest> {
        self.fields.check()?;
        self.json.close_object();
        self.parts.append(&mut self.files);
        let body = match self.is_form {
            true => Body::Form(self.parts),
            false => Body::Json { text: self.json.finish(), images: self.images },
        };
        Ok(HttpRequest { operation: self.fields.operation, method: "POST", path, body })
    }
}

fn one_of<'a>(fields: &Fields<'a>, name: &str) -> Option<&'a str> {
    let text = fields.text(name);
    for (known, words, rule) in ONE_OF {
        if known == name && text.is_some_and(|text| !text::is_one_of(text, words)) {
            fields.wrong(name, rule);
        }
    }
    text
}

fn number<'a>(fields: &Fields<'a>, name: &str) -> Option<&'a str> {
    let value = fields.get(name);
    if !matches!(value, Value::Null | Value::Number(_) | Value::Text(_)) {
        fields.wrong(name, "must be a number or a string");
    }
    value.written()
}

/// Which of a video task's four clips, counted from zero.
fn clip(fields: &Fields, value: &Value) -> &'static str {
    let clip = match value {
        Value::Number(_) => value.integer().and_then(|clip| usize::try_from(clip).ok()),
        _ => None,
    };
    let digit = clip.and_then(|clip| ["0", "1", "2", "3"].get(clip));
    if digit.is_none() {
        fields.note("index", "must be 0, 1, 2 or 3", value);
    }
    digit.copied().unwrap_or_default()
}
