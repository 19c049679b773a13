//! Ids as callers have them: the service's own, a dot, and 43 letters of base64url, which are 32 bytes.

use crate::core::json::{Value, Writer, quote};
use crate::core::task::{Family, TaskHandle, TaskId};
use crate::core::text;

use super::Named;

/// Where a tag goes into a text that is otherwise finished. JSON has no place for this character.
pub const MARK: &str = "\u{1}";

const TAG: usize = 43;
/// The longest id that a handle may hold.
const LONGEST: usize = 255;

/// An id that a caller sent: good only if the tag is the host's own for this caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The task that it would name.
    pub named: Named,
    /// What stands behind the dot.
    pub tag: String,
}

impl Check {
    /// None when the text has not the form of an id that a gateway gave out.
    pub fn new(family: Family, text: &str) -> Option<Self> {
        let dot = text.len().checked_sub(TAG + 1)?;
        let (start, end) = (text.get(..dot)?, text.get(dot..)?);
        let tag = end.strip_prefix('.')?;
        let id = TaskId::new(start)?;
        // Another spelling of the same id would be the same task under another name.
        let sound = id.as_str() == start && text.chars().count() <= LONGEST && is_tag(tag);
        sound.then(|| Check { named: Named { family, id }, tag: tag.into() })
    }

    /// For the host: the family's word, the id and the tag.
    pub fn write(&self, json: &mut Writer) {
        json.list(|json| {
            json.string(family_word(self.named.family));
            json.string(self.named.id.as_str());
            json.string(&self.tag);
        });
    }
}

/// 32 bytes in base64url have one spelling: four of the last letter's six bits say something, the other two are 0.
fn is_tag(tag: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    tag.len() == TAG && tag.bytes().all(is_letter) && tag.bytes().last().is_some_and(|byte| LAST.contains(&byte))
}

const LAST: &[u8] = b"AEIMQUYcgkosw048";

/// The family's word in what is signed.
pub(super) fn family_word(family: Family) -> &'static str {
    match family {
        Family::Midjourney => "midjourney",
        Family::Videos => "videos",
    }
}

/// Whether the id leaves room for its tag.
pub(super) fn has_room(id: &TaskId) -> bool {
    id.as_str().chars().count() + TAG < LONGEST
}

/// The id with a gap for its tag, as a JSON string.
pub(super) fn quoted(id: &TaskId) -> String {
    let mut json = String::new();
    quote(id.as_str(), &mut json);
    json.pop();
    text::concat(&[&json, ".", MARK, "\""])
}

/// A handle that a gateway gave out: what of it goes on, and what must be checked first. The error is the field and its rule.
pub fn open_handle(value: &Value) -> Result<(TaskHandle, Vec<Check>), (&'static str, &'static str)> {
    const RULE: &str = "must be a task's handle that this gateway gave out";
    let mut handle = TaskHandle::read(value, 0)?;
    let family = handle.family;
    let mut checks = Vec::new();
    let mut open = |id: &mut TaskId| -> Result<(), (&'static str, &'static str)> {
        let check = Check::new(family, id.as_str()).ok_or(("handle.id", RULE))?;
        *id = check.named.id.clone();
        checks.push(check);
        Ok(())
    };
    open(&mut handle.id)?;
    for id in &mut handle.more {
        open(id)?;
    }
    Ok((handle, checks))
}
