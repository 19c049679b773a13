// What stands against the attacks, and the edits that take each away: a file of the sources, a text that is there once, and
// what is there instead. Where two lines stand behind one another, both go.

/** @typedef {{ file: string, from: string, to: string }} Edit */

const GATEWAY = "src/core/gateway";
const FACADE = "pkg/src/gateway";

/** @param {string} file @param {string} from @param {string} to @returns {Edit} */
const edit = (file, from, to) => ({ file, from, to });

const anySignature = edit(`${FACADE}/ids.js`, "if (genuine) this", "return true; this");
const anyForm = edit(
  `${GATEWAY}/id.rs`,
  "let dot = text.len().checked_sub(TAG + 1)?;",
  `let whole = text.split('.').next().and_then(TaskId::new).filter(|_| !text.split('.').nth(1).is_some_and(|tag| tag.len() == TAG));
        if let Some(id) = whole { return Some(Check { named: Named { family, id }, tag: String::new() }); }
        let dot = text.len().checked_sub(TAG + 1)?;`,
);

/** @type {{ name: string, edits: Edit[] }[]} */
const ids = [
  { name: "signature", edits: [anySignature] },
  { name: "signed form", edits: [anyForm, anySignature] },
  { name: "one spelling", edits: [edit(`${GATEWAY}/id.rs`, "LAST.contains(&byte)", "byte != b'='")] },
  {
    name: "family is signed",
    edits: [edit(`${FACADE}/ids.js`, "this.#subject, family, id]", "this.#subject, id]")],
  },
  {
    name: "id is signed",
    edits: [edit(`${FACADE}/ids.js`, "this.#subject, family, id]", "this.#subject, family]")],
  },
];

/** @type {{ name: string, edits: Edit[] }[]} */
const heads = [
  {
    name: "routes",
    edits: [
      edit(
        `${GATEWAY}/head.rs`,
        "let place = place.ok_or_else(unknown)?;",
        `let Some(place) = place else {
            let path = head.part("path").strip_prefix(&*self.base_path).unwrap_or("/").to_string();
            let route = Route::Task(crate::core::task::Family::Midjourney);
            return Ok(Passed::Route { route, speed: None, check: None, path: Some(path) });
        };`,
      ),
    ],
  },
  {
    name: "open routes",
    edits: [
      edit(
        `${GATEWAY}/head.rs`,
        "self.allow.as_ref().is_none_or(",
        "true || self.allow.as_ref().is_none_or(",
      ),
    ],
  },
  {
    name: "no parameters",
    edits: [
      edit(
        `${GATEWAY}/head.rs`,
        "let fine = query.is_empty() ||",
        "let fine = !query.is_empty() || query.is_empty() ||",
      ),
    ],
  },
  {
    name: "own service",
    edits: [
      edit(
        `${FACADE}/exchange.js`,
        "this.#settings.rules.baseUrl + path",
        "new URL(this.#request.url).origin + path",
      ),
    ],
  },
  { name: "methods", edits: [edit(`${GATEWAY}/head.rs`, "if !route.takes(method) {", 'if method == "-" {')] },
  {
    name: "own headers",
    edits: [
      edit(
        `${FACADE}/exchange.js`,
        'const headers = new Headers({ accept: "*/*", authorization: `Bearer ${key}` });',
        'const headers = new Headers(this.#request.headers); headers.set("authorization", `Bearer ${key}`); headers.delete("content-length");',
      ),
    ],
  },
  {
    name: "own key",
    edits: [
      edit(
        `${FACADE}/exchange.js`,
        "authorization: `Bearer ${key}` });",
        'authorization: `Bearer ${key}`, "x-caller": this.#request.headers.get("authorization") ?? "" });',
      ),
    ],
  },
  {
    name: "authorize",
    edits: [
      edit(`${FACADE}/ids.js`, "if (answer === null) return null;", 'if (answer === null) return "anybody";'),
    ],
  },
  {
    name: "rate limit",
    edits: [
      edit(`${FACADE}/exchange.js`, "if (verdict.isSubmit && rateLimiter &&", "if (false && rateLimiter &&"),
    ],
  },
  {
    name: "origins",
    edits: [
      edit(
        `${GATEWAY}/head.rs`,
        "match is_fine {\n            true => Ok(()),",
        "match is_fine || !is_fine {\n            true => Ok(()),",
      ),
    ],
  },
  {
    name: "content type",
    edits: [edit(`${GATEWAY}/head.rs`, "if !given.eq_ignore_ascii_case(wanted) {", 'if given == "-" {')],
  },
  { name: "no encodings", edits: [edit(`${GATEWAY}/head.rs`, 'None | Some("identity")', "_")] },
];

/** @type {{ name: string, edits: Edit[] }[]} */
const bodies = [
  {
    name: "cap",
    edits: [
      edit(
        `${GATEWAY}/head.rs`,
        "Some(Some(length)) if length <= self.max_body_bytes",
        "Some(Some(length)) if length >= 0",
      ),
      edit(`${FACADE}/bodies.js`, "if (length > most) {", "if (length > most * 1e6) {"),
      edit(`${FACADE}/pictures.js`, "if (size + bytes.length - kept > LARGEST_REST)", "if (size < 0)"),
    ],
  },
  {
    name: "sizes",
    edits: [
      edit(`${GATEWAY}/body.rs`, "if !fits(name, value) {", 'if name == "-" {'),
      edit(
        `${GATEWAY}/body.rs`,
        'name == "base64Array" && fits(name, value)',
        'name == "base64Array" && !value.is_null()',
      ),
    ],
  },
  {
    name: "hundred ids",
    edits: [edit(`${GATEWAY}/body.rs`, "|| ids.len() > MOST_IDS", "|| ids.len() > 10 * MOST_IDS")],
  },
  {
    name: "known fields",
    edits: [
      edit(
        `${GATEWAY}/rules.rs`,
        '        (Blend, "dimensions") => Field::Argument("dimensions"),\n        _ => return None,',
        '        (Blend, "dimensions") => Field::Argument("dimensions"),\n        _ => Field::Extra,',
      ),
      edit(`${GATEWAY}/rules.rs`, "Value::Object(_) => is_picture(value),", "Value::Object(_) => true,"),
    ],
  },
  {
    name: "account filter",
    edits: [
      edit(
        `${GATEWAY}/rules.rs`,
        '"accountFilter" => is_filter(value)',
        '"accountFilter" => is_filter(value) || true',
      ),
    ],
  },
  {
    name: "no hooks",
    edits: [
      edit(
        `${GATEWAY}/rules.rs`,
        '(_, "state") =>',
        '(_, "notifyHook") => Field::Argument("notifyHook"),\n        (_, "state") =>',
      ),
    ],
  },
  {
    name: "no field twice",
    edits: [
      edit(`${GATEWAY}/body.rs`, "if members.iter().any(|(other, _)| other == name) {", 'if name == "-" {'),
    ],
  },
  {
    name: "one body",
    edits: [edit("src/core/json.rs", "Some(value) if reader.at == text.len() =>", "Some(value) =>")],
  },
  {
    name: "UTF-8",
    edits: [
      edit(
        "src/gateway.rs",
        "std::str::from_utf8(body)) {\n            (Some(route), Ok(body)) => outgoing(read(route, body)),",
        "Ok::<_, ()>(String::from_utf8_lossy(body))) {\n            (Some(route), Ok(body)) => outgoing(read(route, &body)),",
      ),
    ],
  },
  {
    name: "pictures",
    edits: [
      edit(
        `${GATEWAY}/body.rs`,
        "match places.len() == count &&",
        "match places.len() != usize::MAX || places.len() == count &&",
      ),
    ],
  },
  {
    name: "picture type",
    edits: [
      edit(`${FACADE}/pictures.js`, "/^data:image\\/", "/^data:[a-z]+\\/"),
      edit("src/core/fields.rs", '(sound && mime.starts_with("image/"))', "(sound)"),
    ],
  },
  {
    name: "known parts",
    edits: [
      edit(
        `${GATEWAY}/rules.rs`,
        '        | "watermark" => Field::Extra,\n        _ => return None,',
        '        | "watermark" => Field::Extra,\n        _ => Field::Extra,',
      ),
    ],
  },
  {
    name: "models",
    edits: [
      edit(
        `${GATEWAY}/body.rs`,
        "let Some(models) = &self.models else { return Ok(()) };",
        "let Some(models) = self.models.as_ref().filter(|_| false) else { return Ok(()) };",
      ),
    ],
  },
  {
    name: "own forms",
    edits: [
      edit(
        `${FACADE}/exchange.js`,
        "body: writeForm(head.parts, form.files)",
        "body: writeForm && bytes, type",
      ),
    ],
  },
  {
    name: "file names",
    edits: [edit(`${GATEWAY}/body.rs`, 'if name != "input_reference" {', 'if name == "-" {')],
  },
  {
    name: "two frames",
    edits: [edit("src/core/form.rs", '"inputReference", 0, 2, rule', '"inputReference", 0, 99, rule')],
  },
  {
    name: "frame type",
    edits: [edit("src/core/fields.rs", 'if declared.starts_with("image/") {', "if !declared.is_empty() {")],
  },
  {
    name: "safe names",
    edits: [
      edit(
        "src/core/fields.rs",
        "if safe(letter) { letter } else { '_' }",
        "if safe(letter) || true { letter } else { '_' }",
      ),
    ],
  },
  { name: "one range", edits: [edit(`${FACADE}/exchange.js`, "range && RANGE.test(range)", "range")] },
];

/** @type {{ name: string, edits: Edit[] }[]} */
const replies = [
  {
    name: "hide",
    edits: [
      edit(`${FACADE}/replies.js`, "if (word.length < SHORTEST_HIDDEN) continue;", "if (word) continue;"),
    ],
  },
  {
    name: "whole words",
    edits: [
      edit(
        `${GATEWAY}/reply.rs`,
        "plain.truncate(plain.rfind(|letter: char| !letter.is_ascii_graphic()).unwrap_or(0));",
        "",
      ),
    ],
  },
  {
    name: "hide in headers",
    edits: [edit(`${FACADE}/replies.js`, ".filter(([, value]) => hide(value, hidden) === value)", "")],
  },
  {
    name: "known reply headers",
    edits: [edit(`${FACADE}/replies.js`, "return kept(headers, PASSED)", "return [...headers]")],
  },
  {
    name: "no redirects",
    edits: [
      edit(`${FACADE}/exchange.js`, '("manual")', '("follow")'),
      edit(`${FACADE}/exchange.js`, "response.redirected ? 0 : status", "false ? 0 : status"),
    ],
  },
  {
    name: "no pages",
    edits: [
      edit(
        `${GATEWAY}/reply.rs`,
        "let body = match content(text) {",
        "let body = match content(text) {\n            Content::Html => return Ok(Answer { status, text: text.to_string(), ids: Vec::new() }),",
      ),
    ],
  },
  {
    name: "no tags",
    edits: [edit(`${GATEWAY}/reply.rs`, "'<' if begins_tag(letters.peek()) =>", "'<' if in_tag =>")],
  },
  {
    name: "media types",
    edits: [
      edit(
        `${GATEWAY}/media.rs`,
        ".any(|kind| name.starts_with(kind)) => Some(name),\n        _ => None,",
        ".any(|kind| name.starts_with(kind)) => Some(name),\n        _ => Some(name),",
      ),
    ],
  },
  {
    name: "no scripts in pictures",
    edits: [
      edit(
        `${GATEWAY}/media.rs`,
        'text::find(name, "svg").is_some() ||',
        'text::find(name, "svg").is_none() && name.is_empty() && ',
      ),
      edit(
        `${GATEWAY}/media.rs`,
        'text::find(name, "xml").is_some() => None',
        'text::find(name, "xml").is_some() && name.is_empty() => None',
      ),
    ],
  },
  {
    name: "reply cap",
    edits: [edit(`${FACADE}/exchange.js`, "const MOST_REPLY_BYTES = 4 *", "const MOST_REPLY_BYTES = 4000 *")],
  },
  {
    name: "asked ids",
    edits: [
      edit(
        `${GATEWAY}/reply.rs`,
        "if let (Meaning::Id, false) = (&meaning, self.received.route.is_submit()) {",
        "if let (Meaning::Id, false) = (&meaning, true) {",
      ),
    ],
  },
  {
    name: "asked rows",
    edits: [
      edit(
        `${GATEWAY}/reply.rs`,
        "asked.contains(&id).then_some(id)",
        "(asked.contains(&id) || !asked.is_empty()).then_some(id)",
      ),
    ],
  },
  {
    name: "known reply fields",
    edits: [
      edit(
        `${GATEWAY}/reply.rs`,
        "let Some(meaning) = meaning(name) else { return Ok(()) };",
        "let meaning = meaning(name).unwrap_or(Meaning::Plain);",
      ),
    ],
  },
  {
    name: "preflight",
    edits: [
      edit(`${GATEWAY}/head.rs`, "self.check_origin(head)?;", "let _ = self.check_origin(head);"),
      edit(
        `${GATEWAY}/head.rs`,
        'let Some(origin) = head.header("origin").filter(|origin| self.is_named(origin)) else { return };',
        'let Some(origin) = head.header("origin") else { return };',
      ),
    ],
  },
];

export const guards = [...ids, ...heads, ...bodies, ...replies];
