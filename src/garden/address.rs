//! Where pages lie and how they point to each other: notes' paths in, addresses out.

use std::collections::BTreeMap;
use std::ops::Range;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::diagnostic::Diagnostic;
use crate::note::{Note, file_slug};

/// The anchor of a note's n-th link, from 0.
pub fn link_anchor(number: usize) -> String {
    format!("link-{}", number + 1)
}

/// `people/lady-gaga.html` for `People/Lady Gaga.md`; `index.html` for `index.md`.
pub fn address(path: &str) -> String {
    let (folder, _) = path.rsplit_once('/').unwrap_or(("", path));
    let mut parts: Vec<String> =
        folder.split('/').filter(|p| !p.is_empty()).map(file_slug).collect();
    let name = path.rsplit('/').next().unwrap_or(path);
    parts.push(file_slug(name.strip_suffix(".md").unwrap_or(name)));
    format!("{}.html", parts.join("/"))
}

/// Each note's page, and what is wrong with that.
pub(super) fn addresses(notes: &[&Note]) -> (Vec<String>, Vec<Vec<Diagnostic>>) {
    let mut problems = vec![Vec::new(); notes.len()];
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    let mut pages = Vec::new();
    for (index, note) in notes.iter().enumerate() {
        let mut page = address(&note.path);
        if let Some(first) = taken.get(&page) {
            let message = format!("the page `{page}` is already that of {}", notes[*first].file);
            problems[index].push(
                note.at().error(0..0, message).hint("rename one of the two files".to_owned()),
            );
            let stem = page.trim_end_matches(".html").to_owned();
            let mut count = 2;
            while taken.contains_key(&page) {
                page = format!("{stem}-{count}.html");
                count += 1;
            }
        }
        taken.insert(page.clone(), index);
        pages.push(page);
    }
    (pages, problems)
}

const IN_PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`')
    .add(b'\\');

/// The address of `to` as seen from the page `from`, both relative to the site's root, percent-encoded.
pub fn href(from: &str, to: &str, anchor: Option<&str>) -> String {
    let same = from == to;
    let mut out = String::new();
    if !(same && anchor.is_some()) {
        let from: Vec<&str> = from.split('/').collect();
        let to: Vec<&str> = to.split('/').collect();
        let folders = |path: &[&str]| path.len() - 1;
        let shared: Range<usize> = 0..folders(&from).min(folders(&to));
        let common = shared.take_while(|i| from[*i] == to[*i]).count();
        out.push_str(&"../".repeat(folders(&from) - common));
        let rest = to[common..].join("/");
        // A first part with a colon would be taken for a scheme.
        if out.is_empty() && rest.split('/').next().is_some_and(|part| part.contains(':')) {
            out.push_str("./");
        }
        out.extend(utf8_percent_encode(&rest, IN_PATH));
    }
    if let Some(anchor) = anchor {
        out.push('#');
        out.extend(utf8_percent_encode(anchor, IN_PATH));
    }
    out
}
