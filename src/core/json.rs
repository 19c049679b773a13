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
    /// Something stands where JSON has no place for it.
    Invalid,
    /// Nested deeper than [`MAX_DEPTH`].
    TooDeep,
}

/// Reads one value that fills the whole text.
pub fn parse(text: &str) -> Result<Value<'_>, JsonError> {
    let mut reader = Reader { text, at: 0 };
    let value = reader.value(0)?;
    reader.space();
    if reader.at < text.len() {
        return Err(JsonError::Invalid);
    }
    Ok(value)
}

static NULL: Value<'static> = Value::Null;

impl<'a> Value<'a> {
    /// The member with this key (the last one, if it is there twice), else null.
    pub fn get(&self, key: &str) -> &Value<'a> {
        self.members().iter().rev().find(|(name, _)| name == key).map_or(&NULL, |(_, value)| value)
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
    let (negative, number) = match number.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, number.strip_prefix('+').unwrap_or(number)),
    };
    let (whole, fraction) = text::split_once(number, ".").unwrap_or((number, ""));
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

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Result<u8, JsonError> {
        self.text.as_bytes().get(self.at).copied().ok_or(JsonError::Truncated)
    }

    fn space(&mut self) {
        while matches!(self.peek(), Ok(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: u8) -> Result<Value<'a>, JsonError> {
        self.space();
        match self.peek()? {
            b'{' | b'[' if depth == MAX_DEPTH => Err(JsonError::TooDeep),
            b'{' => self.object(depth + 1),
            b'[' => self.list(depth + 1),
            b'"' => Ok(Value::Text(self.string()?)),
            b't' => self.word("true", Value::Bool(true)),
            b'f' => self.word("false", Value::Bool(false)),
            b'n' => self.word("null", Value::Null),
            _ => self.number(),
        }
    }

    fn word(&mut self, word: &str, value: Value<'a>) -> Result<Value<'a>, JsonError> {
        let rest = &self.text.as_bytes()[self.at..];
        if rest.starts_with(word.as_bytes()) {
            self.at += word.len();
            return Ok(value);
        }
        Err(if word.as_bytes().starts_with(rest) { JsonError::Truncated } else { JsonError::Invalid })
    }

    fn object(&mut self, depth: u8) -> Result<Value<'a>, JsonError> {
        let mut members = Vec::new();
        self.sequence(b'}', |reader| {
            reader.space();
            if reader.peek()? != b'"' {
                return Err(JsonError::Invalid);
            }
            let key = reader.string()?;
            reader.space();
            if reader.peek()? != b':' {
                return Err(JsonError::Invalid);
            }
            reader.at += 1;
            members.push((key, reader.value(depth)?));
            Ok(())
        })?;
        Ok(Value::Object(members))
    }

    fn list(&mut self, depth: u8) -> Result<Value<'a>, JsonError> {
        let mut items = Vec::new();
        self.sequence(b']', |reader| {
            items.push(reader.value(depth)?);
            Ok(())
        })?;
        Ok(Value::List(items))
    }

    /// From the opening bracket to the closing one, commas between.
    fn sequence(
        &mut self,
        close: u8,
        mut item: impl FnMut(&mut Self) -> Result<(), JsonError>,
    ) -> Result<(), JsonError> {
        self.at += 1;
        self.space();
        if self.peek()? == close {
            self.at += 1;
            return Ok(());
        }
        loop {
            item(self)?;
            self.space();
            let next = self.peek()?;
            self.at += 1;
            match next {
                b',' => {}
                _ if next == close => return Ok(()),
                _ => return Err(JsonError::Invalid),
            }
        }
    }

    fn number(&mut self) -> Result<Value<'a>, JsonError> {
        let start = self.at;
        if self.peek()? == b'-' {
            self.at += 1;
        }
        if self.peek()? == b'0' {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Ok(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Ok(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek()?, b'+' | b'-') {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(Value::Number(&self.text[start..self.at]))
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        if !self.peek()?.is_ascii_digit() {
            return Err(JsonError::Invalid);
        }
        while self.peek().is_ok_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        Ok(())
    }

    fn string(&mut self) -> Result<Cow<'a, str>, JsonError> {
        self.at += 1;
        let mut start = self.at;
        let mut unescaped = String::new();
        loop {
            match self.peek()? {
                b'"' => {
                    let rest = &self.text[start..self.at];
                    self.at += 1;
                    if unescaped.is_empty() {
                        return Ok(Cow::Borrowed(rest));
                    }
                    unescaped.push_str(rest);
                    return Ok(Cow::Owned(unescaped));
                }
                b'\\' => {
                    unescaped.push_str(&self.text[start..self.at]);
                    self.at += 1;
                    unescaped.push(self.escape()?);
                    start = self.at;
                }
                0..0x20 => return Err(JsonError::Invalid),
                _ => self.at += 1,
            }
        }
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        let letter = self.peek()?;
        self.at += 1;
        Ok(match letter {
            b'"' | b'\\' | b'/' => letter as char,
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => self.unicode()?,
            _ => return Err(JsonError::Invalid),
        })
    }

    /// The character of `\uXXXX`, taking a following low half with it. A lone half is U+FFFD.
    fn unicode(&mut self) -> Result<char, JsonError> {
        let unit = self.hex4()?;
        if (0xD800..0xDC00).contains(&unit) && self.text.as_bytes()[self.at..].starts_with(b"\\u") {
            let back = self.at;
            self.at += 2;
            let low = self.hex4()?;
            if (0xDC00..0xE000).contains(&low) {
                let code = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = back;
        }
        Ok(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex4(&mut self) -> Result<u32, JsonError> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = (self.peek()? as char).to_digit(16).ok_or(JsonError::Invalid)?;
            unit = unit * 16 + digit;
            self.at += 1;
        }
        Ok(unit)
    }
}
