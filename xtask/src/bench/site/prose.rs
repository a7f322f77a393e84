//! Generated notes: any number, always the same, with words as frequent as in natural text.
//!
//! A note has a title, tags, a date, and sections with paragraphs that link to other notes. How links and front
//! matter are written is up to each generator's format.

use std::fmt::Write as _;

use crate::torture::dice::Dice;

/// Number of different words, so that an index of words is as large as a real garden's.
const WORDS: usize = 4096;
/// Links from each note to others.
const LINKS: usize = 5;
/// Sections per note, of two paragraphs each.
const SECTIONS: usize = 3;
/// Sentences per paragraph.
const SENTENCES: usize = 3;
/// Number of different tags.
const TAGS: usize = 60;
/// The syllables that words consist of.
const SYLLABLES: [&str; 32] = [
    "ba", "con", "da", "el", "fi", "gra", "ho", "in", "ja", "ki", "lo", "mar", "ne", "or", "per",
    "qui", "ra", "sen", "ti", "ul", "ver", "wo", "xe", "ya", "zu", "sta", "pli", "tor", "mi", "ch",
    "an", "es",
];

/// A garden, not yet written to disk.
pub struct Prose {
    words: Vec<String>,
    /// Cumulative frequencies of the words.
    shares: Vec<u64>,
    /// Number of notes.
    pub notes: usize,
}

/// One note.
pub struct Note {
    /// A unique title.
    pub title: String,
    /// The date as in front matter: `2024-03-17`.
    pub date: String,
    /// One or two tags.
    pub tags: Vec<String>,
    /// The note's sections.
    pub sections: Vec<Section>,
}

/// A heading and its paragraphs.
pub struct Section {
    /// Plain text.
    pub heading: String,
    /// The section's paragraphs.
    pub paragraphs: Vec<Paragraph>,
}

/// Markdown, with at most one link.
pub struct Paragraph {
    /// The text before the link.
    pub before: String,
    /// The number of the note that the link points to.
    pub link: Option<usize>,
    /// The text from the link on.
    pub after: String,
}

impl Prose {
    /// Makes a garden with so many notes.
    pub fn new(notes: usize) -> Self {
        let words: Vec<String> = (0..WORDS).map(word).collect();
        // The Zipf–Mandelbrot law: the frequency of the n-th word is proportional to 1 / (n + 2.7).
        let mut total = 0;
        let shares = (1..=WORDS).map(|rank| {
            total += (1e8 / (rank as f64 + 2.7)) as u64;
            total
        });
        Self { shares: shares.collect(), words, notes }
    }

    /// The path of a note without extension; a hundred notes share a folder.
    pub fn path(number: usize) -> String {
        format!("{}/note-{number}", Self::folder(number))
    }

    /// The folder of a note.
    pub fn folder(number: usize) -> String {
        format!("part-{}", number / 100)
    }

    /// A note's title.
    pub fn title(&self, number: usize) -> String {
        let mut dice = Dice::new(2 * number as u64);
        let pair: [&str; 2] = std::array::from_fn(|_| self.word(&mut dice));
        format!("{} {} {number}", capital(pair[0]), pair[1])
    }

    /// A note.
    pub fn note(&self, number: usize) -> Note {
        let mut dice = Dice::new(2 * number as u64 + 1);
        let mut tags: Vec<String> =
            (0..1 + number % 2).map(|_| self.words[100 + below(&mut dice, TAGS)].clone()).collect();
        tags.dedup();
        let (year, month, day) = (2020 + number % 6, 1 + number % 12, 1 + number % 28);
        let section = |index: usize| Section {
            heading: capital(&format!("{} {}", self.word(&mut dice), self.word(&mut dice))),
            paragraphs: (0..2)
                .map(|half| self.paragraph(index * 2 + half < LINKS, &mut dice))
                .collect(),
        };
        let sections = (0..SECTIONS).map(section).collect();
        let date = format!("{year}-{month:02}-{day:02}");
        Note { title: self.title(number), date, tags, sections }
    }

    /// Makes sentences, one of which has the link.
    fn paragraph(&self, linked: bool, dice: &mut Dice) -> Paragraph {
        let mut text = Paragraph { before: String::new(), link: None, after: String::new() };
        for sentence in 0..SENTENCES {
            let length = 9 + below(dice, 10);
            for place in 0..length {
                let at = if text.link.is_some() { &mut text.after } else { &mut text.before };
                let word = self.word(dice);
                let _ = match (place, below(dice, 40)) {
                    (0, _) => write!(at, "{}", capital(word)),
                    (_, 0) => write!(at, " *{word}*"),
                    (_, 1) => write!(at, " **{word}**"),
                    (_, 2) => write!(at, " `{word}`"),
                    (_, 3) => write!(at, ", {word}"),
                    _ => write!(at, " {word}"),
                };
                if linked && sentence == 1 && place == 4 {
                    at.push(' ');
                    text.link = Some(below(dice, self.notes));
                }
            }
            let at = if text.link.is_some() { &mut text.after } else { &mut text.before };
            at.push_str(if sentence + 1 < SENTENCES { ". " } else { "." });
        }
        text
    }

    fn word(&self, dice: &mut Dice) -> &str {
        let total = self.shares.last().copied().unwrap_or(1);
        let share = dice.below(total);
        &self.words[self.shares.partition_point(|&up_to| up_to <= share)]
    }
}

impl Note {
    /// The Markdown below the front matter, with links as a generator writes them.
    pub fn body(&self, link: impl Fn(usize) -> String) -> String {
        let mut text = String::new();
        for section in &self.sections {
            let _ = write!(text, "## {}\n\n", section.heading);
            for Paragraph { before, link: to, after } in &section.paragraphs {
                let to = to.map(&link).unwrap_or_default();
                let _ = write!(text, "{before}{to}{after}\n\n");
            }
        }
        text
    }
}

/// The n-th word; frequent words are short.
fn word(number: usize) -> String {
    // An odd factor reaches every number, and neighbours do not begin alike.
    let mixed = number * 2357 % WORDS;
    let syllable = |index: usize| SYLLABLES[index % SYLLABLES.len()];
    let [first, second, third] = [mixed, mixed / 32, mixed / 1024 * 8 + mixed % 8].map(syllable);
    if number < 64 { format!("{first}{second}") } else { format!("{first}{second}{third}") }
}

fn below(dice: &mut Dice, end: usize) -> usize {
    dice.below(end as u64) as usize
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    #[test]
    fn words_are_many_and_some_are_frequent() {
        let prose = Prose::new(400);
        let different: BTreeSet<&String> = prose.words.iter().collect();
        assert!(different.len() >= 3000, "{}", different.len());
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for number in 0..prose.notes {
            let text = prose.note(number).body(|_| String::new());
            for word in text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()) {
                *counts.entry(word.to_lowercase()).or_default() += 1;
            }
        }
        let total: usize = counts.values().sum();
        assert!((230..270).contains(&(total / prose.notes)), "{} words", total / prose.notes);
        assert!(counts.len() >= 3000, "{} different words", counts.len());
        let most = counts.values().max().copied().unwrap_or_default();
        assert!(most * 60 > total && most * 10 < total, "{most} of {total}");
    }

    #[test]
    fn every_note_has_a_title_of_its_own_and_five_links_and_is_always_the_same() {
        let prose = Prose::new(300);
        let titles: BTreeSet<String> = (0..300).map(|number| prose.title(number)).collect();
        assert_eq!(titles.len(), 300);
        let body = |number| prose.note(number).body(|to| format!("[[{}]]", prose.title(to)));
        assert_eq!(body(7).matches("[[").count(), LINKS);
        assert_eq!(body(7).matches("## ").count(), SECTIONS);
        assert_eq!(body(7), body(7));
        assert_ne!(body(7), body(8));
    }
}
