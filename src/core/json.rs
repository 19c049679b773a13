//! JSON in and out: a reader that borrows from the reply and keeps every digit, and a writer for bodies and results.
//!
//! The reader differs from serde_json in two ways that real gateways ask for: the last of two equal keys wins,
//! and half a surrogate pair (a prompt cut in the middle of an emoji) reads as U+FFFD instead of spoiling the reply.

use std::borrow::Cow;

use super::text;

mod writer;

pub use writer::{Writer, quote};

/// Arrays and objects may nest this deep.
pub const MAX_DEPTH: u8 = 64;
/// More values than this are no text of the service's, and each takes some twenty bytes of memory where its text takes two.
pub const MAX_VALUES: u32 = 1 << 18;

/// A JSON value that borrows from the text it was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// `null`, and what [`Value::get`] gives for a key that is not there.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number as it was written, so that an id of 17 digits stays whole.
    Number(&'a str),
    /// A string without its escapes.
    Text(Cow<'a, str>),
    /// An array.
    List(Vec<Value<'a>>),
    /// An object in the order of its text, equal keys included.
    Object(Vec<(Cow<'a, str>, Value<'a>)>),
}

/// Why a text is not JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonError {
    /// The text ends before the value does.
    Truncated,
    /// Something stands where JSON has no place for it, or there are more than [`MAX_VALUES`].
    Invalid,
    /// Nested deeper than [`MAX_DEPTH`].
    TooDeep,
}

/// Reads one value that fills the whole text.
pub fn parse(text: &str) -> Result<Value<'_>, JsonError> {
    let mut reader = Reader { text, at: 0, depth: 0, room: MAX_VALUES };
    let value = reader.value();
    reader.space();
    match value {
        _ if reader.depth > MAX_DEPTH => Err(JsonError::TooDeep),
        Some(value) if reader.at == text.len() => Ok(value),
        None if reader.at == text.len() => Err(JsonError::Truncated),
        _ => Err(JsonError::Invalid),
    }
}

static NULL: Value<'static> = Value::Null;

impl<'a> Value<'a> {
    /// The member with this key (the last one, if it is there twice), else null.
    pub fn get(&self, key: &str) -> &Value<'a> {
        for (name, value) in self.members().iter().rev() {
            // Lengths first: most keys differ there, and a call is saved.
            if name.len() == key.len() && name.as_bytes() == key.as_bytes() {
                return value;
            }
        }
        &NULL
    }

    /// The value at a path such as `error.message`.
    pub fn at(&self, path: &str) -> &Value<'a> {
        text::split(path, ".").fold(self, |value, key| value.get(key))
    }

    /// The first of these paths' values that fits, else null. The paths have single spaces between.
    pub fn first(&self, paths: &str, fits: &dyn Fn(&Value) -> bool) -> &Value<'a> {
        text::split(paths, " ").map(|path| self.at(path)).find(|value| fits(value)).unwrap_or(&NULL)
    }

    /// The first of these paths' texts that says something.
    pub fn first_words(&self, paths: &str) -> Option<&str> {
        self.first(paths, &|value| value.words().is_some()).words()
    }

    /// The members of an object; none of anything else.
    pub fn members(&self) -> &[(Cow<'a, str>, Value<'a>)] {
        match self {
            Value::Object(members) => members,
            _ => &[],
        }
    }

    /// The items of an array; none of anything else.
    pub fn items(&self) -> &[Value<'a>] {
        match self {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The text of a string.
    pub fn text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The text of a string; an empty one of anything else.
    pub fn letters(&self) -> &str {
        self.text().unwrap_or_default()
    }

    /// The text of a string that says something: trimmed, not empty.
    pub fn words(&self) -> Option<&str> {
        self.text().map(str::trim).filter(|text| !text.is_empty())
    }

    /// A string's or a number's characters, trimmed: `"50%"`, `50`. None of anything else.
    pub fn written(&self) -> Option<&str> {
        match self {
            Value::Number(digits) => Some(digits),
            _ => self.words(),
        }
    }

    /// A whole number, from `1`, `1.0` or `"1"`.
    pub fn integer(&self) -> Option<i64> {
        match scaled(self.written()?, 0)? {
            (number, true) => Some(number),
            _ => None,
        }
    }

    /// Whether this is null or missing.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// Whether this is an object.
    pub fn is_object(&self) -> bool {
        matches!(self, Value::Object(_))
    }
}

/// The decimal number `text` times ten to the `places`, and whether nothing was cut off. None when it is no number, or too large.
pub fn scaled(text: &str, places: i32) -> Option<(i64, bool)> {
    let (number, exponent) = match text::split_once(text, "e").or_else(|| text::split_once(text, "E")) {
        Some((number, exponent)) => (number, i32::try_from(text::integer(exponent)?).ok()?),
        None => (text, 0),
    };
    let (negative, number) = match number.strip_prefix("-") {
        Some(rest) => (true, rest),
        None => (false, number.strip_prefix("+").unwrap_or(number)),
    };
    let (whole, fraction) = text::parted(number, ".");
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    // Where the decimal point ends up, counted in digits from the left.
    let point = (whole.len() as i64) + i64::from(exponent) + i64::from(places);
    let (mut result, mut exact) = (0_i64, true);
    for (at, digit) in whole.bytes().chain(fraction.bytes()).enumerate() {
        if !digit.is_ascii_digit() {
            return None;
        }
        if (at as i64) < point {
            result = text::times(result, 10)?.checked_add(i64::from(digit - b'0'))?;
        } else if digit != b'0' {
            exact = false;
        }
    }
    for _ in (whole.len() + fraction.len()) as i64..point {
        if result == 0 {
            break;
        }
        result = text::times(result, 10)?;
    }
    Some((if negative { -result } else { result }, exact))
}

/// On None it stands where the text stops being JSON: at its end, if it was cut off.
struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: u8,
    /// For so many values more.
    room: u32,
}

impl<'a> Reader<'a> {
    /// The next byte. At the end it is 0, which JSON has no place for.
    fn peek(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        let is_next = self.peek() == byte;
        self.at += usize::from(is_next);
        is_next.then_some(())
    }

    fn space(&mut self) {
        while matches!(self.peek(), b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
    }

    fn value(&mut self) -> Option<Value<'a>> {
        self.room = self.room.checked_sub(1)?;
        self.space();
        match self.peek() {
            b'{' => self.nested(b'}'),
            b'[' => self.nested(b']'),
            b'"' => Some(Value::Text(self.string()?)),
            b't' => self.word("true", Value::Bool(true)),
            b'f' => self.word("false", Value::Bool(false)),
            b'n' => self.word("null", Value::Null),
            _ => self.number(),
        }
    }

    fn word(&mut self, word: &str, value: Value<'a>) -> Option<Value<'a>> {
        for byte in word.bytes() {
            self.take(byte)?;
        }
        Some(value)
    }

    /// An object or a list, from its opening bracket to the closing one.
    fn nested(&mut self, close: u8) -> Option<Value<'a>> {
        let (mut members, mut items) = (Vec::new(), Vec::new());
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        self.at += 1;
        self.space();
        while self.peek() != close {
            if !(members.is_empty() && items.is_empty()) {
                self.take(b',')?;
                self.space();
            }
            if close == b'}' {
                let key = self.string()?;
                self.space();
                self.take(b':')?;
                members.push((key, self.value()?));
            } else {
                items.push(self.value()?);
            }
            self.space();
        }
        self.at += 1;
        self.depth -= 1;
        Some(if close == b'}' { Value::Object(members) } else { Value::List(items) })
    }

    fn number(&mut self) -> Option<Value<'a>> {
        let start = self.at;
        let _ = self.take(b'-');
        if self.take(b'0').is_none() {
            self.digits()?;
        }
        if self.take(b'.').is_some() {
            self.digits()?;
        }
        if matches!(self.peek(), b'e' | b'E') {
            self.at += 1;
            if matches!(self.peek(), b'+' | b'-') {
                self.at += 1;
            }
            self.digits()?;
        }
        Some(Value::Number(self.text.get(start..self.at)?))
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    fn string(&mut self) -> Option<Cow<'a, str>> {
        self.take(b'"')?;
        let mut unescaped = String::new();
        loop {
            let run = plain_run(self.text.get(self.at..)?);
            self.at += run.len();
            match self.peek() {
                b'"' => {
                    self.at += 1;
                    if unescaped.is_empty() {
                        return Some(Cow::Borrowed(run));
                    }
                    unescaped.push_str(run);
                    return Some(Cow::Owned(unescaped));
                }
                b'\\' => {
                    unescaped.push_str(run);
                    self.at += 1;
                    unescaped.push(self.escape()?);
                }
                _ => return None,
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        let letter = self.peek();
        let letter = match letter {
            b'"' | b'\\' | b'/' => letter as char,
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                self.at += 1;
                return self.unicode();
            }
            _ => return None,
        };
        self.at += 1;
        Some(letter)
    }

    /// The character of `\uXXXX`, taking a following low half with it. A lone half is U+FFFD.
    fn unicode(&mut self) -> Option<char> {
        let mut code = self.hex4()?;
        if (0xD800..0xDC00).contains(&code) && self.text.as_bytes()[self.at..].starts_with(b"\\u") {
            let back = self.at;
            self.at += 2;
            let low = self.hex4()?;
            if (0xDC00..0xE000).contains(&low) {
                code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
            } else {
                self.at = back;
            }
        }
        Some(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex4(&mut self) -> Option<u32> {
        let mut unit = 0;
        for _ in 0..4 {
            unit = unit * 16 + (self.peek() as char).to_digit(16)?;
            self.at += 1;
        }
        Some(unit)
    }
}

/// What stands before the first quote, backslash or control character.
fn plain_run(text: &str) -> &str {
    let end = text.bytes().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}
