//! The dates and durations that services write.

use super::json::{Value, scaled};
use super::task::Millis;
use super::text;

/// No pause that a service asks for is longer: five minutes.
pub const LONGEST_RETRY_AFTER_MS: Millis = 300_000;

/// A time in a reply, whatever its unit: below 1e11 it is seconds, up to 1e14 milliseconds, above that micro- or nanoseconds.
/// Zero, negative, null and words are no time. protocol.md 1.0, Time units.
pub fn time(value: &Value) -> Option<Millis> {
    let written = value.written()?;
    let (number, _) = scaled(written, 0)?;
    Some(match number {
        ..=0 => return None,
        1..100_000_000_000 => scaled(written, 3)?.0,
        100_000_000_000..=100_000_000_000_000 => number,
        100_000_000_000_001..=100_000_000_000_000_000 => number / 1000,
        _ => number / 1_000_000,
    })
}

/// `Retry-After`: seconds (fractions too) or an HTTP date. Past is 0; nonsense is None.
pub fn retry_after(header: &str, now: Millis) -> Option<Millis> {
    let header = header.trim();
    let ms = match scaled(header, 3) {
        Some((ms, _)) => ms,
        // A number too large to hold is still a number: the longest pause there is.
        None if !header.is_empty() && text::is_digits(header) => LONGEST_RETRY_AFTER_MS,
        None => http_date(header)? - now,
    };
    Some(ms.clamp(0, LONGEST_RETRY_AFTER_MS))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`, and both forms that came before it: `Sunday, 06-Nov-94 08:49:37 GMT` and
/// `Sun Nov  6 08:49:37 1994`.
fn http_date(date: &str) -> Option<Millis> {
    let mut words = String::new();
    for letter in date.chars() {
        words.push(if matches!(letter, ',' | ':' | '-') { ' ' } else { letter });
    }
    let (mut month, mut numbers) = (0, Vec::new());
    for word in text::split(&words, " ") {
        match text::number(word, 10) {
            Some(number) => numbers.push(number),
            None => {
                let months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec";
                month = text::split(months, " ").position(|name| name == word).map_or(month, |at| at as i64 + 1);
            }
        }
    }
    let (day, year, hour, minute, second) = match numbers[..] {
        [day, hour, minute, second, year] if year > 60 => (day, year, hour, minute, second),
        [day, year, hour, minute, second] if year < 100 => {
            (day, year + 1900 + 100 * i64::from(year < 70), hour, minute, second)
        }
        [day, year, hour, minute, second] => (day, year, hour, minute, second),
        _ => return None,
    };
    // Sixty is a leap second.
    if !(0..24).contains(&hour) || !(0..60).contains(&minute) || !(0..=60).contains(&second) {
        return None;
    }
    epoch(year, month, day, hour * 3600 + minute * 60 + second)
}

/// `20260102T030405Z`, `2026-01-02T03:04:05Z`, `2026-01-02T03:04Z`, `2026-01-02`, with or without a fraction: the digits in
/// their order, UTC.
pub fn iso_date(date: &str) -> Option<Millis> {
    let mut digits = String::new();
    for letter in text::before(date, ".").chars() {
        if letter.is_ascii_digit() {
            digits.push(letter);
        }
    }
    if !matches!(digits.len(), 8 | 12 | 14) {
        return None;
    }
    let pair = |at: usize| digits.get(at..at + 2).and_then(|pair| text::number(pair, 10)).unwrap_or(0);
    let seconds = pair(8) * 3600 + pair(10) * 60 + pair(12);
    epoch(pair(0) * 100 + pair(2), pair(4), pair(6), seconds)
}

/// The earlier of two times, of which either may be missing.
pub fn earlier(one: Option<Millis>, other: Option<Millis>) -> Option<Millis> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        _ => one.or(other),
    }
}

/// Days by the civil calendar, months counted from March so that the leap day comes last.
fn epoch(year: i64, month: i64, day: i64, seconds: i64) -> Option<Millis> {
    if !(1970..10_000).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 719_469;
    Some((days * 86_400 + seconds) * 1000)
}
