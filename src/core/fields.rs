//! A call's arguments, read field by field: what breaks a rule is named, and nothing is sent.
//!
//! Arguments cross from JavaScript as JSON text. A picture's bytes stay behind; in its place stands
//! `{image, type, size, name, head}` or, for a data URI, `{image, uri}`: its place in the caller's list, and what is known of it.

use std::cell::OnceCell;

use super::error::Error;
use super::http::ImageData;
use super::json::{Value, Writer};
use super::keep;
use super::task::TaskId;
use super::text;

/// The arguments of one call, or its options. What breaks a rule is noted, and reads as absent: the first that was noted is the
/// call's error.
#[derive(Debug)]
pub struct Fields<'a> {
    /// The call, for errors.
    pub operation: &'static str,
    object: &'a Value<'a>,
    problem: OnceCell<Error>,
}

impl<'a> Fields<'a> {
    /// The arguments of `operation`.
    pub fn new(operation: &'static str, object: &'a Value<'a>) -> Self {
        Fields { operation, object, problem: OnceCell::new() }
    }

    /// The error, if something has broken a rule until here.
    pub fn check(&mut self) -> Result<(), Error> {
        match self.problem.take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Notes a field that breaks a rule, and its value.
    pub fn note(&self, field: &str, rule: &'static str, got: &Value) {
        self.problem.get_or_init(|| self.error(field, rule, got));
    }

    /// An error that names the field, its value and its rule.
    fn error(&self, field: &str, rule: &'static str, got: &Value) -> Error {
        let mut shown = Writer::default();
        match got {
            Value::Null => shown.raw("nothing"),
            Value::Object(_) => shown.raw(got.get("type").text().unwrap_or("an object")),
            Value::List(items) if items.len() != 1 => {
                shown.raw(&text::concat(&[&text::digits(items.len() as i64), " items"]))
            }
            _ => shown.value(got),
        }
        Error::argument(self.operation, field, rule, &shown.finish())
    }

    /// Notes a field of these.
    pub fn wrong(&self, name: &str, rule: &'static str) {
        self.note(name, rule, self.get(name));
    }

    /// A field as it is; null when it is not there.
    pub fn get(&self, name: &str) -> &'a Value<'a> {
        self.object.get(name)
    }

    /// A text, as it is.
    pub fn text(&self, name: &str) -> Option<&'a str> {
        let value = self.get(name);
        if value.text().is_none() && !value.is_null() {
            self.wrong(name, "must be a string");
        }
        value.text()
    }

    /// A text that says something; blank is as good as absent.
    pub fn words(&self, name: &str) -> Option<&'a str> {
        self.text(name).filter(|text| !text.trim().is_empty())
    }

    /// A text that must be there and say something.
    pub fn required(&self, name: &str) -> Option<&'a str> {
        let words = self.words(name);
        if words.is_none() {
            self.wrong(name, "must be a string that is not blank");
        }
        words
    }

    /// True, false or absent.
    pub fn flag(&self, name: &str) -> Option<bool> {
        match self.get(name) {
            Value::Bool(flag) => return Some(*flag),
            Value::Null => {}
            _ => self.wrong(name, "must be true or false"),
        }
        None
    }

    /// An object, or null when it is absent.
    pub fn object(&self, name: &str) -> &'a Value<'a> {
        let value = self.get(name);
        if !value.is_object() && !value.is_null() {
            self.wrong(name, "must be an object");
        }
        value
    }

    /// The id of another task; `taskId` is also taken as `task_id`, since the service's pages write both.
    pub fn task_id(&self) -> Option<&'a str> {
        let value = self.object.first("taskId task_id", &|value| !value.is_null());
        let id = value.text().and_then(TaskId::sound);
        if id.is_none() && !value.is_null() {
            self.note("taskId", TaskId::RULE, value);
        }
        id
    }

    /// The id of the task that this one goes on from.
    pub fn required_task_id(&self) -> Option<&'a str> {
        let id = self.task_id();
        if id.is_none() {
            self.wrong("taskId", TaskId::RULE);
        }
        id
    }

    /// A picture.
    pub fn image(&self, name: &str) -> Option<Image> {
        match self.get(name) {
            Value::Null => None,
            value => Image::read(self, name, value),
        }
    }

    /// A picture that must be bytes: this route takes no URL.
    pub fn image_data(&self, name: &str) -> Option<File> {
        self.data(name, self.get(name), self.image(name)?)
    }

    /// Pictures that must be bytes: a list, or a single one.
    pub fn images_data(&self, name: &str) -> Vec<File> {
        let value = self.get(name);
        let items = match value {
            Value::Null => &[],
            Value::List(items) => items.as_slice(),
            single => std::slice::from_ref(single),
        };
        let mut files = Vec::new();
        for (at, item) in items.iter().enumerate() {
            let place = text::concat(&[name, "[", &text::digits(at as i64), "]"]);
            let image = Image::read(self, &place, item);
            if let Some(file) = image.and_then(|image| self.data(&place, item, image)) {
                files.push(file);
            }
        }
        files
    }

    fn data(&self, name: &str, value: &Value, image: Image) -> Option<File> {
        match image {
            Image::Data(file) => return Some(file),
            Image::Url(_) => self.note(name, NOT_A_URL, value),
        }
        None
    }
}

const IMAGE_RULE: &str = "must be a picture: a Blob, an ArrayBuffer, a Uint8Array or a base64 data URI, or its http(s) URL where the route takes one";
const NOT_A_URL: &str = "must be the picture itself, since this route takes no URL: await (await fetch(url)).blob()";

/// A picture as a caller gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Image {
    /// Where it is; goes out as it is.
    Url(String),
    /// The picture itself.
    Data(File),
}

/// A picture's bytes: where they are, and what they are called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Place and type.
    pub data: ImageData,
    /// Its name, safe in a header: ASCII letters, digits, `.`, `_` and `-`, at most 64.
    pub name: String,
}

impl Image {
    fn read(fields: &Fields, name: &str, value: &Value) -> Option<Self> {
        let image = Image::of(value);
        if value.get("size").integer() == Some(0) {
            fields.note(name, "must not be an empty picture", value);
        } else if image.is_none() {
            fields.note(name, IMAGE_RULE, value);
        }
        image
    }

    fn of(value: &Value) -> Option<Self> {
        if let Some(url) = value.words() {
            return is_web_url(url).then(|| Image::Url(url.into()));
        }
        let index = usize::try_from(value.get("image").integer()?).ok()?;
        let mime = match value.get("uri").text() {
            Some(uri) => data_uri_type(uri)?,
            None => bytes_type(value)?,
        };
        let name = file_name(value.get("name").letters(), index, mime);
        Some(Image::Data(File { data: ImageData { index, mime: mime.into() }, name }))
    }
}

/// `http://` or `https://`, a host, and nothing that a header or a log would break on.
pub fn is_web_url(url: &str) -> bool {
    super::assets::WebUrl::parse(url).is_some()
}

/// `image/png` of `data:image/png;base64,…`.
fn data_uri_type(uri: &str) -> Option<&str> {
    let scheme = uri.get(..5)?;
    let (head, data) = text::split_once(uri.get(5..)?, ",")?;
    let (mime, _) = text::split_once(head, ";")?;
    let encoding = text::split(head, ";").last()?;
    let sound = scheme.eq_ignore_ascii_case("data:") && encoding.eq_ignore_ascii_case("base64") && !data.is_empty();
    (sound && mime.starts_with("image/")).then_some(mime)
}

/// What the bytes are: the declared type when it is a picture's, else by their first bytes. Bytes that nothing is known of pass as PNG.
fn bytes_type<'a>(value: &'a Value) -> Option<&'a str> {
    let declared = text::before(value.get("type").letters(), ";").trim();
    if declared == "image/jpg" {
        return Some("image/jpeg");
    }
    if declared.starts_with("image/") {
        return Some(declared);
    }
    let head = value.get("head").letters();
    let known = keep::known(head).map(|found| found.mime).filter(|mime| mime.starts_with("image/"));
    let bitmap = head.starts_with("424d").then_some("image/bmp");
    known.or(bitmap).or(matches!(declared, "" | "application/octet-stream").then_some("image/png"))
}

/// One gateway re-emits the file name unescaped inside quotes: only plain ASCII goes out. protocol.md 1.16.
fn file_name(name: &str, index: usize, mime: &str) -> String {
    let safe = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-');
    let mut plain = String::new();
    name.chars().for_each(|letter| plain.push(if safe(letter) { letter } else { '_' }));
    if plain.bytes().any(|byte| byte.is_ascii_alphanumeric()) {
        // The end is kept, because the extension is there.
        return plain.split_off(plain.len().saturating_sub(64));
    }
    let kind = match mime.strip_prefix("image/") {
        Some("svg+xml") => "svg",
        kind => kind.unwrap_or("png"),
    };
    text::concat(&["image-", &text::digits(index as i64 + 1), ".", kind])
}
