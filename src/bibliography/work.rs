//! Converts an entry of a bibliography for the style processor.
//!
//! All workarounds for differences between biblatex 0.12, hayagriva 0.10 and BibTeX's own styles are here: they lose
//! the commas of a list of pages, a thesis's school, a subtitle, how a work was published if it also has a note, text
//! in place of pages, and the space after protected words at a title's beginning; they repeat a URL before a DOI; and
//! some dates make them panic.

mod date;
mod field;
mod pages;

use std::panic::{self, AssertUnwindSafe};

use biblatex::{Chunk, Chunks, EntryType, Spanned};
use hayagriva::Entry;

use super::entry::Work;
use super::latex::{self, Use};
use crate::diagnostic::fault::Fault;

use field::{Fields, text};
use neuronotes_core::cut::Cut as _;

/// The name that stands for "et al.": `and others`. A noncharacter, which no name contains.
pub(super) const OTHERS: &str = "\u{fde8}";

const NAMES: &[&str] = &[
    "author",
    "editor",
    "editora",
    "editorb",
    "editorc",
    "holder",
    "bookauthor",
    "annotator",
    "commentator",
    "translator",
    "afterword",
    "foreword",
    "introduction",
];
const TEXTS: &[&str] = &[
    "title",
    "subtitle",
    "titleaddon",
    "shorttitle",
    "booktitle",
    "booksubtitle",
    "booktitleaddon",
    "maintitle",
    "mainsubtitle",
    "maintitleaddon",
    "journaltitle",
    "journal",
    "journalsubtitle",
    "issuetitle",
    "issuesubtitle",
    "eventtitle",
    "venue",
    "series",
    "publisher",
    "location",
    "address",
    "organization",
    "institution",
    "school",
    "howpublished",
    "note",
    "addendum",
    "annotation",
    "annote",
    "abstract",
];
const PLAIN: &[&str] = &[
    "type",
    "volume",
    "volumes",
    "number",
    "issue",
    "edition",
    "chapter",
    "version",
    "isbn",
    "issn",
    "isan",
    "ismn",
    "iswc",
    "language",
    "langid",
    "editortype",
    "editoratype",
    "editorbtype",
    "editorctype",
    "pagetotal",
    "pages",
    "eid",
];
const ADDRESSES: &[&str] =
    &["doi", "url", "eprint", "eprinttype", "archiveprefix", "eprintclass", "primaryclass"];
/// Containers' titles, whose case BibTeX's styles keep.
const KEPT: &[&str] =
    &["journaltitle", "journal", "booktitle", "maintitle", "series", "eventtitle"];
/// Fields that no style shows, so that their content does not matter.
const UNSHOWN: &[&str] = &["abstract", "annotation", "annote"];

/// Whether a field affects the output.
pub(super) fn is_shown(name: &str) -> bool {
    let dates = ["date", "year", "month", "day", "urldate", "eventdate"];
    (purpose(name).is_some() && !UNSHOWN.contains(&name)) || dates.contains(&name)
}

fn purpose(name: &str) -> Option<Use> {
    if TEXTS.contains(&name) {
        Some(Use::Text)
    } else if NAMES.contains(&name) || PLAIN.contains(&name) {
        Some(Use::Plain)
    } else {
        ADDRESSES.contains(&name).then_some(Use::Address)
    }
}

/// The work for the style processor.
pub(super) fn entry(work: &Work, faults: &mut Vec<Fault>) -> Option<Entry> {
    let mut fields = decoded(work, faults);
    subtitles(&mut fields);
    publisher(work, &mut fields);
    addresses(work, &mut fields, faults);
    date::dates(work, &mut fields, faults);
    let pages = fields.remove("pages").or_else(|| fields.remove("eid"));
    let mut tex = biblatex::Entry::new(work.key.clone(), EntryType::new(&work.kind));
    let spanned = |name: &str, chunks: Vec<Chunk>| -> Chunks {
        let span = work.fields.get(name).map_or(&work.span, |value| &value.span);
        chunks.into_iter().map(|chunk| Spanned::new(chunk, span.clone())).collect()
    };
    for (name, chunks) in fields {
        let chunks = spanned(&name, chunks);
        tex.fields.insert(name, chunks);
    }
    let mut entry = converted(work, tex, faults)?;
    if let Some(pages) = pages {
        entry.set_page_range(pages::ranges(&text(&pages)));
    }
    if let Some(authors) = entry.authors().map(<[_]>::to_vec) {
        entry.set_authors(authors.into_iter().map(other).collect());
    }
    if let Some(editors) = entry.editors().map(<[_]>::to_vec) {
        entry.set_editors(editors.into_iter().map(other).collect());
    }
    Some(entry)
}

/// `others` is not a name.
fn other(mut person: hayagriva::types::Person) -> hayagriva::types::Person {
    if person.name == "others" && person.given_name.is_none() && person.prefix.is_none() {
        person.name = OTHERS.to_owned();
    }
    person
}

fn decoded(work: &Work, faults: &mut Vec<Fault>) -> Fields {
    let mut fields = Fields::new();
    for (name, value) in &work.fields {
        let Some(purpose) = purpose(name) else { continue };
        let mut decoded = latex::decode(&value.text, purpose);
        if KEPT.contains(&name.as_str()) {
            protect(&mut decoded.chunks);
        } else if purpose == Use::Text {
            keep_blanks(&mut decoded.chunks);
        }
        if let Some(command) = decoded.unknown.filter(|_| !UNSHOWN.contains(&name.as_str())) {
            let message = format!(
                "`{name}` of `{}` has an unknown command, `\\{command}`, which is shown as written",
                work.key
            );
            let hint = Some("write the characters directly".to_owned());
            faults.push(work.fault(name, message, hint).minor());
        }
        if !decoded.chunks.iter().all(|chunk| chunk.get().trim().is_empty()) {
            fields.insert(name.clone(), decoded.chunks);
        }
    }
    fields
}

/// Protects the case of a whole field.
fn protect(chunks: &mut [Chunk]) {
    for chunk in chunks {
        if let Chunk::Normal(text) = chunk {
            *chunk = Chunk::Verbatim(std::mem::take(text));
        }
    }
}

/// Moves the space after protected words at a title's beginning inside the braces, because hayagriva removes it from
/// what follows.
fn keep_blanks(chunks: &mut [Chunk]) {
    if let [Chunk::Verbatim(first), Chunk::Normal(next), ..] = chunks
        && next.starts_with(' ')
    {
        first.push(' ');
        next.remove(0);
    }
}

/// Appends subtitles and the like to titles, since the processor ignores them.
fn subtitles(fields: &mut Fields) {
    for prefix in ["", "book", "main", "journal", "issue"] {
        let title = match prefix {
            "journal" if !fields.contains_key("journaltitle") => "journal".to_owned(),
            prefix => format!("{prefix}title"),
        };
        for (more, sign) in [("subtitle", ":"), ("titleaddon", ".")] {
            let Some(more) = fields.remove(&format!("{prefix}{more}")) else { continue };
            let title = fields.entry(title.clone()).or_default();
            if !title.is_empty() {
                let closed = text(title).ends_with([':', '.', '?', '!', '–', '—']);
                let sign = if closed { " ".to_owned() } else { format!("{sign} ") };
                title.push(Chunk::Normal(sign));
            }
            title.extend(more);
        }
    }
}

/// The publisher, in the order in which BibTeX's styles look for it; for a thesis, the school.
fn publisher(work: &Work, fields: &mut Fields) {
    if let Some(chunks) = fields.get("howpublished") {
        let address = text(chunks).trim().to_owned();
        let is_address = address.starts_with("http://") || address.starts_with("https://");
        if is_address && !address.contains(char::is_whitespace) {
            fields.remove("howpublished");
            if !work.has("url") {
                fields.insert("url".to_owned(), vec![Chunk::Normal(address)]);
            }
        }
    }
    if !fields.contains_key("publisher") {
        let names = ["school", "institution", "organization", "howpublished"];
        let found = names.iter().find_map(|name| fields.remove(*name));
        if let Some(mut found) = found {
            // "and" would make a list of it.
            protect(&mut found);
            fields.insert("publisher".to_owned(), found);
        }
    }
    if let Some(how) = fields.remove("howpublished") {
        let note = fields.entry("note".to_owned()).or_default();
        let rest = std::mem::replace(note, how);
        if !rest.is_empty() {
            note.push(Chunk::Normal(". ".to_owned()));
            note.extend(rest);
        }
    }
}

fn addresses(work: &Work, fields: &mut Fields, faults: &mut Vec<Fault>) {
    let plain =
        |fields: &Fields, name: &str| fields.get(name).map(|chunks| text(chunks).trim().to_owned());
    if let Some(doi) = plain(fields, "doi") {
        let lower = doi.to_lowercase();
        let prefixes = [
            "https://doi.org/",
            "http://doi.org/",
            "https://dx.doi.org/",
            "http://dx.doi.org/",
            "doi.org/",
            "doi:",
        ];
        let prefix = prefixes.iter().find(|prefix| lower.starts_with(**prefix));
        let doi = prefix.map_or(&*doi, |prefix| doi.cut(prefix.len()..).trim_start());
        fields.insert("doi".to_owned(), vec![Chunk::Normal(doi.to_owned())]);
    }
    if let Some(mut url) = plain(fields, "url") {
        if !url.contains("://") && !url.starts_with("mailto:") {
            url = format!("https://{url}");
        }
        if url.contains(char::is_whitespace) {
            let message =
                format!("`url` of `{}` is left out: an address must not contain spaces", work.key);
            faults.push(work.fault("url", message, None));
            fields.remove("url");
        } else {
            fields.insert("url".to_owned(), vec![Chunk::Normal(url)]);
        }
    }
    let archive = plain(fields, "eprinttype").or_else(|| plain(fields, "archiveprefix"));
    let is_arxiv = archive.is_some_and(|archive| archive.eq_ignore_ascii_case("arxiv"));
    if let Some(eprint) = plain(fields, "eprint").filter(|_| is_arxiv)
        && !fields.contains_key("url")
        && !fields.contains_key("doi")
    {
        let eprint = eprint.trim_start_matches("arXiv:");
        let url = format!("https://arxiv.org/abs/{eprint}");
        fields.insert("url".to_owned(), vec![Chunk::Normal(url)]);
    }
}

/// The entry without the fields that the processor does not accept.
fn converted(work: &Work, mut tex: biblatex::Entry, faults: &mut Vec<Fault>) -> Option<Entry> {
    loop {
        // The library panics on some entries.
        let result = panic::catch_unwind(AssertUnwindSafe(|| Entry::try_from(&tex)));
        let Ok(result) = result else {
            let message = format!("the entry `{}` cannot be read", work.key);
            faults.push(Fault::new(work.span.clone(), message));
            return None;
        };
        let wrong = match result {
            Ok(entry) => return Some(entry),
            Err(wrong) => wrong,
        };
        let holds = |name: &&String| {
            work.fields.get(*name).is_some_and(|value| {
                value.span.start <= wrong.span.start && wrong.span.start <= value.span.end
            })
        };
        let Some(field) = tex.fields.keys().find(holds).cloned() else {
            let message = format!("the entry `{}` cannot be read ({})", work.key, wrong.kind);
            faults.push(Fault::new(work.span.clone(), message));
            return None;
        };
        let message = format!("`{field}` of `{}` is left out ({})", work.key, wrong.kind);
        faults.push(work.fault(&field, message, None));
        tex.fields.remove(&field);
    }
}
