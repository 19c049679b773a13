//! What `persist` decides: which files a task has, whose host may be asked, what a reply holds, and what follows a failure.
//! Its streams are JavaScript's (`pkg/src/persist.js`), which asks here with JSON and gets JSON.

use super::assets::WebUrl;
use super::handle::TaskId;
use super::json::{Value, Writer};
use super::task::Millis;
use super::text;
use super::time;

/// So often one file is begun before its failure is the caller's.
const ATTEMPTS: i64 = 4;
/// A host that asks for a longer pause than this gets it from the caller.
const LONGEST_PAUSE_MS: Millis = 60_000;

/// The answer to one question, which names itself in `ask`. `dice` is any number, for jitter.
pub fn answer(question: &Value<'_>, now: Millis, dice: u32) -> String {
    let text = |name| question.get(name).letters();
    let mut json = Writer::default();
    match text("ask") {
        "files" => write_files(&files(question.get("task")), &mut json),
        "host" => json.boolean(is_public(text("host"))),
        "key" => json.boolean(is_safe_key(text("key"))),
        "reply" => {
            let status = question.get("status").integer().unwrap_or_default();
            match judge(text("kind"), status, text("type"), text("head")) {
                Ok(found) => json.object(|json| {
                    let index = text::digits(question.get("index").integer().unwrap_or_default());
                    json.key("contentType").string(found.mime);
                    json.key("key").string(&text::concat(&[&folder(text("id")), "/", &index, ".", found.extension]));
                }),
                Err(code) => json.object(|json| {
                    json.key("code").string(code);
                    if let Some(ms) = time::retry_after(text("retryAfter"), now) {
                        json.key("retryAfterMs").integer(ms);
                    }
                }),
            }
        }
        _ => {
            let attempt = question.get("attempt").integer().unwrap_or(ATTEMPTS);
            let is_fresh = matches!(question.get("isFresh"), Value::Bool(true));
            let pause = question.get("retryAfterMs").integer().unwrap_or_default();
            match after(text("code"), attempt, is_fresh, pause, dice) {
                Next::Reread => json.string("reread"),
                Next::Again(ms) => json.integer(ms),
                Next::Stop => json.raw("null"),
            }
        }
    }
    json.finish()
}

/// A file of a task: a URL, or None for the service's own content endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File<'a> {
    /// Where it is.
    pub url: Option<&'a str>,
    /// `image` or `video`.
    pub kind: &'static str,
}

/// The files of a task, pictures first. A stored task may be anybody's, so what is no http(s) URL is passed over.
pub fn files<'a>(task: &'a Value<'_>) -> Result<Vec<File<'a>>, &'static str> {
    let is_whole = TaskId::read(task.get("handle").get("id")).is_some();
    if !is_whole || task.get("status").text() != Some("succeeded") {
        return Err(if is_whole { "not_ready" } else { "validation" });
    }
    let mut files = Vec::new();
    for (field, kind) in [("images", "image"), ("videos", "video")] {
        for url in task.get(field).items().iter().filter_map(Value::text) {
            if WebUrl::parse(url).is_some() {
                files.push(File { url: Some(url), kind });
            }
        }
    }
    let has_video = files.last().is_some_and(|file: &File| file.kind == "video");
    if !has_video && matches!(task.get("content"), Value::Bool(true)) {
        files.push(File { url: None, kind: "video" });
    }
    if files.is_empty() { Err("no_asset") } else { Ok(files) }
}

fn write_files(files: &Result<Vec<File<'_>>, &str>, json: &mut Writer) {
    match files {
        Err(code) => json.object(|json| json.key("code").string(code)),
        Ok(files) => json.list(|json| {
            for file in files {
                json.object(|json| {
                    json.key("url").string_or_null(file.url);
                    json.key("kind").string(file.kind);
                });
            }
        }),
    }
}

/// Whether a host is one of the internet's, as far as its name says: no private, loopback or link-local address, no name that
/// only a local network knows. `host` is as the URL standard writes it, so that 0x7f.1 has become 127.0.0.1. What a public
/// name resolves to nobody here can see.
pub fn is_public(host: &str) -> bool {
    if let Some(literal) = host.strip_prefix("[") {
        // 2000::/3 is what the internet has, less the prefixes that carry any IPv4 address in them.
        let mut groups = text::split(literal, ":").map(|group| text::number(group, 16));
        let (first, second) = (groups.next().flatten().unwrap_or(0), groups.next().flatten().unwrap_or(0));
        return first >> 13 == 1 && first != 0x2002 && (first, second) != (0x2001, 0);
    }
    let name = host.strip_suffix(".").unwrap_or(host);
    let end = text::split(name, ".").last().unwrap_or_default();
    if text::number(end, 10).is_some() {
        return is_public_ipv4(name);
    }
    let is_local =
        text::is_one_of(end, "localhost local internal lan home intranet private corp") || name.ends_with(".home.arpa");
    end.len() < name.len() && !is_local
}

fn is_public_ipv4(address: &str) -> bool {
    let mut bytes = text::split(address, ".").map(|byte| text::number(byte, 10).unwrap_or(0));
    !matches!(
        (bytes.next().unwrap_or(0), bytes.next().unwrap_or(0), bytes.next().unwrap_or(0)),
        (0 | 10 | 127 | 224.., _, _)
            | (169, 254, _)
            | (192, 168, _)
            | (192, 0, 0)
            | (100, 64..128, _)
            | (172, 16..32, _)
            | (198, 18 | 19, _)
    )
}

/// A key that a bucket or a folder takes, and that leads nowhere else: no empty or dotted segment, at most 1024 bytes.
pub fn is_safe_key(key: &str) -> bool {
    let is_odd = |letter: char| letter.is_control() || letter == '\\';
    key.len() <= 1024 && !key.contains(is_odd) && text::split(key, "/").all(|part| !matches!(part, "" | "." | ".."))
}

/// A task's id as a folder's name: what may be unsafe stands there as `~` and its bytes, so that no two ids share a folder.
fn folder(id: &str) -> String {
    let mut folder = String::new();
    for byte in id.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' {
            folder.push(byte as char);
        } else {
            folder.push('~');
            for half in [byte >> 4, byte & 15] {
                folder.push(b"0123456789abcdef"[half as usize] as char);
            }
        }
    }
    folder
}

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its type, by its bytes.
    pub mime: &'static str,
    /// The end of its name.
    pub extension: &'static str,
}

/// Judges a reply by its status, its declared type and its first 16 bytes, in hex. The type may be absent or say just "bytes",
/// as storages do; the bytes must be of a picture or a video, as is expected. The error is a code of the contract.
pub fn judge(kind: &str, status: i64, declared: &str, head: &str) -> Result<Found, &'static str> {
    match status {
        200 => {}
        204 | 205 => return Err("truncated"),
        401 | 403 | 404 | 410 => return Err("expired"),
        408 | 425 | 429 => return Err("rate_limited"),
        0 | 300..=399 => return Err("redirect"),
        500.. => return Err("gateway"),
        _ => return Err("rejected"),
    }
    let declared = text::before(declared, ";").trim().to_ascii_lowercase();
    let is_of = |mime: &str| text::before(mime, "/") == kind;
    let says_little = text::is_one_of(&declared, " application/octet-stream binary/octet-stream application/mp4");
    match known(head).filter(|found| is_of(found.mime)) {
        Some(found) if says_little || is_of(&declared) => Ok(found),
        _ if head.is_empty() => Err("truncated"),
        _ => Err("protocol"),
    }
}

/// Starts in hex, `.` standing for any digit; type; end of a name. Of the ISO files that name no brand of pictures all are videos.
const STARTS: &str = "89504e470d0a1a0a image/png png,ffd8ff image/jpeg jpg,\
    52494646........57454250 image/webp webp,47494638 image/gif gif,\
    ........66747970617669 image/avif avif,........6674797071742020 video/quicktime mov,\
    ........66747970686569 image/heic heic,........66747970 video/mp4 mp4,1a45dfa3 video/webm webm,\
    ........6d6f6f76 video/quicktime mov,........77696465 video/quicktime mov,........6d646174 video/quicktime mov";

/// What a file's first bytes, in hex, give away.
pub fn known(head: &str) -> Option<Found> {
    let fits = |start: &str| {
        let mut pairs = start.bytes().zip(head.bytes());
        head.len() >= start.len() && pairs.all(|(wanted, byte)| wanted == b'.' || wanted == byte)
    };
    let (_, found) =
        text::split(STARTS, ",").filter_map(|line| text::split_once(line, " ")).find(|(start, _)| fits(start))?;
    let (mime, extension) = text::split_once(found, " ")?;
    Some(Found { mime, extension })
}

/// What follows a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Read the task anew, for URLs that still work.
    Reread,
    /// Begin the file again after so many milliseconds.
    Again(Millis),
    /// The failure is the caller's.
    Stop,
}

/// What follows a failure with this code. A URL that has expired, or a result that the service's own endpoint does not find, is
/// worth one reading, for all files of the task together; a passing failure is worth another try. Full jitter under 1 s · 2^n, and never before the host's own wish.
pub fn after(code: &str, attempt: i64, is_fresh: bool, retry_after_ms: Millis, dice: u32) -> Next {
    let passes = "truncated network timeout gateway unavailable rate_limited protocol persist not_ready";
    if text::is_one_of(code, "expired not_found") && !is_fresh {
        return Next::Reread;
    }
    if attempt >= ATTEMPTS || retry_after_ms > LONGEST_PAUSE_MS || !text::is_one_of(code, passes) {
        return Next::Stop;
    }
    let jitter = Millis::from(dice) % (1_000 << attempt.clamp(1, ATTEMPTS));
    Next::Again(jitter.max(retry_after_ms))
}
