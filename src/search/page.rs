//! One page: its texts in, its terms, weights and shown texts out, ready to be put together.

use super::term::{self, Terms};
use super::{Entry, Field, Page};

/// A page as far as it can be indexed without the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Indexed {
    /// How many entries it has.
    pub(super) entries: usize,
    /// JSON of what is shown, up to the number of the first entry, …
    pub(super) head: String,
    /// … and from there on.
    pub(super) tail: String,
    /// Bytes of text.
    pub(super) text: usize,
    pub(super) terms: Terms,
    /// In the order of the entries.
    pub(super) postings: Vec<Posting>,
}

/// That a term stands in an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Posting {
    /// Among the page's.
    pub(super) term: u32,
    /// Among the page's.
    pub(super) entry: u32,
    /// 1 … 26.
    pub(super) weight: u8,
}

/// How a term stands in the entry that is being read.
#[derive(Clone, Copy, Default)]
struct Standing {
    /// A bit for each [`Field`].
    fields: u8,
    /// Up to 3.
    count: u8,
}

const FIELDS: [(Field, u8); 5] = [
    (Field::Title, 8),
    (Field::Heading, 5),
    (Field::Tag, 5),
    (Field::Caption, 3),
    (Field::Name, NAME),
];

/// The script takes a term of this weight or more for one that means the entry.
const NAME: u8 = 20;

impl Standing {
    /// Each kind of field once, and each time in the text up to three; at most 26, and below 20 where it is no name.
    fn weight(self) -> u8 {
        let fields = FIELDS.iter().filter(|(field, _)| self.fields & bit(*field) != 0);
        let sum = fields.map(|(_, weight)| weight).sum::<u8>() + self.count;
        sum.min(if self.fields & bit(Field::Name) == 0 { NAME - 1 } else { 26 })
    }
}

fn bit(field: Field) -> u8 {
    1 << field as u8
}

/// Reads a page. Pages know nothing of each other, so that many can be read at once.
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

/// A string of JSON that every JavaScript reads: two ends of lines were none in strings once.
pub(super) fn json(text: &str) -> String {
    let json = serde_json::Value::from(text).to_string();
    if json.contains(['\u{2028}', '\u{2029}']) {
        return json.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029");
    }
    json
}
