//! Finds functions and their lengths by counting brackets, in code whose comments and literals were blanked.

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Language {
    Rust,
    JavaScript,
}

/// A function that has a body in braces.
#[derive(Debug, PartialEq)]
pub(crate) struct Function {
    /// The line that it starts on, from 1.
    pub(crate) line: usize,
    pub(crate) lines: usize,
}

/// Every function, method and arrow function of a source file.
pub(crate) fn functions(source: &str, language: Language) -> Vec<Function> {
    let code: Vec<char> = code_only(source, language).chars().collect();
    let line_of = |at: usize| code[..at].iter().filter(|&&c| c == '\n').count() + 1;
    let start = if language == Language::Rust { rust_function } else { javascript_function };
    (0..code.len())
        .filter_map(|at| start(&code, at))
        .map(|(from, body)| {
            let line = line_of(from);
            Function { line, lines: line_of(closing(&code, body)) - line + 1 }
        })
        .collect()
}

/// `fn name … {` at the `fn`: where it starts and its brace. None for a signature without a body and for a `fn` type.
fn rust_function(code: &[char], at: usize) -> Option<(usize, usize)> {
    let starts_word = at == 0 || !is_word(code[at - 1]);
    if !starts_word || !code[at..].starts_with(&['f', 'n', ' ']) || !is_word(*code.get(at + 3)?) {
        return None;
    }
    let mut depth = 0;
    for (offset, c) in code[at..].iter().enumerate() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            ';' if depth == 0 => return None,
            '{' if depth == 0 => return Some((at, at + offset)),
            _ => {}
        }
    }
    None
}

/// A `{` after `=>`, or after a `(…)` that belongs to no control statement: where the parameters start, and the brace.
fn javascript_function(code: &[char], at: usize) -> Option<(usize, usize)> {
    if code[at] != '{' {
        return None;
    }
    let before = last_code(code, at)?;
    if code[before] == '>' && before > 0 && code[before - 1] == '=' {
        return Some((before, at));
    }
    let open = if code[before] == ')' { opening(code, before)? } else { return None };
    let word_end = last_code(code, open)? + 1;
    let word_start = (0..word_end).rev().take_while(|&i| is_word(code[i])).last().unwrap_or(word_end);
    let word: String = code[word_start..word_end].iter().collect();
    let control = ["if", "for", "while", "switch", "catch", "with", "await"].contains(&word.as_str());
    (!control).then_some((open, at))
}

/// The brace that closes the one at `open`; the end when none does.
fn closing(code: &[char], open: usize) -> usize {
    let mut depth = 0;
    for (offset, c) in code[open..].iter().enumerate() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return open + offset;
        }
    }
    code.len()
}

/// The parenthesis that opens what the one at `close` closes.
fn opening(code: &[char], close: usize) -> Option<usize> {
    let mut depth = 0;
    for at in (0..=close).rev() {
        match code[at] {
            ')' => depth += 1,
            '(' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

fn last_code(code: &[char], before: usize) -> Option<usize> {
    code[..before].iter().rposition(|c| !c.is_whitespace())
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

/// The source with every comment and literal blanked, lines kept.
pub(crate) fn code_only(source: &str, language: Language) -> String {
    let source: Vec<char> = source.chars().collect();
    let mut code: Vec<char> = Vec::with_capacity(source.len());
    while code.len() < source.len() {
        let at = code.len();
        let skipped = comment(&source[at..]).or_else(|| match language {
            Language::Rust => rust_literal(&source[at..], code.last().copied()),
            Language::JavaScript => javascript_literal(&source[at..], &code),
        });
        match skipped {
            Some(length) => {
                let end = source.len().min(at + length);
                code.extend(source[at..end].iter().map(|&c| if c == '\n' { c } else { ' ' }));
            }
            None => code.push(source[at]),
        }
    }
    code.into_iter().collect()
}

fn comment(rest: &[char]) -> Option<usize> {
    match rest {
        ['/', '/', ..] => Some(rest.iter().position(|&c| c == '\n').unwrap_or(rest.len())),
        ['/', '*', ..] => {
            let end = rest[2..].windows(2).position(|pair| pair == ['*', '/']);
            Some(end.map_or(rest.len(), |end| end + 4))
        }
        _ => None,
    }
}

fn rust_literal(rest: &[char], before: Option<char>) -> Option<usize> {
    match rest {
        ['"', ..] => Some(quoted(rest)),
        ['r', ..] if !before.is_some_and(|c| is_word(c) && c != 'b') => raw_string(rest),
        ['\'', '\\', ..] => Some(quoted(rest)),
        ['\'', _, '\'', ..] => Some(3),
        _ => None, // a lone quote begins a lifetime
    }
}

/// `r"…"`, `r#"…"#` and so on.
fn raw_string(rest: &[char]) -> Option<usize> {
    let hashes = rest[1..].iter().take_while(|&&c| c == '#').count();
    if rest.get(1 + hashes) != Some(&'"') {
        return None;
    }
    let end: Vec<char> = format!("\"{}", "#".repeat(hashes)).chars().collect();
    let body = &rest[2 + hashes..];
    let length = body.windows(end.len()).position(|window| window == end)?;
    Some(2 + hashes + length + end.len())
}

/// A template is blanked with its expressions: their braces balance.
fn javascript_literal(rest: &[char], code: &[char]) -> Option<usize> {
    match rest[0] {
        '"' | '\'' | '`' => Some(quoted(rest)),
        '/' if begins_expression(code) => Some(regex(rest)),
        _ => None,
    }
}

/// Whether a slash here begins a regular expression, and is no division.
fn begins_expression(code: &[char]) -> bool {
    let Some(last) = last_code(code, code.len()) else { return true };
    let code: String = code[..=last].iter().collect();
    "(,=:[!&|?{};>".contains(code.chars().last().unwrap_or(' ')) || code.ends_with("return")
}

/// From a quote to the next one like it that no backslash precedes.
fn quoted(rest: &[char]) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != rest[0] {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// From a slash to the next one outside of a class.
fn regex(rest: &[char]) -> usize {
    let mut in_class = false;
    let mut at = 1;
    while at < rest.len() && (in_class || rest[at] != '/') {
        match rest[at] {
            '[' => in_class = true,
            ']' => in_class = false,
            '\\' => at += 1,
            _ => {}
        }
        at += 1;
    }
    at + 1
}

#[test]
fn rust_functions_are_measured_past_literals_and_comments() {
    let source = r####"
/// { a brace in a comment
fn one<'a>(x: [u8; 2], brace: char) -> &'a str {
    let _ = ('{', '\'', "}\"}", r#"}"}"#); // }
    /* } */ "x"
}
trait T { fn signature(&self); }
type F = fn (u8) -> u8;
async fn two() {}
"####;
    let found = functions(source, Language::Rust);
    assert_eq!(found, [Function { line: 3, lines: 4 }, Function { line: 9, lines: 1 }]);
}

#[test]
fn javascript_functions_are_measured_past_literals_and_comments() {
    let source = r#"
function one(a, { b } = {}) {
  if (a) { return `}${b ? "{" : '}'}`; } // }
  return /[/}]\/{/.test(a) / 2;
}
class C {
  async two(x) {
    for (const y of x) { y(() => {
    }); }
  }
}
"#;
    let found = functions(source, Language::JavaScript);
    let expected = [(2, 4), (7, 4), (8, 2)].map(|(line, lines)| Function { line, lines });
    assert_eq!(found, expected);
}
