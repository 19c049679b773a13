//! Rules of the repository that no other tool checks.

mod functions;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use functions::{Language, code_only, functions};

const LONGEST_FUNCTION: usize = 60;

#[test]
fn the_version_is_the_same_in_every_manifest_and_in_the_changelog() {
    let cargo = between(&read("Cargo.toml"), "\nversion = \"", "\"");
    let package = between(&read("pkg/package.json"), "\"version\": \"", "\"");
    // "## 0.1.0" or "## [0.1.0] - date"; a heading without a digit is what is not released yet.
    let changelog = read("CHANGELOG.md");
    let release = changelog
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .find_map(|heading| heading.split([' ', '[', ']']).find(|word| word.starts_with(|c: char| c.is_ascii_digit())))
        .expect("CHANGELOG.md has a heading with a version");
    assert_eq!(package, cargo, "pkg/package.json");
    assert_eq!(release, cargo, "CHANGELOG.md");
}

#[test]
fn core_names_no_web_crate_and_no_clock() {
    let forbidden = ["web_sys", "js_sys", "wasm_bindgen", "gloo", "std::time", "SystemTime", "Instant"];
    for file in files("src/core", &["rs"]) {
        let code = code_only(&read(&file), Language::Rust);
        let named: Vec<_> = forbidden.into_iter().filter(|name| code.contains(name)).collect();
        assert!(named.is_empty(), "{} names {named:?}", file.display());
    }
}

/// `persist` has no wasm to ask before it sends.
#[test]
fn the_facade_gives_a_read_as_long_as_core_does() {
    let facade = between(&read("pkg/src/client.js"), "const READ_LIMIT_MS = ", ";").replace('_', "");
    assert_eq!(facade, comet_tasks::core::http::READ_TIMEOUT_MS.to_string());
}

#[test]
fn no_function_is_over_60_lines() {
    let sources = [("src", "rs", Language::Rust), ("pkg/src", "js", Language::JavaScript)];
    let mut long = Vec::new();
    for (folder, extension, language) in sources {
        for file in files(folder, &[extension]) {
            for function in functions(&read(&file), language) {
                if function.lines > LONGEST_FUNCTION {
                    long.push(format!("{}:{}: {} lines", file.display(), function.line, function.lines));
                }
            }
        }
    }
    assert!(long.is_empty(), "functions over {LONGEST_FUNCTION} lines:\n{}", long.join("\n"));
}

#[test]
fn the_set_up_installs_the_wasm_bindgen_of_cargo_lock() {
    let locked = between(&read("Cargo.lock"), "\nname = \"wasm-bindgen\"\nversion = \"", "\"");
    let pinned = between(&read("Cargo.toml"), "\nwasm-bindgen = \"=", "\"");
    let script = "import('./tools/setup.mjs').then(async (m) => process.stdout.write(await m.bindgenVersion()))";
    let node = Command::new("node").args(["-e", script]).current_dir(root()).output().expect("node is on the PATH");
    assert_eq!(String::from_utf8_lossy(&node.stdout), locked, "{}", String::from_utf8_lossy(&node.stderr));
    assert_eq!(pinned, locked, "Cargo.toml");
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The text after the first `start` and before the next `end`.
fn between(text: &str, start: &str, end: &str) -> String {
    let (_, rest) = text.split_once(start).unwrap_or_else(|| panic!("{start:?} not found"));
    rest.split(end).next().unwrap_or_default().to_owned()
}

/// Every file with one of the extensions in a folder and in those below it, relative to the root.
fn files(folder: impl AsRef<Path>, extensions: &[&str]) -> Vec<PathBuf> {
    let folder = folder.as_ref();
    let entries = fs::read_dir(root().join(folder)).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.expect("a folder's entry can be read");
        let path = folder.join(entry.file_name());
        if entry.file_type().expect("a folder's entry has a type").is_dir() {
            found.extend(files(&path, extensions));
        } else if path.extension().is_some_and(|extension| extensions.iter().any(|wanted| extension == *wanted)) {
            found.push(path);
        }
    }
    found
}
