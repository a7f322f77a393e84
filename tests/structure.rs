//! The shape of the source tree: which module may look into which.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The modules of each crate from the bottom up. A module may use only those that stand before it, so that no two use
/// each other.
const ORDER: &[(&str, &[&str])] = &[
    (
        "core/src",
        &[
            // Text, numbers and files.
            "cut",
            "number",
            "suggest",
            "statistics",
            "canonical",
            "say",
            "problem",
            "file",
            "sniff",
            "encoding",
            "sha256",
            "digest",
            "place",
            "cache",
            "seal",
            "files",
            "labelling",
            "lettering",
            // What is measured: on which data, by which model, what is asked, where results lie.
            "dataset",
            "model",
            "tokenizer",
            "request",
            "protocol",
            "lab",
            "suspect",
            "store",
            "pool",
            "kind",
        ],
    ),
    (
        "src",
        &[
            // Text, and what templates see of it.
            "guard",
            "handles",
            "git",
            "language",
            "tls",
            "tex",
            "diagnostic",
            "yaml",
            "claim",
            "author",
            "review",
            "search",
            "bundled",
            "field",
            "figure",
            "view",
            // The garden as it is written.
            "weights",
            "config",
            "bibliography",
            "resource",
            "note",
            "garden",
            // What is measured for it.
            "engine",
            "measure",
            "plan",
            "cost",
            "render",
            "jekyll",
            "watch",
            "workspace",
            // The site.
            "picture",
            "page",
            "site",
            "output",
            "freeze",
            "archive",
            "scaffold",
            "build",
            "reproduce",
            "sync",
            "diff",
            "preview",
            "cli",
        ],
    ),
    (
        "lab/src",
        &[
            // The device, and what can go wrong there.
            "device",
            "threads",
            "failure",
            "monitor",
            "encode",
            "heat",
            "batch",
            // Pictures, and models that look at them.
            "picture",
            "dataset",
            "clip",
            "feed",
            "pass",
            "fit",
            "dictionary",
            "attribution",
            "vis",
            // The lab's own model, and models held against other programs.
            "train",
            "report",
            "export",
            // What one request is measured with.
            "resident",
            "listed",
            "opened",
            "kept",
            "workbench",
            "table",
            "readout",
            "vector",
            "gallery",
            "group",
            "kind",
            // Requests, one after the other.
            "scans",
            "session",
            "queue",
            "early",
            "serve",
            "work",
            "cli",
        ],
    ),
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

/// The module that a file of a crate belongs to; none for the crate's own root.
fn module(folder: &str, path: &Path) -> Option<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let first = path.strip_prefix(root).ok()?.components().next()?;
    let name = first.as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned();
    (name != "lib" && name != "main").then_some(name)
}

/// A source without its tests and comments.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("a source");
    let tests =
        ["#[cfg(test)]", "#[cfg(all(test"].iter().filter_map(|tests| text.find(tests)).min();
    let code = &text[..tests.unwrap_or(text.len())];
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// Whether a file is nothing but tests.
fn is_test(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "tests" || part.as_os_str() == "tests.rs")
}

/// The modules of its own crate that a piece of code names, alone and in groups.
fn used(code: &str) -> Vec<String> {
    let word = |text: &str| {
        text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>()
    };
    let after = |rest: &str| match rest.strip_prefix('{') {
        Some(group) => group
            .split('}')
            .next()
            .unwrap_or_default()
            .split(',')
            .map(|item| word(item.trim()))
            .collect(),
        None => vec![word(rest)],
    };
    let all = code.split("crate::").skip(1).flat_map(after);
    all.filter(|name| name.chars().next().is_some_and(|first| first.is_ascii_lowercase())).collect()
}

#[test]
fn imports_go_one_way() {
    let mut wrong = Vec::new();
    for (folder, order) in ORDER {
        let level = |module: &str| {
            let level = order.iter().position(|name| *name == module);
            level.unwrap_or_else(|| panic!("`{module}` of {folder} has no place in ORDER"))
        };
        for path in sources(folder).into_iter().filter(|path| !is_test(path)) {
            let Some(own) = module(folder, &path) else { continue };
            for name in used(&code(&path)) {
                if level(&name) > level(&own) {
                    wrong.push(format!("{} uses {name}", path.display()));
                }
            }
        }
        let mut modules: Vec<_> =
            sources(folder).iter().filter_map(|path| module(folder, path)).collect();
        modules.sort_unstable();
        modules.dedup();
        let mut listed = order.to_vec();
        listed.sort_unstable();
        assert_eq!(modules, listed, "ORDER names the modules of {folder}, each once");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The paths that a piece of code names, with groups spelled out: `a::{b, c::d}` is `a::b` and `a::c::d`.
fn paths(code: &str) -> Vec<Vec<&str>> {
    fn word(text: &str) -> &str {
        let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
        &text[..end]
    }
    /// Reads one path behind `prefix`, and returns what follows it.
    fn read<'c>(mut rest: &'c str, prefix: &[&'c str], found: &mut Vec<Vec<&'c str>>) -> &'c str {
        let mut path = prefix.to_vec();
        loop {
            path.push(word(rest));
            rest = &rest[word(rest).len()..];
            let Some(after) = rest.strip_prefix("::") else { break };
            if let Some(after) = after.strip_prefix('*') {
                path.push("*");
                rest = after;
                break;
            }
            if word(after).is_empty() && !after.starts_with('{') {
                break;
            }
            rest = after;
            if let Some(group) = rest.strip_prefix('{') {
                rest = group;
                while !rest.is_empty() {
                    rest = match word(rest) {
                        "" if rest.starts_with('}') => return &rest[1..],
                        "" => &rest[rest.chars().next().map_or(0, char::len_utf8)..],
                        // The other name of what stands before it.
                        "as" => rest[2..].trim_start().trim_start_matches(|c| c != ',' && c != '}'),
                        _ => read(rest, &path, found),
                    };
                }
                return rest;
            }
        }
        found.push(path);
        rest
    }
    let (mut found, mut rest) = (Vec::new(), code);
    while let Some(first) = rest.chars().next() {
        rest = match word(rest) {
            "" => &rest[first.len_utf8()..],
            _ => read(rest, &[], &mut found),
        };
    }
    found
}

/// For each file of a crate, as its module's path, the files of that crate whose items it names. The crate's root is left
/// out.
fn imports(folder: &str) -> BTreeMap<Vec<String>, BTreeSet<Vec<String>>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let module = |path: &Path| -> Option<Vec<String>> {
        let path = path.strip_prefix(&root).ok()?.with_extension("");
        let parts = path.iter().map(|part| part.to_string_lossy().into_owned());
        Some(parts.filter(|part| !["mod", "lib", "main"].contains(&part.as_str())).collect())
    };
    let files: BTreeMap<Vec<String>, PathBuf> = sources(folder)
        .into_iter()
        .filter(|path| !is_test(path))
        .filter_map(|path| Some((module(&path)?, path)))
        .filter(|(module, _)| !module.is_empty())
        .collect();
    let of_file = |(own, path): (&Vec<String>, &PathBuf)| {
        // How far something is visible is no import.
        let code = code(path).replace("pub(in crate::", "pub(in ");
        let mut used = BTreeSet::new();
        for path in paths(&code) {
            // A word alone is a variable, declares a child, or says how far something is visible.
            if path.len() < 2 {
                continue;
            }
            let ups = path.iter().take_while(|part| **part == "super").count();
            let (start, rest) = match path.as_slice() {
                ["crate", rest @ ..] => (&own[..0], rest),
                ["super", ..] => (&own[..own.len() - ups], &path[ups..]),
                ["self", rest @ ..] => (&own[..], rest),
                // An item of a child.
                rest => (&own[..], rest),
            };
            let full: Vec<String> =
                start.iter().cloned().chain(rest.iter().map(|part| (*part).to_owned())).collect();
            let named = (1..=full.len()).rev().map(|end| &full[..end]);
            used.extend(named.map(<[_]>::to_vec).find(|module| files.contains_key(module)));
        }
        used.remove(own);
        (own.clone(), used)
    };
    files.iter().map(of_file).collect()
}

#[test]
fn no_two_files_import_each_other() {
    for (folder, _) in ORDER {
        let mut left = imports(folder);
        assert!(left.len() > 50 && left.values().any(|used| used.len() > 5), "{left:?}");
        // Whatever imports nothing that is left, or is imported by nothing that is left, is in no circle.
        loop {
            let before = left.len();
            let imported: BTreeSet<Vec<String>> = left.values().flatten().cloned().collect();
            left.retain(|module, _| imported.contains(module));
            let modules: BTreeSet<Vec<String>> = left.keys().cloned().collect();
            left.values_mut().for_each(|used| used.retain(|module| modules.contains(module)));
            left.retain(|_, used| !used.is_empty());
            if left.len() == before {
                break;
            }
        }
        assert!(left.is_empty(), "of {folder}, in circles: {left:#?}");
    }
}

#[test]
fn paths_are_read_with_their_groups() {
    let found =
        paths("use crate::{a::B, c::{self, D as E}}; let x = super::f::g(&h::I::<J>::k());");
    let found: Vec<String> = found.iter().map(|path| path.join("::")).collect();
    for path in ["crate::a::B", "crate::c::self", "crate::c::D", "super::f::g", "h::I"] {
        assert!(found.iter().any(|known| known == path), "{path} in {found:?}");
    }
    assert!(!found.iter().any(|known| known.ends_with("E") || known.ends_with("as")), "{found:?}");
}

#[test]
fn only_the_lab_knows_libtorch_and_only_the_garden_knows_pages() {
    let foreign: [(&str, &[&str]); 3] = [
        ("core/src", &["tch", "neuronotes", "neuronotes_lab"]),
        ("src", &["tch", "neuronotes_lab"]),
        ("lab/src", &["neuronotes"]),
    ];
    for (folder, names) in foreign {
        for path in sources(folder) {
            let code = code(&path);
            let mut words = code.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
            // The program's own name stands in its messages; a path is what is imported.
            let imports = |name: &str| {
                code.contains(&format!("use {name}::")) || code.contains(&format!(" {name}::"))
            };
            assert!(
                !words.any(|word| word == "tch" && names.contains(&"tch")),
                "{}",
                path.display()
            );
            let foreign: Vec<_> = names.iter().filter(|name| imports(name)).collect();
            assert!(foreign.is_empty(), "{} uses {foreign:?}", path.display());
        }
    }
}

/// A kind is its own files and a line in each registry: the rest of the program knows kinds by what these say.
#[test]
fn shared_code_knows_no_kind_by_its_name() {
    let mut wrong = Vec::new();
    for path in ["core/src", "src"].into_iter().flat_map(sources).filter(|path| !is_test(path)) {
        // A kind's own files; and pictures of every figure for the templates' tests and the style guide.
        let own = ["core/src/kind/", "src/figure/", "src/render/sample"];
        // The direction in which a language is written is a filter of templates, too.
        // Labels are what data sets say of their pictures, too.
        let labels =
            ["core/src/dataset/", "src/config/dataset.rs", "src/cli/dataset.rs", "src/resource.rs"];
        let shared = ["src/render/filter.rs"];
        let shown = path.to_string_lossy().replace('\\', "/");
        if own.iter().chain(&shared).any(|own| shown.contains(own)) {
            continue;
        }
        let code = code(&path);
        let named = neuronotes_core::kind::KINDS.iter().map(|kind| kind.name);
        // Words are a form of data sets, of directions and of groups, too.
        let is_label =
            |name: &str| name == "labels" && labels.iter().any(|own| shown.contains(own));
        let is_word = |name: &str| name == "words" || is_label(name);
        let named = named.filter(|name| !is_word(name));
        for name in named.filter(|name| code.contains(&format!("\"{name}\""))) {
            wrong.push(format!("{} knows `{name}`", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What the lab is made of, without what only its tests and its building need.
#[test]
fn the_lab_is_made_without_a_server_templates_or_markdown() {
    let lines = compiled(&["-p", "neuronotes-lab", "-e", "normal"]);
    let packages: Vec<&str> =
        lines.iter().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(packages.contains(&"neuronotes-core") && packages.contains(&"tch"), "{packages:?}");
    for foreign in [
        "neuronotes",
        "axum",
        "hyper",
        "tokio",
        "ureq",
        "minijinja",
        "pulldown-cmark",
        "hayagriva",
        "biblatex",
        "syntect",
        "liquid-core",
        "notify",
        "serde-saphyr",
    ] {
        assert!(!packages.contains(&foreign), "the lab is made with {foreign}");
    }
}

/// What cargo would compile for a command, each package with its features.
fn compiled(arguments: &[&str]) -> std::collections::BTreeSet<String> {
    let output = std::process::Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--prefix", "none", "--no-dedupe", "--format", "{p} {f}"])
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

#[test]
fn the_tests_reuse_what_was_compiled_for_the_site() {
    let site = compiled(&["-p", "neuronotes", "-p", "neuronotes-lab", "-e", "normal,build"]);
    let tests = compiled(&["--workspace", "-e", "normal,build,dev"]);
    let again: Vec<_> = site.difference(&tests).collect();
    assert!(
        again.is_empty(),
        "compiled a second time, with other features (lab/Cargo.toml has a place for them): {again:#?}"
    );
}

#[test]
fn the_programs_reuse_what_was_compiled_for_xtask() {
    let xtask = compiled(&["-p", "xtask", "-e", "normal,build"]);
    let site = compiled(&["-p", "neuronotes", "-p", "neuronotes-lab", "-e", "normal,build"]);
    let again = xtask.difference(&site).filter(|line| !line.starts_with("xtask "));
    let again: Vec<&String> = again.collect();
    assert!(
        again.is_empty(),
        "compiled a second time, with other features (xtask/Cargo.toml has a place for them): {again:#?}"
    );
}

/// The crates' manifests turn tests of documentation off, so an example there would never be compiled.
#[test]
fn documentation_has_no_examples_that_nothing_runs() {
    let is_doc = |line: &&str| line.starts_with("///") || line.starts_with("//!");
    for path in
        ["core/src", "src", "emoji/src", "fuzz/src", "lab/src"].into_iter().flat_map(sources)
    {
        let text = fs::read_to_string(&path).expect("a source");
        let docs = text.lines().map(str::trim_start).filter(is_doc).map(|line| line[3..].trim());
        // Every second fence opens a block. Without a language it would be Rust.
        let fences: Vec<&str> = docs.filter_map(|line| line.strip_prefix("```")).collect();
        let rust = |language: &&str| language.is_empty() || language.starts_with("rust");
        let examples = fences.iter().step_by(2).filter(|language| rust(language)).count();
        assert_eq!(examples, 0, "{}: turn `doctest` on in its manifest", path.display());
    }
}

#[test]
fn every_file_says_what_it_is_and_is_one_noun_long() {
    let mut lengths = BTreeMap::new();
    for path in ["core/src", "src", "emoji/src", "fuzz/src", "lab/src", "xtask/src"]
        .into_iter()
        .flat_map(sources)
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
