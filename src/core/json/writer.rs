//! JSON out.

use super::{Value, plain_run};
use crate::core::text;

/// Builds JSON text; commas are its own business.
pub struct Writer {
    text: String,
}

impl Default for Writer {
    fn default() -> Self {
        // Most texts fit, and need not grow.
        Writer { text: String::with_capacity(256) }
    }
}

impl Writer {
    /// The finished text.
    pub fn finish(self) -> String {
        self.text
    }

    /// How many bytes stand written; a place to come back to.
    pub fn position(&self) -> usize {
        self.text.len()
    }

    fn comma(&mut self) {
        if !matches!(self.text.as_bytes().last(), None | Some(b'{' | b'[' | b':')) {
            self.text.push(',');
        }
    }

    /// `{`, what `inside` writes, `}`.
    #[inline(always)]
    pub fn object(&mut self, inside: impl FnOnce(&mut Self)) {
        self.raw("{");
        inside(self);
        self.close_object();
    }

    /// `[`, what `inside` writes, `]`.
    #[inline(always)]
    pub fn list(&mut self, inside: impl FnOnce(&mut Self)) {
        self.raw("[");
        inside(self);
        self.close_list();
    }

    /// The end of an object that `raw("{")` began.
    pub fn close_object(&mut self) {
        self.text.push('}');
    }

    /// The end of a list that `raw("[")` began.
    pub fn close_list(&mut self) {
        self.text.push(']');
    }

    /// A key; its value comes next.
    pub fn key(&mut self, key: &str) -> &mut Self {
        self.string(key);
        self.text.push(':');
        self
    }

    /// A string, escaped.
    pub fn string(&mut self, value: &str) {
        self.comma();
        quote(value, &mut self.text);
    }

    /// Text that is JSON already: `null`, `true`, digits.
    pub fn raw(&mut self, json: &str) {
        self.comma();
        self.text.push_str(json);
    }

    /// A whole number.
    pub fn integer(&mut self, value: i64) {
        self.raw(&text::digits(value));
    }

    /// `true` or `false`.
    pub fn boolean(&mut self, value: bool) {
        self.raw(if value { "true" } else { "false" });
    }

    /// A string, or null.
    pub fn string_or_null(&mut self, value: Option<&str>) {
        match value {
            Some(value) => self.string(value),
            None => self.raw("null"),
        }
    }

    /// A whole number, or null.
    pub fn integer_or_null(&mut self, value: Option<i64>) {
        match value {
            Some(value) => self.integer(value),
            None => self.raw("null"),
        }
    }

    /// A list of strings.
    pub fn strings(&mut self, values: &[String]) {
        self.list(|list| values.iter().for_each(|value| list.string(value)));
    }

    /// A value that was read, as it was.
    pub fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.raw("null"),
            Value::Bool(value) => self.boolean(*value),
            Value::Number(digits) => self.raw(digits),
            Value::Text(text) => self.string(text),
            Value::List(items) => self.list(|list| items.iter().for_each(|item| list.value(item))),
            Value::Object(members) => {
                self.object(|object| members.iter().for_each(|(key, value)| object.key(key).value(value)));
            }
        }
    }
}

/// Appends `value` as a JSON string, quotes included.
pub fn quote(value: &str, out: &mut String) {
    out.push('"');
    let mut rest = value;
    loop {
        let run = plain_run(rest);
        out.push_str(run);
        let Some(letter) = rest.as_bytes().get(run.len()) else { break };
        match letter {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            _ => {
                out.push_str(if *letter < 16 { "\\u000" } else { "\\u001" });
                out.push(b"0123456789abcdef"[usize::from(letter & 15)] as char);
            }
        }
        rest = rest.get(run.len() + 1..).unwrap_or_default();
    }
    out.push('"');
}
