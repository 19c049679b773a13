//! The rows of a list's reply as they were written, so that one can be kept without the others.

/// The texts of the items of the list that a sound reply is, or wraps: `[{…}, {…}]`, `{"data": [{…}]}`.
pub fn rows(text: &str) -> Vec<&str> {
    let outer = if text.trim().starts_with("{") { 2 } else { 1 };
    let (mut rows, mut start, mut depth) = (Vec::new(), None, 0);
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => is_quoted = !is_quoted,
            _ if is_quoted => {}
            b'[' | b'{' => {
                depth += 1;
                if depth == outer {
                    start = (byte == b'[').then_some(at + 1);
                }
            }
            b',' | b']' | b'}' => {
                if let (Some(from), true) = (start, depth == outer) {
                    rows.push(text[from..at].trim());
                    start = (byte == b',').then_some(at + 1);
                }
                depth -= i32::from(byte != b',');
            }
            _ => {}
        }
    }
    rows
}
