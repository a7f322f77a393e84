//! The index against a reader of its files and a search that reads everything.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::Value;
use unicode_normalization::UnicodeNormalization as _;
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory as _};
use unicode_script::{Script, UnicodeScript as _};

use super::*;

/// Reads the files as the page's script does.
struct Reader {
    files: BTreeMap<String, Value>,
}

impl Reader {
    fn of(pages: &[Page]) -> Self {
        let indexed: Vec<Indexed> = pages.iter().map(indexed).collect();
        let files = files(&indexed.iter().collect::<Vec<_>>());
        let read = |(path, text): (String, String)| {
            let name = path.strip_suffix(".js").expect("a script").to_owned();
            let data = text.strip_prefix(&format!("neuronotes.take({name:?},"));
            let data = data.and_then(|text| text.strip_suffix(");\n")).expect("data");
            (name, serde_json::from_str(data).expect("JSON"))
        };
        Self { files: files.into_iter().map(read).collect() }
    }

    fn meta(&self, field: &str) -> &Value {
        &self.files["search/meta"][field]
    }

    fn starting(&self) -> Vec<Vec<u16>> {
        let terms = self.meta("terms").as_array().expect("terms");
        terms.iter().map(|term| term.as_str().expect("a term").encode_utf16().collect()).collect()
    }

    /// Entry → weight, for a term or all that begin with it.
    fn find(&self, wanted: &str, prefix: bool) -> BTreeMap<usize, u32> {
        let units: Vec<u16> = wanted.encode_utf16().collect();
        let starting = self.starting();
        let mut found = BTreeMap::new();
        let first = starting.partition_point(|term| *term <= units).saturating_sub(1);
        for (shard, start) in starting.iter().enumerate().skip(first) {
            if shard > first && !start.starts_with(&units) {
                break;
            }
            let lines = self.files[&format!("search/t{shard}")].as_str().expect("lines");
            for line in lines.lines() {
                let (term, postings) = line.split_once('\t').expect("a term and its postings");
                if term == wanted || prefix && term.starts_with(wanted) {
                    for (entry, weight) in decoded(postings) {
                        let best: &mut u32 = found.entry(entry).or_default();
                        *best = weight.max(*best);
                    }
                }
            }
        }
        found
    }

    /// Path, title, anchor, heading and text of an entry.
    fn entry(&self, number: usize) -> (Value, Value, Value) {
        let starts = self.meta("starts").as_array().expect("starts");
        let shard = starts.partition_point(|start| start.as_u64() <= Some(number as u64)) - 1;
        let pages = self.files[&format!("search/e{shard}")].as_array().expect("pages");
        let first = |page: &Value| page[2].as_u64().expect("a number") as usize;
        let page = pages.iter().rfind(|page| first(page) <= number).expect("a page");
        (page[0].clone(), page[1].clone(), page[3][number - first(page)].clone())
    }
}

fn decoded(postings: &str) -> Vec<(usize, u32)> {
    let (mut entry, mut digits, mut all) = (0, String::new(), Vec::new());
    for c in postings.chars() {
        if c.is_ascii_uppercase() {
            entry += usize::from_str_radix(&digits, 36).expect("a step");
            all.push((entry - 1, c as u32 - 'A' as u32 + 1));
            digits.clear();
        } else {
            digits.push(c);
        }
    }
    assert_eq!(digits, "");
    all
}

/// The terms of a text by the format's rules, letter by letter.
fn slow_terms(text: &str) -> Vec<String> {
    let group = |c: char| c.general_category_group();
    let bare: String = text.nfkd().filter(|c| group(*c) != GeneralCategoryGroup::Mark).collect();
    let mut spaced = String::new();
    for c in bare.to_lowercase().chars() {
        let alone = [
            Script::Han,
            Script::Hiragana,
            Script::Katakana,
            Script::Thai,
            Script::Lao,
            Script::Khmer,
            Script::Myanmar,
        ]
        .contains(&c.script());
        match group(c) {
            GeneralCategoryGroup::Letter | GeneralCategoryGroup::Number if alone => {
                spaced.extend([' ', c, ' ']);
            }
            GeneralCategoryGroup::Letter | GeneralCategoryGroup::Number => spaced.push(c),
            _ => spaced.push(' '),
        }
    }
    spaced.split(' ').filter(|t| !t.is_empty()).map(|t| t.chars().take(32).collect()).collect()
}

/// Entry → weight, by reading everything.
fn slow_find(pages: &[Page], fits: impl Fn(&str) -> bool) -> BTreeMap<usize, u32> {
    let mut found = BTreeMap::new();
    for (number, entry) in pages.iter().flat_map(|page| &page.entries).enumerate() {
        let mut terms: BTreeMap<String, u32> = BTreeMap::new();
        for term in slow_terms(&entry.text) {
            let count = terms.entry(term).or_default();
            *count = (*count + 1).min(3);
        }
        let mut names = Vec::new();
        for (field, weight) in [
            (Field::Title, 8),
            (Field::Heading, 5),
            (Field::Tag, 5),
            (Field::Caption, 3),
            (Field::Name, 20),
        ] {
            let texts = entry.fields.iter().filter(|(kind, _)| *kind == field);
            let mut in_field: Vec<String> = texts.flat_map(|(_, text)| slow_terms(text)).collect();
            in_field.sort_unstable();
            in_field.dedup();
            for term in in_field {
                if field == Field::Name {
                    names.push(term.clone());
                }
                *terms.entry(term).or_default() += weight;
            }
        }
        for (term, weight) in &mut terms {
            *weight = (*weight).min(if names.contains(term) { 26 } else { 19 });
        }
        let fitting = terms.into_iter().filter(|(term, _)| fits(term));
        if let Some(weight) = fitting.map(|(_, weight)| weight).max() {
            found.insert(number, weight);
        }
    }
    found
}

fn page(path: &str, texts: &[&str]) -> Page {
    let entry = |(n, text): (usize, &&str)| Entry {
        anchor: if n == 0 { String::new() } else { format!("part-{n}") },
        heading: (n > 0).then(|| format!("Part {n}")),
        text: (*text).to_owned(),
        fields: Vec::new(),
    };
    Page {
        path: path.to_owned(),
        title: path.to_uppercase(),
        entries: texts.iter().enumerate().map(entry).collect(),
    }
}

#[test]
fn the_files_are_as_the_format_says() {
    let mut pages = [
        page("a.html", &["The bank, the the the", "of \u{2028}\"Emil\""]),
        page("b.html", &["bank"]),
    ];
    pages[0].entries[0].fields = vec![
        (Field::Title, "Piggy bank".into()),
        (Field::Tag, "#Bank".into()),
        (Field::Tag, "#Bank \"A\"".into()),
        (Field::Name, "612".into()),
    ];
    let indexed: Vec<Indexed> = pages.iter().map(indexed).collect();
    let all: Vec<String> = files(&indexed.iter().collect::<Vec<_>>())
        .into_iter()
        .map(|(path, text)| format!("{path}: {text}"))
        .collect();
    insta::assert_snapshot!(all.concat(), @r###"
    search/meta.js: neuronotes.take("search/meta",{"entries":3,"pages":2,"starts":[0],"terms":[""],"words":[3,4,5]});
    search/e0.js: neuronotes.take("search/e0",[["a.html","A.HTML",0,[["",null,"The bank, the the the"],["part-1","Part 1","of \u2028\"Emil\""]]],["b.html","B.HTML",2,[["",null,"bank"]]]]);
    search/t0.js: neuronotes.take("search/t0","#bank\t1E\n#bank \"a\"\t1E\n612\t1T\na\t1E\nbank\t1N2A\nemil\t2A\nof\t2A\npiggy\t1H\nthe\t1C\n");
    search/w3.js: neuronotes.take("search/w3","0the\n");
    search/w4.js: neuronotes.take("search/w4","0bank\n0emil\n");
    search/w5.js: neuronotes.take("search/w5","0piggy\n");
    "###);
}

#[test]
fn an_empty_site_has_an_empty_index() {
    let files = files(&[]);
    assert_eq!(files.len(), 1);
    assert!(files[0].1.contains(r#""entries":0"#), "{}", files[0].1);
    let reader = Reader::of(&[page("a.html", &[]), page("b.html", &[""]), page("c.html", &["x"])]);
    assert_eq!(reader.find("x", false), BTreeMap::from([(1, 1)]));
    assert_eq!(reader.entry(1).0, "c.html");
}

#[test]
fn shards_end_where_they_are_full_and_part_no_page() {
    let long = "word ".repeat(3000);
    let pages: Vec<Page> =
        (0..20).map(|n| page(&format!("{n}.html"), &[&long, &format!("only{n}"), &long])).collect();
    let reader = Reader::of(&pages);
    assert_eq!(reader.meta("starts").as_array().expect("starts").len(), 20);
    for n in 0..20 {
        let found = reader.find(&format!("only{n}"), false);
        assert_eq!(found, BTreeMap::from([(3 * n + 1, 1)]));
        let (path, _, entry) = reader.entry(3 * n + 1);
        assert_eq!((path, &entry[0]), (format!("{n}.html").into(), &"part-1".into()));
    }
}

#[test]
fn a_prefix_reaches_over_shards() {
    let texts: Vec<String> = (0..9000).map(|n| format!("x{n:05}aaaaaaaaaa y{n:05}")).collect();
    let pages: Vec<Page> =
        texts.iter().enumerate().map(|(n, t)| page(&format!("{n}.html"), &[t])).collect();
    let reader = Reader::of(&pages);
    let shards = reader.starting().len();
    assert!(shards > 6, "{shards}");
    for size in reader
        .files
        .iter()
        .filter(|(name, _)| name.contains("/t"))
        .map(|(_, v)| v.as_str().map_or(0, str::len))
    {
        assert!(size <= SHARD, "{size}");
    }
    assert_eq!(reader.find("x", true).len(), 9000);
    assert_eq!(reader.find("x04", true).len(), 1000);
    assert_eq!(reader.find("y08999", true).len(), 1);
    assert!(reader.find("z", true).is_empty() && reader.find("a", true).is_empty());
}

#[test]
fn terms_stand_in_javascripts_order() {
    let terms = [
        "a",
        "ab",
        "b",
        "é",
        "\u{d7ff}",
        "\u{e000}",
        "\u{ffff}",
        "\u{10000}",
        "\u{10ffff}",
        "\u{10000}a",
    ];
    for a in terms {
        for b in terms {
            let by_units = a.encode_utf16().cmp(b.encode_utf16());
            assert_eq!(utf16_order(a, b), by_units, "{a:?} {b:?}");
        }
    }
}

proptest! {
    #[test]
    fn the_index_finds_what_reading_everything_finds(
        texts in prop::collection::vec(prop::collection::vec(
            (
                "([A-Cß-éΣσ ﬁ神かไ한\u{301}\u{10400}\u{fb4f}1²'._-]{1,4} ?){0,8}",
                prop::collection::vec((prop::sample::select(vec![Field::Title, Field::Heading, Field::Tag, Field::Caption, Field::Name]), "[A-c é神]{0,6}"), 0..4),
            ), 0..4), 0..6),
        any in "\\PC{0,20}",
        at in any::<prop::sample::Index>(),
    ) {
        let pages: Vec<Page> = texts.into_iter().enumerate().map(|(n, entries)| {
            let mut page = page(&format!("{n}.html"), &[]);
            page.entries = entries.into_iter().map(|(text, fields)| Entry {
                anchor: String::new(), heading: None, text: text + &any, fields,
            }).collect();
            page
        }).collect();
        let reader = Reader::of(&pages);
        let entries: Vec<&Entry> = pages.iter().flat_map(|page| &page.entries).collect();
        let mut terms: Vec<String> = entries.iter().flat_map(|entry| slow_terms(&entry.text)).collect();
        terms.push("none".into());
        let term = at.get(&terms);
        prop_assert_eq!(reader.find(term, false), slow_find(&pages, |t| t == term));
        let first: String = term.chars().take(1).collect();
        prop_assert_eq!(reader.find(&first, true), slow_find(&pages, |t| t.starts_with(&first)));
        for (number, entry) in entries.iter().enumerate() {
            let shown = reader.entry(number).2;
            prop_assert_eq!(shown[2].as_str(), Some(&entry.text[..]));
        }
    }
}
