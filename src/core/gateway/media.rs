//! Under which type a result's bytes go on to a page.

use crate::core::text;

/// The type under which a result's bytes go on; none for what calls itself a page, a script or JSON. protocol.md 1.18.
/// Types are the same in capitals, to a browser as well.
pub fn media_type(content_type: &str) -> Option<String> {
    let name = text::before(content_type, ";").trim().to_ascii_lowercase();
    media_name(&name).map(str::to_string)
}

fn media_name(name: &str) -> Option<&str> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'.' | b'+');
    match name {
        "" => Some("application/octet-stream"),
        // Pictures that can hold scripts.
        _ if text::find(name, "svg").is_some() || text::find(name, "xml").is_some() => None,
        _ if !name.bytes().all(is_name) => None,
        "application/octet-stream" | "binary/octet-stream" => Some("application/octet-stream"),
        "application/mp4" => Some("video/mp4"),
        _ if ["image/", "video/", "audio/"].iter().any(|kind| name.starts_with(kind)) => Some(name),
        _ => None,
    }
}
