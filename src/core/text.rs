//! Looking into texts, byte by byte. The searchers of the standard library are made for long texts and cost 3 KB.

/// The pieces as one text.
pub fn concat(pieces: &[&str]) -> String {
    let mut whole = String::new();
    pieces.iter().for_each(|piece| whole.push_str(piece));
    whole
}

/// Where `word` stands first.
pub fn find(text: &str, word: &str) -> Option<usize> {
    let (text, word) = (text.as_bytes(), word.as_bytes());
    let first = word.first()?;
    let mut at = 0;
    // Most words have one letter.
    while at + word.len() <= text.len() {
        if text[at] == *first && (word.len() == 1 || text[at..].starts_with(word)) {
            return Some(at);
        }
        at += 1;
    }
    None
}

/// What stands before the first `word`, and what stands after it.
pub fn split_once<'a>(text: &'a str, word: &str) -> Option<(&'a str, &'a str)> {
    let at = find(text, word)?;
    Some((text.get(..at)?, text.get(at + word.len()..)?))
}

/// The same; everything and nothing when it is not there.
pub fn parted<'a>(text: &'a str, word: &str) -> (&'a str, &'a str) {
    split_once(text, word).unwrap_or((text, ""))
}

/// What stands before the first `word`; everything when it is not there.
pub fn before<'a>(text: &'a str, word: &str) -> &'a str {
    parted(text, word).0
}

/// The pieces between one `word` and the next.
pub fn split<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = &'a str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let whole = rest?;
        let (piece, after) = split_once(whole, word).map_or((whole, None), |(piece, after)| (piece, Some(after)));
        rest = after;
        Some(piece)
    })
}

/// One of these words, which have single spaces between.
pub fn nth(words: &'static str, place: usize) -> &'static str {
    split(words, " ").nth(place).unwrap_or_default()
}

/// Whether `word` is one of these, which have single spaces between.
pub fn is_one_of(word: &str, words: &str) -> bool {
    split(words, " ").any(|one| one == word)
}

/// The first so many characters.
pub fn start(text: &str, most: usize) -> &str {
    let end = text.char_indices().nth(most).map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or_default()
}

/// A whole number in digits. The standard library's come with padding and signs of all kinds.
pub fn digits(number: i64) -> String {
    let mut digits = String::from(if number < 0 { "-" } else { "" });
    push_digits(number.unsigned_abs(), &mut digits);
    digits
}

fn push_digits(number: u64, digits: &mut String) {
    if number > 9 {
        push_digits(number / 10, digits);
    }
    digits.push((b'0' + (number % 10) as u8) as char);
}

/// Whether there is nothing but digits.
pub fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A whole number, digits alone.
pub fn number(text: &str, radix: u32) -> Option<i64> {
    let add = |number, letter: char| times(number, radix.into())?.checked_add(letter.to_digit(radix)?.into());
    text.chars().try_fold(0, add).filter(|_| !text.is_empty())
}

/// The product, unless it is too large. `checked_mul` would bring a multiplication of 128 bits into the wasm, which functions
/// that return two values on the stack cannot call.
pub fn times(number: i64, factor: i64) -> Option<i64> {
    (number.unsigned_abs() <= (i64::MAX / factor).unsigned_abs()).then(|| number * factor)
}

/// A whole number with or without a sign.
pub fn integer(text: &str) -> Option<i64> {
    match text.strip_prefix("-") {
        Some(digits) => number(digits, 10).map(|number| -number),
        None => number(text.strip_prefix("+").unwrap_or(text), 10),
    }
}

/// An IPv6 address as it stands between the brackets of a URL.
pub fn is_ipv6(address: &str) -> bool {
    let (start, end) = split_once(address, "::").map_or((address, None), |(start, end)| (start, Some(end)));
    match (groups(start, end.is_none()), end) {
        (Some(count), None) => count == 8,
        (Some(count), Some(end)) => groups(end, true).is_some_and(|more| count + more < 8),
        _ => false,
    }
}

/// How many groups of 16 bits; None when one is unsound. The last may be two of them, written as an IPv4 address.
fn groups(text: &str, is_end: bool) -> Option<usize> {
    if text.is_empty() {
        return Some(0);
    }
    let (mut count, last) = (0, split(text, ":").count());
    for (at, group) in split(text, ":").enumerate() {
        let is_hex = group.len() <= 4 && group.bytes().all(|byte| byte.is_ascii_hexdigit());
        count += match () {
            () if is_hex && !group.is_empty() => 1,
            () if is_end && at + 1 == last && is_ipv4(group) => 2,
            () => return None,
        };
    }
    Some(count)
}

fn is_ipv4(text: &str) -> bool {
    let is_byte =
        |part: &str| number(part, 10).is_some_and(|byte| byte < 256) && (part == "0" || !part.starts_with("0"));
    split(text, ".").count() == 4 && split(text, ".").all(is_byte)
}
