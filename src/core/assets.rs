//! Result URLs: which of a reply's many fields hold them, which may be shown, and when they expire.
//! protocol.md 2 (Video/asset URL harvest) and 1.24.

use super::json::{self, Value};
use super::task::Millis;
use super::text;
use super::time;

/// A parsed `http(s)` URL. Anything a browser would read otherwise than this does is no URL at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebUrl<'a> {
    /// Scheme and authority, e.g. `https://h.test:8443`.
    pub origin: &'a str,
    /// From the first slash on, without query and fragment.
    pub path: &'a str,
    /// Between `?` and `#`.
    pub query: &'a str,
}

impl<'a> WebUrl<'a> {
    /// None unless the scheme is http or https, with a sound host, no user name, and no control character or backslash.
    pub fn parse(url: &'a str) -> Option<Self> {
        if url.contains(|letter: char| letter.is_control() || letter == '\\') {
            return None;
        }
        let scheme = ["https://", "http://"]
            .into_iter()
            .find(|scheme| url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))?;
        let rest = &url[scheme.len()..];
        let plain = text::before(rest, "#");
        let (place, query) = text::parted(plain, "?");
        let authority = text::before(place, "/");
        let path = &place[authority.len()..];
        is_authority(authority).then_some(WebUrl { origin: &url[..scheme.len() + authority.len()], path, query })
    }

    fn parameters(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        text::split(self.query, "&").filter_map(|pair| text::split_once(pair, "="))
    }

    fn parameter(self, name: &str) -> Option<&'a str> {
        self.parameters().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// `host`, `host:port`, `[::1]:port`; no user name.
fn is_authority(authority: &str) -> bool {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_');
    // Beyond ASCII the browser decides: it knows which letters a name may have, and that takes tables.
    let plain = |letter: char| is_plain(letter) || (!letter.is_ascii() && !letter.is_whitespace());
    let is_port = |port: &str| port.is_empty() || text::number(port, 10).is_some_and(|port| port <= 0xFFFF);
    if let Some(literal) = authority.strip_prefix("[") {
        let (address, rest) = text::split_once(literal, "]").unwrap_or((literal, "]"));
        return text::is_ipv6(address) && (rest.is_empty() || rest.strip_prefix(":").is_some_and(is_port));
    }
    let (host, port) = text::parted(authority, ":");
    !host.is_empty() && host.chars().all(plain) && is_port(port)
}

/// What a reading's URLs come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Harvest {
    /// Pictures, in order.
    pub images: Vec<String>,
    /// Videos, in order.
    pub videos: Vec<String>,
    /// One of them was the content endpoint of the service itself, which needs the key.
    pub content: bool,
}

const VIDEO_FIELDS: &str = "videoUrls video_urls videoUrl video_url";
const IMAGE_FIELDS: &str = "imageUrls image_urls imageUrl image_url cdnImage discordImage";
/// Where relays keep a video's URL. Those with a `?` do not say what they hold: it is a picture's, unless the task is a video.
/// One gateway's old rows hold the result's URL in the last two, when the task succeeded.
const GENERAL_FIELDS: &str = "metadata.url? result_url? result.video_url url? output_video output? video.url videos \
    task_result.videos content.video_url data? fail_reason? failReason?";

/// Collects the URLs of a task object. `video_task`: its result is a video, so that the general fields name one too.
pub fn harvest(task: &Value, video_task: bool, base_url: &str) -> Harvest {
    let mut found = Harvest::default();
    let mut videos = urls_in(task, VIDEO_FIELDS);
    for field in text::split(GENERAL_FIELDS, " ") {
        match field.strip_suffix("?") {
            Some(field) if video_task => collect(task.at(field), &mut videos),
            Some(_) => {}
            None => collect(task.at(field), &mut videos),
        }
    }
    for url in videos {
        found.add_video(&url, base_url);
    }
    let no_video_yet = found.videos.is_empty() && !found.content;
    for name in text::split(IMAGE_FIELDS, " ") {
        // One backend puts a video's only URL where the picture's would be, and it may have no extension.
        let may_be_video = name == "imageUrl" && video_task && no_video_yet;
        for url in urls_in(task, name) {
            match extension(&url) {
                Extension::Video => found.add_video(&url, base_url),
                Extension::None if may_be_video => found.add_video(&url, base_url),
                _ => add(&mut found.images, &url, base_url),
            }
        }
    }
    found
}

fn urls_in(task: &Value, fields: &str) -> Vec<String> {
    let mut urls = Vec::new();
    text::split(fields, " ").for_each(|field| collect(task.get(field), &mut urls));
    urls
}

/// Whether a video's own fields name one.
pub fn names_video(task: &Value, base_url: &str) -> bool {
    urls_in(task, VIDEO_FIELDS).iter().any(|url| absolute(url, base_url).is_some())
}

/// No task has more results, and no service writes longer URLs. Each is compared with all others, and whoever knows a hook's
/// address may post thirty megabytes of them.
const MOST_URLS: usize = 100;
const LONGEST_URL: usize = 16 * 1024;

/// The texts of a field that is a URL, an object with one, a list of either, or any of these as JSON in a string.
pub fn collect(value: &Value, urls: &mut Vec<String>) {
    let mut add = |url: &str| {
        if urls.len() < MOST_URLS && url.len() <= LONGEST_URL {
            urls.push(url.into());
        }
    };
    match value {
        Value::Text(text) => {
            let text = text.trim();
            match text.as_bytes().first() {
                Some(b'[' | b'{') => {
                    if let Ok(inner @ (Value::List(_) | Value::Object(_))) = json::parse(text) {
                        collect(&inner, urls);
                    }
                }
                Some(_) => add(text),
                None => {}
            }
        }
        Value::List(items) => items.iter().for_each(|item| collect(item, urls)),
        Value::Object(_) => {
            if let Some(url) = value.first_words("url videoUrl video_url") {
                add(url);
            }
        }
        _ => {}
    }
}

impl Harvest {
    fn add_video(&mut self, url: &str, base_url: &str) {
        let Some(url) = absolute(url, base_url) else { return };
        if is_content_route(&url, base_url) {
            self.content = true;
        } else {
            push_new(&mut self.videos, url);
        }
    }
}

fn add(urls: &mut Vec<String>, url: &str, base_url: &str) {
    if let Some(url) = absolute(url, base_url) {
        push_new(urls, url);
    }
}

/// Two URLs that differ in `rand` alone are one: the gateway makes that up anew for each reply.
fn push_new(urls: &mut Vec<String>, url: String) {
    let known = urls.iter().any(|other| without_rand(other) == without_rand(&url));
    if !known {
        urls.push(url);
    }
}

fn without_rand(url: &str) -> String {
    let (start, query) = text::parted(url, "?");
    let mut kept = text::concat(&[start, "?"]);
    for pair in text::split(query, "&") {
        if !pair.is_empty() && !pair.starts_with("rand=") {
            kept.push('&');
            kept.push_str(pair);
        }
    }
    kept
}

/// A URL as it may be shown: http(s) only; a path is taken to be on the service's own origin.
pub fn absolute(url: &str, base_url: &str) -> Option<String> {
    if url.starts_with("/") && !url.starts_with("//") {
        let joined = text::concat(&[WebUrl::parse(base_url)?.origin, url]);
        return WebUrl::parse(&joined).is_some().then_some(joined);
    }
    WebUrl::parse(url).map(|_| url.into())
}

/// `/v1/videos/{id}/content` of the service itself.
fn is_content_route(url: &str, base_url: &str) -> bool {
    let (Some(url), Some(base)) = (WebUrl::parse(url), WebUrl::parse(base_url)) else { return false };
    let inside = text::split_once(url.path, "/v1/videos/").and_then(|(_, rest)| rest.strip_suffix("/content"));
    without_port(url.origin).eq_ignore_ascii_case(without_port(base.origin))
        && inside.is_some_and(|id| !id.is_empty() && text::find(id, "/").is_none())
}

/// The path of a URL below the service's base; None when it is elsewhere.
pub fn path_at<'a>(url: &'a str, base_url: &str) -> Option<&'a str> {
    let (url, base) = (WebUrl::parse(url)?, WebUrl::parse(base_url)?);
    let same = without_port(url.origin).eq_ignore_ascii_case(without_port(base.origin));
    url.path.strip_prefix(base.path).filter(|_| same)
}

/// An origin without the port that its scheme has anyway.
fn without_port(origin: &str) -> &str {
    let port = if origin.as_bytes().get(4) == Some(&b':') { ":80" } else { ":443" };
    origin.strip_suffix(port).unwrap_or(origin)
}

#[derive(PartialEq, Eq)]
enum Extension {
    Video,
    Picture,
    None,
}

fn extension(url: &str) -> Extension {
    let path = text::before(text::before(url, "#"), "?").to_ascii_lowercase();
    let ends = |extensions| text::split(extensions, " ").any(|extension| path.ends_with(extension));
    if ends(".mp4 .webm .mov") {
        Extension::Video
    } else if ends(".png .jpg .jpeg .webp .gif .avif") {
        Extension::Picture
    } else {
        Extension::None
    }
}

/// The earliest expiry that the URLs name themselves.
pub fn expires_at(urls: &[String]) -> Option<Millis> {
    urls.iter().fold(None, |first, url| time::earlier(first, url_expiry(url)))
}

/// When a signed URL stops working, by the parameters of its family; the earliest where there are several.
pub fn url_expiry(url: &str) -> Option<Millis> {
    let url = WebUrl::parse(url)?;
    let after = |date: Option<Millis>, seconds: Option<i64>| date?.checked_add(text::times(seconds?, 1000)?);
    let mut first = None;
    for family in text::split("X-Amz- X-Goog- x-oss-", " ") {
        let date = url.parameter(&text::concat(&[family, "Date"])).and_then(time::iso_date);
        let seconds = url.parameter(&text::concat(&[family, "Expires"])).and_then(text::integer);
        first = time::earlier(first, after(date, seconds));
    }
    // Discord: seconds in eight hexadecimal digits. Others may call anything "ex".
    let discord =
        url.parameter("ex").filter(|expires| expires.len() == 8).and_then(|expires| text::number(expires, 16));
    // Before 2001 nothing was signed: a small number is something else.
    for seconds in [discord, url.parameter("Expires").and_then(text::integer)] {
        first = time::earlier(first, after(Some(0), seconds.filter(|seconds| *seconds > 1_000_000_000)));
    }
    // The colons of an Azure time are escaped, and an escape has digits of its own.
    let mut pieces = text::split(url.parameter("se").unwrap_or_default(), "%");
    let mut date = String::from(pieces.next().unwrap_or_default());
    pieces.for_each(|piece| date.push_str(piece.get(2..).unwrap_or_default()));
    time::earlier(first, time::iso_date(&date))
}
