//! Indexes one page: terms, weights and shown texts, ready to be merged.

use super::entry::{Entry, Field, Page};
use super::term::{self, Terms};

/// A page, indexed as far as possible without the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Indexed {
    /// Number of its entries.
    pub(super) entries: usize,
    /// JSON of the shown texts, up to the number of the first entry.
    pub(super) head: String,
    /// The rest of that JSON.
    pub(super) tail: String,
    /// Bytes of text.
    pub(super) text: usize,
    pub(super) terms: Terms,
    /// Postings in the order of the entries.
    pub(super) postings: Vec<Posting>,
}

/// A term's occurrence in an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Posting {
    /// Index of the term in the page.
    pub(super) term: u32,
    /// Index of the entry in the page.
    pub(super) entry: u32,
    /// Weight, 1 to 26.
    pub(super) weight: u8,
}

/// A term's occurrences in the current entry.
#[derive(Clone, Copy, Default)]
struct Standing {
    /// A bit for each [`Field`].
    fields: u8,
    /// Number of occurrences in the text, up to 3.
    count: u8,
}

const FIELDS: [(Field, u8); 5] = [
    (Field::Title, 8),
    (Field::Heading, 5),
    (Field::Tag, 5),
    (Field::Caption, 3),
    (Field::Name, NAME),
];

/// For the script, a term with at least this weight identifies the entry.
const NAME: u8 = 20;

impl Standing {
    /// Counts each type of field once, and up to three occurrences in the text; at most 26, and less than 20 if it is
    /// not an identifier.
    fn weight(self) -> u8 {
        let fields = FIELDS.iter().filter(|(field, _)| self.fields & bit(*field) != 0);
        let sum = fields.map(|(_, weight)| weight).sum::<u8>() + self.count;
        sum.min(if self.fields & bit(Field::Name) == 0 { NAME - 1 } else { 26 })
    }
}

fn bit(field: Field) -> u8 {
    1 << field as u8
}

/// Indexes a page. Pages are independent, so that many can be indexed in parallel.
pub fn indexed(page: &Page) -> Indexed {
    let mut terms = Terms::default();
    let mut postings = Vec::new();
    let mut standings: Vec<Standing> = Vec::new();
    // The numbers of the entry's terms.
    let mut standing = Vec::new();
    for (index, entry) in page.entries.iter().enumerate() {
        let mut meet = |text: &str, field: Option<Field>| {
            let mut take = |term: &str| {
                let number = terms.number(term);
                if number == standings.len() {
                    standings.push(Standing::default());
                }
                let met = &mut standings[number];
                if met.fields == 0 && met.count == 0 {
                    standing.push(number);
                }
                match field {
                    Some(field) => met.fields |= bit(field),
                    None => met.count = (met.count + 1).min(3),
                }
            };
            term::for_each(text, &mut take);
            if field.is_some() && text.starts_with('#') {
                take(&term::whole(text));
            }
        };
        meet(&entry.text, None);
        for (field, text) in &entry.fields {
            meet(text, Some(*field));
        }
        postings.extend(standing.drain(..).map(|number| {
            let weight = std::mem::take(&mut standings[number]).weight();
            Posting { term: number as u32, entry: index as u32, weight }
        }));
    }
    terms.close();
    postings.shrink_to_fit();
    Indexed {
        entries: page.entries.len(),
        head: format!("[{},{},", json(&page.path), json(&page.title)),
        tail: tail(&page.entries),
        text: page.entries.iter().map(|entry| entry.text.len()).sum(),
        terms,
        postings,
    }
}

fn tail(entries: &[Entry]) -> String {
    let mut tail = String::from(",[");
    for entry in entries {
        tail.push_str(if tail.len() > 2 { ",[" } else { "[" });
        let heading = entry.heading.as_deref().map_or("null".to_owned(), json);
        tail.extend([&json(&entry.anchor), ",", &heading, ",", &json(&entry.text), "]"]);
    }
    tail.push_str("]]");
    tail
}

/// A JSON string that every JavaScript engine accepts: two line separators were once not allowed in strings.
pub(super) fn json(text: &str) -> String {
    let json = serde_json::Value::from(text).to_string();
    if json.contains(['\u{2028}', '\u{2029}']) {
        return json.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029");
    }
    json
}
