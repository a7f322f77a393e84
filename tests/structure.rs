//! The shape of the source tree: which room may look into which.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The modules of `src/` from the bottom up: each may use only those that stand before it, or beside it in
/// the same line.
const LAYERS: &[&[&str]] = &[
    &[
        "say", "suggest", "yaml", "file", "place", "cache", "sha256", "language", "tex",
        "encoding", "sniff", "handles", "cut", "guard",
    ],
    // Plain data in, bytes out.
    &["search", "bibliography", "picture", "card"],
    // What templates see is plain data, and diagnostics are shown on pages too.
    &["digest", "catalogue", "seal", "bundled"],
    &["request", "store", "model", "tokenizer", "analysis", "figure", "view"],
    &["protocol", "diagnostic", "lab", "fetch", "dataset"],
    &["config", "layout", "document", "scaffold"],
    &["note", "dates", "resource", "library"],
    &["input", "schedule"],
    &["plan", "garden", "render", "measure"],
    &["jekyll"],
    &["page", "workspace", "watch", "progress"],
    &["site"],
    &["output", "explain", "freeze"],
    &["build", "preview"],
    &["cli"],
];

fn sources(folder: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    walkdir::WalkDir::new(root)
        .into_iter()
        .filter_map(Result::ok)
        .map(walkdir::DirEntry::into_path)
        .filter(|path| path.extension().is_some_and(|e| e == "rs"))
        .collect()
}

/// The module of `src/` that a file belongs to.
fn module(path: &Path) -> Option<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let first = path.strip_prefix(root).ok()?.components().next()?;
    let name = first.as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned();
    (name != "lib" && name != "main").then_some(name)
}

fn level(module: &str) -> usize {
    let level = LAYERS.iter().position(|layer| layer.contains(&module));
    level.unwrap_or_else(|| panic!("`{module}` has no place in LAYERS"))
}

#[test]
fn imports_go_one_way() {
    let mut wrong = Vec::new();
    for path in sources("src") {
        let Some(own) = module(&path) else { continue };
        let text = fs::read_to_string(&path).expect("a source");
        let code = text.split("#[cfg(test)]").next().unwrap_or(&text);
        for used in code.split("crate::").skip(1) {
            let name: String =
                used.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            if !name.is_empty() && level(&name) > level(&own) {
                wrong.push(format!("{} uses {name}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn only_the_lab_knows_libtorch() {
    for path in sources("src") {
        let text = fs::read_to_string(&path).expect("a source");
        let mut names = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        assert!(!names.any(|name| name == "tch"), "{}", path.display());
    }
}

#[test]
fn every_file_says_what_it_is_and_is_one_noun_long() {
    let mut lengths = BTreeMap::new();
    for path in
        ["src", "emoji/src", "fuzz/src", "lab/src", "xtask/src"].into_iter().flat_map(sources)
    {
        let text = fs::read_to_string(&path).expect("a source");
        assert!(text.starts_with("//!"), "{} does not open with what it is", path.display());
        let code = text.split("#[cfg(test)]").next().unwrap_or(&text).lines().count();
        if code > 420 {
            lengths.insert(path, code);
        }
    }
    assert!(lengths.is_empty(), "{lengths:#?}");
}
