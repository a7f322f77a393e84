//! Numerals in a note's prose that are typed: neither a value shows them, nor does a claim about their paragraph name them.
//!
//! What is not prose is left out: code, formulas, links, headings, citations and blocks. So are numerals that name something
//! (`unit 89`, `Figure 2`, `RN50x4`), dates, years and ordinals. `one` is a pronoun more often than a
//! number, and `two` seldom a result.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

use pulldown_cmark::{Event, Tag, TagEnd};
use regex::Regex;

use super::amount::{WORDS, amount, is_named, is_word};
use super::block::Block;
use super::markup::{self, Piece};
use super::outline::Anchor;

use neuronotes_core::cut::Cut as _;

/// A numeral in prose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numeral {
    /// As written: `4.2`, `seven`.
    pub text: String,
    /// Span in the note; for one in a caption that is not there verbatim, that of the caption.
    pub span: Range<usize>,
}

/// Words after which a number is a name.
const NAMED: [&str; 30] = [
    "unit", "units", "neuron", "neurons", "feature", "features", "channel", "channels", "layer",
    "layers", "figure", "figures", "fig", "table", "section", "chapter", "page", "pages", "step",
    "equation", "note", "version", "head", "heads", "seed", "block", "stage", "issue", "part",
    "item",
];

const MONTHS: &str =
    "January|February|March|April|May|June|July|August|September|October|November|December";

/// A fixed expression, compiled; one that were wrong would find nothing, which the tests show.
fn compiled(pattern: &str) -> Option<Regex> {
    Regex::new(pattern).ok()
}

/// A boundary of a word of ASCII, which is found without looking back; letters beside a number are looked at anyway.
const B: &str = r"(?-u:\b)";

/// What a number can be: digits with separators, or a word.
static NUMBER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    compiled(&format!(
        r"(?i)[0-9]+(?:[,.\u{{a0}}\u{{202f}}][0-9]+)*|{B}(?:{})s?{B}",
        WORDS.map(|(word, _)| word).join("|")
    ))
});

/// Dates and times, which are no measurements.
static DATE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    compiled(&format!(
        r"{B}[0-9]{{4}}-[0-9]{{2}}(?:-[0-9]{{2}})?{B}|{B}(?:{MONTHS}) [0-9]{{1,2}}(?:, [0-9]{{4}})?{B}|{B}[0-9]{{1,2}} (?:{MONTHS}){B}|{B}[0-9]{{1,2}}:[0-9]{{2}}{B}"
    ))
});

/// The numerals of a note whose Markdown begins at byte `body` that neither a value nor a claim covers, in order. A claim
/// covers those numbers in the paragraph that it cites which its condition names.
pub(super) fn typed(
    source: &str,
    body: usize,
    blocks: &[Block],
    anchors: &[Anchor],
) -> Vec<Numeral> {
    let cited = cited(blocks);
    let covered = anchors.iter().filter_map(|anchor| Some((&anchor.span, cited.get(&*anchor.id)?)));
    let covered: Vec<(&Range<usize>, &Vec<f64>)> = covered.collect();
    let mut found: Vec<Numeral> = Vec::new();
    for run in prose(source, body) {
        for place in numerals(&run.text) {
            let numeral = run.place(place.clone());
            let mut around = covered.iter().filter(|(span, _)| {
                span.start <= numeral.span.start && numeral.span.end <= span.end
            });
            if !around.any(|(_, numbers)| names(&run.text, &place, numbers)) {
                found.push(numeral);
            }
        }
    }
    for block in blocks {
        let Some(caption) = block.fields.get("caption") else { continue };
        let text = &block.caption_text;
        let is_own = |id: &str| block.caption_anchors.iter().any(|anchor| anchor.id == id);
        let own = cited.iter().filter(|(id, _)| is_own(id));
        let own: Vec<f64> = own.flat_map(|(_, numbers)| numbers).copied().collect();
        // YAML may fold a caption, so a numeral is looked for from the end of the previous one.
        let mut from = caption.span.start;
        for place in numerals(text) {
            let numeral = text.get(place.clone()).unwrap_or_default().to_owned();
            let rest = source.get(from..block.span.end).unwrap_or_default();
            let span = match rest.find(&numeral) {
                Some(at) => from + at..from + at + numeral.len(),
                None => caption.span.clone(),
            };
            from = span.end;
            if !names(text, &place, &own) {
                found.push(Numeral { text: numeral, span });
            }
        }
    }
    found.sort_by_key(|numeral| numeral.span.start);
    found
}

/// The names of sentences that claims cite, with the numbers that the claims' conditions name.
fn cited(blocks: &[Block]) -> BTreeMap<&str, Vec<f64>> {
    let mut cited: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for claim in blocks.iter().flat_map(|block| &block.claims) {
        if let Some((name, _)) = &claim.cites {
            cited.entry(name).or_default().extend(claim.expression.numbers());
        }
    }
    cited
}

/// Whether these numbers include the numeral at a place of a text.
fn names(text: &str, place: &Range<usize>, numbers: &[f64]) -> bool {
    let numeral = text.get(place.clone()).unwrap_or_default();
    let after = text.get(place.end..).unwrap_or_default();
    amount(numeral, after).is_some_and(|amount| is_named(amount, numbers))
}

/// The plain text of a paragraph, with the place of each of its pieces in the note.
#[derive(Debug, Default)]
struct Run {
    text: String,
    /// Offset in the text, offset in the note.
    pieces: Vec<(usize, usize)>,
}

impl Run {
    fn add(&mut self, text: &str, at: usize) {
        self.pieces.push((self.text.len(), at));
        self.text.push_str(text);
    }

    fn place(&self, span: Range<usize>) -> Numeral {
        let index = self.pieces.partition_point(|(start, _)| *start <= span.start);
        let (start, at) = index.checked_sub(1).map_or((0, 0), |index| self.pieces[index]);
        let from = at + span.start - start;
        let text = self.text.get(span).unwrap_or_default().to_owned();
        Numeral { span: from..from + text.len(), text }
    }
}

/// The paragraphs of a note. What is no prose stands in them as a sign that no number contains.
fn prose(source: &str, body: usize) -> Vec<Run> {
    let (mut runs, mut run, mut hidden) = (Vec::new(), Run::default(), 0_usize);
    markup::walk(source.cut(body..), &mut |piece, range| {
        let at = body + range.start;
        match piece {
            Piece::Plain(Event::Text(text)) if hidden == 0 => {
                // Only what is there verbatim has places.
                match source.get(at..at + text.len()) == Some(&*text) {
                    true => run.add(&text, at),
                    false => run.add("\u{fffc}", at),
                }
            }
            Piece::Plain(Event::Start(tag)) => match tag {
                Tag::Emphasis | Tag::Strong | Tag::Strikethrough => {}
                Tag::Link { .. } | Tag::Image { .. } => {
                    run.add("\u{fffc}", at);
                    hidden += 1;
                }
                tag => {
                    runs.push(std::mem::take(&mut run));
                    hidden += usize::from(matches!(
                        tag,
                        Tag::Heading { .. } | Tag::CodeBlock(_) | Tag::HtmlBlock
                    ));
                }
            },
            Piece::Plain(Event::End(tag)) => match tag {
                TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough => {}
                TagEnd::Link | TagEnd::Image => hidden = hidden.saturating_sub(1),
                tag => {
                    runs.push(std::mem::take(&mut run));
                    let hides =
                        matches!(tag, TagEnd::Heading(_) | TagEnd::CodeBlock | TagEnd::HtmlBlock);
                    hidden = hidden.saturating_sub(usize::from(hides));
                }
            },
            Piece::Plain(Event::SoftBreak | Event::HardBreak) => run.add(" ", at),
            Piece::Plain(Event::Code(_) | Event::InlineMath(_) | Event::DisplayMath(_))
            | Piece::Cite(_)
            | Piece::Tag(_) => run.add("\u{fffc}", at),
            _ => {}
        }
    });
    runs.push(run);
    runs
}

/// The numerals in a text that may be measurements.
fn numerals(text: &str) -> Vec<Range<usize>> {
    let (Some(number), Some(date)) = (&*NUMBER, &*DATE) else { return Vec::new() };
    let dates: Vec<Range<usize>> = date.find_iter(text).map(|found| found.range()).collect();
    let mut found = Vec::new();
    // The end of the last number that names something.
    let mut named: Option<usize> = None;
    for place in number.find_iter(text).map(|found| found.range()) {
        let (before, after) =
            (text.get(..place.start).unwrap_or(""), text.get(place.end..).unwrap_or(""));
        let digits = text.get(place.clone()).unwrap_or("");
        let is_digits = digits.starts_with(|c: char| c.is_ascii_digit());
        let glued = before.ends_with(|c: char| {
            c.is_alphanumeric() || matches!(c, '_' | '#' | '^' | '\u{fdd0}'..='\u{fdef}')
        }) || before.ends_with(['-', '/', '.'])
            && before.trim_end_matches(['-', '/', '.']).ends_with(char::is_alphanumeric)
            || after.starts_with(|c: char| {
                c.is_alphabetic() || matches!(c, '_' | '\u{fdd0}'..='\u{fdef}')
            });
        // Words with a hyphen, such as `twenty-one` and `two-alternative`, are one.
        let hyphened =
            !is_digits && (before.ends_with('-') || after.starts_with('-') && !compound(after));
        let word =
            before.trim_end().rsplit(|c: char| !c.is_alphanumeric()).find(|word| !word.is_empty());
        let follows = before.ends_with(char::is_whitespace) || before.ends_with("#");
        let is_named =
            follows && word.is_some_and(|word| NAMED.contains(&word.to_lowercase().as_str()));
        let joined = named.is_some_and(|end| {
            let between = text.get(end..place.start).unwrap_or("").trim();
            matches!(between, "," | "and" | "or" | "to" | "–" | "-" | "/" | ", and" | "×" | "x")
        });
        if is_named && is_digits || joined {
            named = Some(place.end);
            continue;
        }
        let year = is_digits
            && digits.len() == 4
            && digits.parse::<u32>().is_ok_and(|year| (1800..2100).contains(&year));
        let dated = dates.iter().any(|date| date.start <= place.start && place.end <= date.end);
        if !(glued || hyphened || year || dated) {
            found.push(place);
        }
    }
    found
}

/// Whether a hyphen and another number word follow: `twenty-one`.
fn compound(after: &str) -> bool {
    let next = after.trim_start_matches('-').split(|c: char| !c.is_alphabetic()).next();
    next.is_some_and(|word| word == "one" || is_word(word))
}

#[cfg(test)]
mod tests {
    use crate::note::Note;

    fn found(source: &str) -> Vec<String> {
        let note = Note::parse("a.md", "notes/a.md", source);
        note.typed_numerals()
            .into_iter()
            .map(|numeral| {
                let own = note.source.get(numeral.span.clone()) == Some(numeral.text.as_str());
                let place = if own { numeral.span.start.to_string() } else { "caption".to_owned() };
                format!("{place} {}", numeral.text)
            })
            .collect()
    }

    #[test]
    fn numerals_that_may_be_measured_are_found_with_their_places() {
        assert_eq!(
            found("Seven of the eight are clocks, 4.2 times."),
            ["0 Seven", "13 eight", "31 4.2"]
        );
        assert_eq!(
            found("It reaches **12,345** and\n*87.5* %; twenty-one of them."),
            ["13 12,345", "27 87.5", "36 twenty"]
        );
        assert_eq!(
            found("- 3 of 4\n- at 5\n\n| a |\n|---|\n| 6 |\n"),
            ["2 3", "7 4", "14 5", "31 6"]
        );
        assert_eq!(found("> About 30 of them.\n"), ["8 30"]);
        assert_eq!(found("Activations between 3 and 5, or −2."), ["20 3", "26 5", "35 2"]);
    }

    #[test]
    fn what_names_something_or_is_no_prose_is_left_out() {
        for text in [
            "# 3 clocks\n",
            "Unit 89 and units 244, 3 and 7 of layer 4; see Figure 2 and Table 3.",
            "`= vis.top[0].activation | .1f` of `8`, $x^2 + 4$, `at 5`.",
            "[Unit 7 of 9](b.md), [[Version 2]], <https://example.org/12>, ![3](c.png)",
            "On 2026-11-24, November 24, 2026, 3 May and at 10:30; in 2021, the 1st of them, the 1990s.",
            "RN50x4, ViT-B/32, x2, 4x, fp16, v1.2, block_4, a two-alternative task, image_block_4/0/Add_6.",
            "One of them is a pronoun.[^1]\n\n[^1]: As in a note.\n",
            "---\nnumber: 5\n---\n\n```yaml analysis\nid: vis\nkind: feature_vis\nunit: 5\n```\n\n    code 5\n\n<p title=\"5\">\n5\n</p>\n",
            "1. First\n2. Second\n",
            "Cited [@goh2021, p. 12] and #tag2.",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn a_claim_covers_the_numbers_that_it_names_and_no_others() {
        let block = |more: &str| {
            format!(
                "```yaml analysis\nid: vis\nkind: feature_vis\nlayer: image_block_4/0/Add_6\nunit: 5\n{more}```\n"
            )
        };
        let text = "Eight of them are hands, 80 % of all, in three styles. ^eight\n\n";
        let left = |that: &str| {
            let claim = format!("expect:\n  - {{ that: \"{that}\", claim: ^eight }}\n");
            let found = found(&format!("{text}{}", block(&claim)));
            found
                .iter()
                .filter_map(|one| Some(one.split_once(' ')?.1.to_owned()))
                .collect::<Vec<_>>()
        };
        assert_eq!(left("activation > 1"), ["Eight", "80", "three"]);
        assert_eq!(left("count of top.label in hands == 8"), ["80", "three"]);
        assert_eq!(left("at least 8 of top[:10].label in hands and share == 0.8"), ["three"]);
        assert_eq!(left("all top[:8].label in hands or share > 80%"), ["three"]);
        // Another claim about the same sentence names the rest; a sentence without a claim has none.
        let both = "expect:\n  - { that: activation > 3, claim: ^eight }\n  - { that: \"activation in 8..80\", claim: ^eight }\n";
        assert_eq!(found(&format!("{text}{}", block(both))), [""; 0]);
        let other = format!("Eight of them.\n\n{text}{}", block(both));
        assert_eq!(found(&other), ["0 Eight"]);
        let caption = "caption: Seven of the eight. ^own\nexpect:\n  - { that: activation == 8, claim: ^own }\n";
        let found_in = found(&block(caption));
        assert_eq!(found_in.len(), 1, "{found_in:?}");
        assert!(found_in[0].ends_with(" Seven"), "{found_in:?}");
        let caption = block("caption: Unit 5, in `= vis.steps` of 8 steps.\n");
        assert_eq!(found(&caption), [format!("{} 8", caption.find("8 steps").expect("in it"))]);
    }
}
