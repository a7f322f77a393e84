//! Full-text search: builds the files of the index from the texts of pages; a script in the page loads them one at a
//! time.
//!
//! Input is only text and addresses; notes, headings and figures are known to others. The format:
//!
//! - Text is folded (NFKD, without marks, lower case) and split into terms: runs of letters and digits, of which the
//!   first 32 characters count. In scripts without spaces, every character is a term. A field that begins with `#` is
//!   also a term as a whole, so that `#C++` and `#🌱` are found as written.
//! - An *entry* is a part of a page that can be found separately. Entries are numbered through the site from 0.
//! - `search/meta.js` `{"entries", "pages", "starts", "terms", "words"}`: the first entry of each shard of entries,
//!   the first term of each shard of terms (`""` for the first, so that every term has a shard), and the lengths of
//!   words for which there is a list of words.
//! - `search/t<i>.js`: lines `term TAB postings`, sorted by UTF-16 code units, like JavaScript's `<`. A posting is
//!   the difference to the previous entry (-1 before the first) in base 36, and the weight as a letter: `A` = 1 … `Z`
//!   = 26.
//! - `search/w<length>.js`: the words of that many letters, one per line, sorted, each as the number of UTF-16 code
//!   units shared with the previous one, in base 36, and the rest. An unknown word is compared with words of similar
//!   length.
//! - `search/e<i>.js`: `[path, title, first entry, [[anchor, heading or null, text], …]]` for each page.
//!
//! Incremental: an [`Indexed`] is a function of its [`Page`], so an unchanged page is never indexed twice; [`files`]
//! is a function of all of them in the site's order.

mod entry;
mod number;
mod page;
mod term;
mod word;

use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::hash::{BuildHasherDefault, Hash, Hasher};

pub use entry::{Entry, Field, Page};
pub use page::{Indexed, indexed};

use number::push_base_36;

/// Maximum bytes of terms and postings in a file, and of text in a file of entries, unless a single term or page has
/// more.
const SHARD: usize = 32 << 10;

/// The files of the index by path relative to the site's root, for pages in the site's order.
pub fn files(pages: &[&Indexed]) -> Vec<(String, String)> {
    let mut files = vec![("search/meta.js".to_owned(), String::new())];
    let starts = entry_shards(pages, &mut files);
    let terms = merged(pages);
    let starting = term_shards(&terms, &mut files);
    let lists = word::lists(terms.iter().map(|posted| posted.term));
    let entries: usize = pages.iter().map(|page| page.entries).sum();
    let meta = serde_json::json!({
        "entries": entries, "pages": pages.len(), "starts": starts, "terms": starting,
        "words": lists.keys().collect::<Vec<_>>(),
    });
    files.extend(lists.iter().map(|(length, list)| {
        let name = format!("search/w{length}");
        (format!("{name}.js"), taken(&name, &serde_json::Value::from(list.as_str()).to_string()))
    }));
    files[0].1 = taken("search/meta", &meta.to_string());
    files
}

/// A script that passes data to the page.
fn taken(name: &str, json: &str) -> String {
    ["neuronotes.take(\"", name, "\",", json, ");\n"].concat()
}

/// Writes the shards of entries and returns their first entries.
fn entry_shards(pages: &[&Indexed], files: &mut Vec<(String, String)>) -> Vec<usize> {
    let mut starts = Vec::new();
    let (mut json, mut size, mut entry) = (String::new(), 0, 0);
    let close = |json: &mut String, files: &mut Vec<(String, String)>, shard: usize| {
        json.push(']');
        files.push((format!("search/e{shard}.js"), taken(&format!("search/e{shard}"), json)));
        json.clear();
    };
    for page in pages {
        if json.is_empty() || size > 0 && size + page.text > SHARD {
            if !json.is_empty() {
                close(&mut json, files, starts.len() - 1);
            }
            starts.push(entry);
            size = 0;
        }
        json.push(if json.is_empty() { '[' } else { ',' });
        json.push_str(&page.head);
        let _ = write!(json, "{entry}");
        json.push_str(&page.tail);
        size += page.text;
        entry += page.entries;
    }
    if !json.is_empty() {
        close(&mut json, files, starts.len() - 1);
    }
    starts
}

/// A term with its postings.
struct Posted<'p> {
    term: &'p str,
    /// The line in the file.
    postings: String,
    /// The entry that a difference of 0 would mean.
    next: usize,
}

/// All terms of the site in the order of the file.
fn merged<'p>(pages: &[&'p Indexed]) -> Vec<Posted<'p>> {
    let mut numbers: HashMap<Hashed<'p>, usize, BuildHasherDefault<AsItIs>> = HashMap::default();
    let mut terms: Vec<Posted<'p>> = Vec::new();
    let mut local = Vec::new();
    let mut first = 0;
    for page in pages {
        local.clear();
        local.extend(page.terms.iter().map(|(hash, term)| {
            *numbers.entry(Hashed { hash, term }).or_insert_with(|| {
                terms.push(Posted { term, postings: String::new(), next: 0 });
                terms.len() - 1
            })
        }));
        for posting in &page.postings {
            let term = &mut terms[local[posting.term as usize]];
            let entry = first + posting.entry as usize;
            push_base_36(&mut term.postings, entry + 1 - term.next);
            term.postings.push(char::from(b'A' + posting.weight.clamp(1, 26) - 1));
            term.next = entry + 1;
        }
        first += page.entries;
    }
    terms.sort_unstable_by(|a, b| utf16_order(a.term, b.term));
    terms
}

/// Writes the shards of terms and returns their first terms.
fn term_shards<'p>(terms: &[Posted<'p>], files: &mut Vec<(String, String)>) -> Vec<&'p str> {
    let mut starting = Vec::new();
    let mut rest = terms;
    while let Some(first) = rest.first() {
        let line = |term: &Posted<'_>| term.term.len() + term.postings.len() + 2;
        let sizes = rest.iter().scan(0, |size, term| {
            *size += line(term);
            Some(*size)
        });
        let (shard, after) = rest.split_at(sizes.take_while(|size| *size <= SHARD).count().max(1));
        let mut json = String::with_capacity(SHARD + SHARD / 4);
        json.push('"');
        for Posted { term, postings, .. } in shard {
            // All but tags are letters and numbers, so that only the ends need to be escaped.
            let escaped = term.starts_with('#').then(|| page::json(term));
            let inner = escaped.as_ref().and_then(|json| json.get(1..json.len() - 1));
            json.push_str(inner.unwrap_or(term));
            json.extend(["\\t", postings, "\\n"]);
        }
        json.push('"');
        let name = format!("search/t{}", starting.len());
        files.push((format!("{name}.js"), taken(&name, &json)));
        starting.push(if starting.is_empty() { "" } else { first.term });
        rest = after;
    }
    starting
}

/// The order of UTF-16 code units. It differs from that of UTF-8 only if a character beyond U+FFFF, whose UTF-8
/// begins with F0 or more, is compared with one of the last 8,192 below, which begin with EE or EF.
fn utf16_order(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    match a.iter().zip(b).find(|(a, b)| a != b) {
        Some((a, b)) if (*a >= 0xF0) != (*b >= 0xF0) && *a.min(b) >= 0xEE => b.cmp(a),
        Some((a, b)) => a.cmp(b),
        None => a.len().cmp(&b.len()),
    }
}

/// A term with a precomputed hash.
#[derive(PartialEq, Eq)]
struct Hashed<'p> {
    hash: u64,
    term: &'p str,
}

impl Hash for Hashed<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

/// Uses the precomputed hash as its own.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = term::hash(bytes);
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[cfg(test)]
mod tests;
