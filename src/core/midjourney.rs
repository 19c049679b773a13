//! `/mj`: what each submit sends, and what its reply says. protocol.md 1.1 to 1.14.

use super::classify::{Judge, Purpose, Words, is_queue_full, service_code};
use super::error::{Code, Error, Resend};
use super::fields::{Fields, File, Image};
use super::http::{Body, HttpRequest, ImageData, Reply};
use super::json::{Value, Writer};
use super::submit::{Dialect, Submission};
use super::task::{Kind, Millis, TaskHandle, TaskId};
use super::text;

type Outcome<T> = Result<T, Error>;

/// Builds a JSON body, leaving a gap for each picture's data URI.
#[derive(Default)]
struct JsonBody {
    json: Writer,
    images: Vec<(usize, ImageData)>,
}

impl JsonBody {
    fn text(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.json.key(name).string(value);
        }
    }

    fn flag(&mut self, name: &str, value: Option<bool>) {
        if let Some(value) = value {
            self.json.key(name).boolean(value);
        }
    }

    fn object(&mut self, name: &str, value: &Value) {
        if !value.is_null() {
            self.json.key(name).value(value);
        }
    }

    fn data(&mut self, name: &str, file: Option<File>) {
        if let Some(file) = file {
            self.json.key(name);
            self.gap(file);
        }
    }

    fn data_list(&mut self, name: &str, files: Vec<File>) {
        if files.is_empty() {
            return;
        }
        self.json.key(name).raw("[");
        for file in files {
            self.gap(file);
        }
        self.json.close_list();
    }

    /// An empty string whose inside is filled in when the request leaves.
    fn gap(&mut self, file: File) {
        self.json.string("");
        self.images.push((self.json.position() - 1, file.data));
    }
}

/// The arguments that every /mj submit takes.
struct Common<'a> {
    state: Option<&'a str>,
    notify_hook: Option<&'a str>,
    extra: &'a Value<'a>,
}

impl<'a> Common<'a> {
    fn read(fields: &Fields<'a>) -> Outcome<Self> {
        let state = fields.text("state")?;
        if state.is_some_and(|state| state.encode_utf16().count() > 255) {
            return Err(fields.error("state", "must have at most 255 UTF-16 units", fields.get("state")));
        }
        let notify_hook = fields.words("notifyHook")?;
        if notify_hook.is_some_and(|hook| hook.encode_utf16().count() > 2000 || !super::fields::is_web_url(hook)) {
            let rule = "must be an absolute http(s) URL of at most 2000 characters";
            return Err(fields.error("notifyHook", rule, fields.get("notifyHook")));
        }
        Ok(Common { state, notify_hook, extra: fields.object("extra")? })
    }

    fn write(&self, fields: &Fields, body: &mut JsonBody, own: &[&str]) -> Outcome<()> {
        body.text("state", self.state);
        body.text("notifyHook", self.notify_hook);
        for (name, value) in self.extra.members() {
            if own.contains(&&**name) || matches!(&**name, "state" | "notifyHook") {
                return Err(fields.error(
                    "extra",
                    "must not repeat a field that has its own argument",
                    &Value::Text(name.clone()),
                ));
            }
            body.json.key(name).value(value);
        }
        Ok(())
    }
}

/// How a new video begins. The three of `Continue` belong together. protocol.md 1.3.
enum VideoSource<'a> {
    Image(Image),
    Continue { action: &'a str, index: ClipIndex, parent: TaskId, image: Option<Image> },
}

/// Which of a video task's four clips, counted from zero.
struct ClipIndex(&'static str);

impl<'a> VideoSource<'a> {
    fn read(fields: &Fields<'a>) -> Outcome<Self> {
        let (action, parent, index) = (fields.words("action")?, fields.task_id()?, fields.get("index"));
        let image = fields.image("image")?;
        match (action, parent, index.is_null()) {
            (None, None, true) => match image {
                Some(image) => Ok(VideoSource::Image(image)),
                None => Err(fields.error(
                    "image",
                    "must be there, unless action, index and taskId continue a video",
                    &Value::Null,
                )),
            },
            (Some(action), Some(parent), false) => {
                Ok(VideoSource::Continue { action, index: ClipIndex::read(fields, index)?, parent, image })
            }
            (action, _, no_index) => {
                let missing = match action {
                    None => "action",
                    Some(_) if no_index => "index",
                    Some(_) => "taskId",
                };
                Err(fields.error(missing, "must be given: action, index and taskId go together", &Value::Null))
            }
        }
    }
}

impl ClipIndex {
    fn read(fields: &Fields, value: &Value) -> Outcome<Self> {
        let index = match value {
            Value::Number(_) => value.integer().and_then(|index| usize::try_from(index).ok()),
            _ => None,
        };
        let digit = index.and_then(|index| ["0", "1", "2", "3"].get(index));
        digit.map(|digit| ClipIndex(digit)).ok_or_else(|| fields.error("index", "must be 0, 1, 2 or 3", value))
    }
}

/// Checks a submit's arguments and builds its request.
pub fn submission(kind: Kind, params: &Value, dialect: Dialect) -> Outcome<Submission> {
    let (operation, path) = route(kind);
    let fields = Fields::new(operation, params)?;
    let common = Common::read(&fields)?;
    let mut body = JsonBody::default();
    body.json.raw("{");
    let own = match kind {
        Kind::Video => video(&fields, &mut body, dialect)?,
        Kind::Action => action(&fields, &mut body)?,
        Kind::Modal => modal(&fields, &mut body)?,
        Kind::Blend => blend(&fields, &mut body)?,
        Kind::Describe => describe(&fields, &mut body)?,
        Kind::Edits => edits(&fields, &mut body)?,
        _ => imagine(&fields, &mut body)?,
    };
    common.write(&fields, &mut body, own)?;
    body.json.close_object();
    let request = HttpRequest {
        operation,
        method: "POST",
        path: path.into(),
        body: Body::Json { text: body.json.finish(), images: body.images },
    };
    let has_parent = matches!(kind, Kind::Action | Kind::Modal) || fields.task_id()?.is_some();
    Ok(Submission { kind, request, model: None, state: common.state.map(str::to_string), has_parent })
}

/// A submit's name and path.
pub fn route(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Video => ("midjourney.video", "/mj/submit/video"),
        Kind::Action => ("midjourney.action", "/mj/submit/action"),
        Kind::Modal => ("midjourney.modal", "/mj/submit/modal"),
        Kind::Blend => ("midjourney.blend", "/mj/submit/blend"),
        Kind::Describe => ("midjourney.describe", "/mj/submit/describe"),
        Kind::Shorten => ("midjourney.shorten", "/mj/submit/shorten"),
        Kind::Edits => ("midjourney.edits", "/mj/submit/edits"),
        _ => ("midjourney.imagine", "/mj/submit/imagine"),
    }
}

/// Each of these writes its own fields, and says which names they take up.
type OwnNames = &'static [&'static str];

fn imagine(fields: &Fields, body: &mut JsonBody) -> Outcome<OwnNames> {
    body.text("prompt", Some(fields.required("prompt")?));
    bot_and_filter(fields, body)?;
    body.data_list("base64Array", fields.images_data("images")?);
    Ok(&["prompt", "botType", "accountFilter", "base64Array"])
}

fn video(fields: &Fields, body: &mut JsonBody, dialect: Dialect) -> Outcome<OwnNames> {
    let motion = fields.one_of("motion", &["low", "high"], "must be \"low\" or \"high\"")?;
    body.text("motion", Some(motion.unwrap_or("low")));
    let prompt = match dialect {
        Dialect::Comet => fields.words("prompt")?,
        // That page lists it as required. One is never made up.
        Dialect::Snake => Some(fields.required("prompt")?),
    };
    body.text("prompt", prompt);
    body.text("videoType", fields.words("videoType")?);
    body.flag("noStorage", fields.flag("noStorage")?);
    let image = match VideoSource::read(fields)? {
        VideoSource::Image(image) => Some(image),
        VideoSource::Continue { action, index, parent, image } => {
            body.text("action", Some(action));
            match dialect {
                Dialect::Comet => {
                    body.json.key("index").raw(index.0);
                    body.text("taskId", Some(parent.as_str()));
                }
                Dialect::Snake => {
                    body.text("index", Some(index.0));
                    body.text("task_id", Some(parent.as_str()));
                }
            }
            image
        }
    };
    image_or_url(body, "image", "image", image);
    Ok(&["motion", "prompt", "videoType", "noStorage", "action", "index", "taskId", "task_id", "image"])
}

fn action(fields: &Fields, body: &mut JsonBody) -> Outcome<OwnNames> {
    body.text("taskId", Some(fields.required_task_id()?.as_str()));
    let custom_id = fields.required("customId")?;
    if text::find(custom_id, "::").is_none() {
        // One gateway panics on these, and a panic leaves doubt. protocol.md 1.4.
        return Err(fields.error(
            "customId",
            "must be a button's customId, which contains \"::\"",
            fields.get("customId"),
        ));
    }
    body.text("customId", Some(custom_id));
    for name in ["enableRemix", "chooseSameChannel", "noStorage"] {
        body.flag(name, fields.flag(name)?);
    }
    body.object("accountFilter", fields.object("accountFilter")?);
    Ok(&["taskId", "customId", "enableRemix", "chooseSameChannel", "noStorage", "accountFilter"])
}

fn modal(fields: &Fields, body: &mut JsonBody) -> Outcome<OwnNames> {
    body.text("taskId", Some(fields.required_task_id()?.as_str()));
    body.text("prompt", fields.words("prompt")?);
    body.data("maskBase64", fields.image_data("mask")?);
    Ok(&["taskId", "prompt", "maskBase64"])
}

fn blend(fields: &Fields, body: &mut JsonBody) -> Outcome<OwnNames> {
    let images = fields.images_data("images")?;
    if !(2..=5).contains(&images.len()) {
        return Err(fields.error("images", "must be 2 to 5 pictures", fields.get("images")));
    }
    body.data_list("base64Array", images);
    let words = ["PORTRAIT", "SQUARE", "LANDSCAPE"];
    body.text("dimensions", fields.one_of("dimensions", &words, "must be \"PORTRAIT\", \"SQUARE\" or \"LANDSCAPE\"")?);
    bot_and_filter(fields, body)?;
    Ok(&["base64Array", "dimensions", "botType", "accountFilter"])
}

fn describe(fields: &Fields, body: &mut JsonBody) -> Outcome<OwnNames> {
    let image = required_image(fields)?;
    image_or_url(body, "base64", "link", Some(image));
    bot_and_filter(fields, body)?;
    Ok(&["base64", "link", "botType", "accountFilter"])
}

fn edits(fields: &Fields, body: &mut JsonBody) -> Outcome<OwnNames> {
    body.text("prompt", Some(fields.required("prompt")?));
    let image = required_image(fields)?;
    // The mask may not stand before the image: gaps are filled in the order in which they are written.
    image_or_url(body, "image", "image", Some(image));
    body.data("maskBase64", fields.image_data("mask")?);
    bot_and_filter(fields, body)?;
    Ok(&["prompt", "image", "maskBase64", "botType", "accountFilter"])
}

fn required_image(fields: &Fields) -> Outcome<Image> {
    fields.image("image")?.ok_or_else(|| fields.error("image", "must be there", &Value::Null))
}

fn image_or_url(body: &mut JsonBody, data_name: &str, url_name: &str, image: Option<Image>) {
    match image {
        None => {}
        Some(Image::Url(url)) => body.text(url_name, Some(&url)),
        Some(Image::Data(file)) => body.data(data_name, Some(file)),
    }
}

fn bot_and_filter(fields: &Fields, body: &mut JsonBody) -> Outcome<()> {
    let rule = "must be \"MID_JOURNEY\" or \"NIJI_JOURNEY\"";
    body.text("botType", fields.one_of("botType", &["MID_JOURNEY", "NIJI_JOURNEY"], rule)?);
    body.object("accountFilter", fields.object("accountFilter")?);
    Ok(())
}

/// `POST /mj/submit/upload-discord-images`: pictures in, URLs out. No task.
pub fn upload(params: &Value) -> Outcome<HttpRequest> {
    let fields = Fields::new("midjourney.upload", params)?;
    let images = fields.images_data("images")?;
    if images.is_empty() {
        return Err(fields.error("images", "must be at least one picture", fields.get("images")));
    }
    let mut body = JsonBody::default();
    body.json.raw("{");
    body.data_list("base64Array", images);
    body.json.close_object();
    Ok(HttpRequest {
        operation: fields.operation,
        method: "POST",
        path: "/mj/submit/upload-discord-images".into(),
        body: Body::Json { text: body.json.finish(), images: body.images },
    })
}

/// The URLs of an upload's reply.
pub fn uploaded(reply: &Reply, now: Millis) -> Outcome<Vec<String>> {
    let (judge, text) = (Judge { operation: "midjourney.upload", purpose: Purpose::Submit, reply, now }, reply.text());
    let body = judge.json(&text)?;
    let mut urls = Vec::new();
    super::assets::collect(body.get("result"), &mut urls);
    urls.retain(|url| super::fields::is_web_url(url));
    if code(&body) == Some(1) && !urls.is_empty() {
        return Ok(urls);
    }
    Err(verdict(&judge, &body, &Words::read(&body, &text), false, false)
        .unwrap_or_else(|| judge.doubtful(Code::Protocol, "the reply names no URL")))
}

/// `GET /mj/task/{id}/image-seed`
pub fn seed(handle: &TaskHandle) -> HttpRequest {
    let path = text::concat(&["/mj/task/", &handle.id.path_segment(), "/image-seed"]);
    HttpRequest::get("midjourney.seed", path)
}

/// The seed in its reply, as digits.
pub fn seeded(reply: &Reply, now: Millis) -> Outcome<String> {
    let (judge, text) = (Judge { operation: "midjourney.seed", purpose: Purpose::Read, reply, now }, reply.text());
    let body = judge.json(&text)?;
    match (code(&body), body.get("result").written()) {
        (Some(1), Some(seed)) => Ok(seed.into()),
        _ => Err(verdict(&judge, &body, &Words::read(&body, &text), true, false)
            .unwrap_or_else(|| judge.doubtful(Code::Protocol, "the reply names no seed"))),
    }
}

/// The envelope's code; `"success"` is 1.
pub fn code(body: &Value) -> Option<i64> {
    match body.get("code") {
        Value::Text(word) if word.eq_ignore_ascii_case("success") => Some(1),
        code => code.integer(),
    }
}

/// The ids of `result`: one, a number or text, or several with commas between.
pub fn result_ids(body: &Value) -> Vec<TaskId> {
    let mut ids = Vec::new();
    let mut add = |id: Option<TaskId>| {
        if let Some(id) = id {
            ids.push(id);
        }
    };
    match body.get("result") {
        Value::Text(texts) => text::split(texts, ",").for_each(|text| add(TaskId::new(text))),
        result => add(TaskId::read(result)),
    }
    ids
}

/// What a 2xx envelope says against the task; None when it says "accepted", for then the result decides, which the caller
/// reads. protocol.md 1.1 and 4, rule 7.
pub fn verdict(judge: &Judge, body: &Value, words: &Words, has_parent: bool, has_id: bool) -> Option<Error> {
    let message = words.message.as_str();
    let mut error = match code(body) {
        _ if matches!(body.get("success"), Value::Bool(false)) => judge.error(Code::Validation, message),
        Some(1 | 21 | 22) => return None,
        None if service_code(body.get("code")).is_none() => judge.doubtful(Code::Protocol, message),
        Some(23) => judge.refused(Code::QueueFull, message, Resend::Backoff),
        Some(9) if is_queue_full(message) => judge.refused(Code::QueueFull, message, Resend::Backoff),
        Some(30) => judge.refused(Code::RateLimited, message, Resend::Backoff),
        Some(24) => judge.error(Code::Moderation, message),
        Some(4 | -1) => judge.error(Code::Validation, message),
        Some(3) if has_parent => judge.error(Code::NotFound, message),
        Some(3) => judge.refused(Code::Unavailable, message, Resend::Never),
        Some(5) => judge.doubtful(Code::Gateway, message),
        Some(9) => judge.error(Code::Rejected, message),
        // Another number, or a word.
        _ => {
            let mut error = judge.error(Code::Rejected, message);
            error.ambiguous = has_id;
            error
        }
    };
    error.service_code = words.code.clone();
    Some(error)
}
