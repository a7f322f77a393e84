//! What was written: notes that are new, gone, renamed or edited, by words.

use serde::Serialize;
use similar::{Algorithm, ChangeTag, TextDiff};

use super::pair::Pair;
use super::side::Sides;
use crate::note::Note;

/// Words of context on each side of a change; spaces count, too.
const CONTEXT: usize = 16;
/// Longest text in bytes that is compared by words; a longer one is compared by lines.
const LONGEST: usize = 400_000;
/// Fraction of words in common below which a text counts as rewritten.
const REWRITTEN: f32 = 0.3;

/// A note whose text differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TextChange {
    /// Its path; of a note that is gone, the earlier one.
    pub note: String,
    /// Its title.
    pub title: String,
    /// `new`, `gone`, `renamed` (and nothing else) or `edited`.
    pub is: &'static str,
    /// Its earlier path, if it was renamed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Numbers of words before and after.
    pub words: [usize; 2],
    /// Numbers of words that are gone and new.
    pub changed: [usize; 2],
    /// Whether so little is left that the two texts are shown side by side.
    pub rewritten: bool,
    /// Changed passages with some words around them. Empty for notes that are new or gone.
    pub passages: Vec<Passage>,
}

/// A passage that was edited.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Passage {
    /// The line of the later file where it begins.
    pub line: usize,
    /// Its pieces in order.
    pub pieces: Vec<Piece>,
}

/// A piece of a passage.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Piece {
    /// `same`, `gone` or `new`.
    pub is: &'static str,
    /// Its text.
    pub text: String,
}

/// What differs between the texts of a pair; `None` if nothing does.
pub fn compare(sides: &Sides, pair: Pair) -> Option<TextChange> {
    let a = pair.a.map(|at| &*sides.a.site.read_notes()[at]);
    let b = pair.b.map(|at| &*sides.b.site.read_notes()[at]);
    match (a, b) {
        (Some(a), Some(b)) if a.source == b.source && a.path == b.path => None,
        (Some(a), Some(b)) => Some(edited(a, b)),
        (None, Some(b)) => Some(whole(b, "new")),
        (Some(a), None) => Some(whole(a, "gone")),
        (None, None) => None,
    }
}

fn count(text: &str) -> usize {
    text.split_whitespace().count()
}

fn whole(note: &Note, is: &'static str) -> TextChange {
    let words = count(&note.source);
    let words = if is == "new" { [0, words] } else { [words, 0] };
    TextChange {
        note: note.path.clone(),
        title: note.title.clone(),
        is,
        from: None,
        words,
        changed: words,
        rewritten: false,
        passages: Vec::new(),
    }
}

fn edited(a: &Note, b: &Note) -> TextChange {
    let from = (a.path != b.path).then(|| a.path.clone());
    let (passages, changed, rewritten) = passages(&a.source, &b.source);
    TextChange {
        note: b.path.clone(),
        title: b.title.clone(),
        is: if a.source == b.source { "renamed" } else { "edited" },
        from,
        words: [count(&a.source), count(&b.source)],
        changed,
        rewritten,
        passages,
    }
}

/// The passages in which two texts differ, the numbers of words that are gone and new, and whether little else is left.
pub fn passages(old: &str, new: &str) -> (Vec<Passage>, [usize; 2], bool) {
    if old == new {
        return (Vec::new(), [0, 0], false);
    }
    let mut config = TextDiff::configure();
    config.algorithm(Algorithm::Myers);
    let diff = match old.len().max(new.len()) > LONGEST {
        true => config.diff_lines(old, new),
        false => config.diff_words(old, new),
    };
    let mut changed = [0, 0];
    for change in diff.iter_all_changes() {
        match change.tag() {
            ChangeTag::Delete => changed[0] += count(change.value()),
            ChangeTag::Insert => changed[1] += count(change.value()),
            ChangeTag::Equal => {}
        }
    }
    // Words only: what is between them is alike in any two texts.
    let all = count(old) + count(new);
    let same = all.saturating_sub(changed[0] + changed[1]);
    if (same as f32) < REWRITTEN * all as f32 {
        let piece = |is, text: &str| Piece { is, text: text.to_owned() };
        let pieces = vec![piece("gone", old), piece("new", new)];
        return (vec![Passage { line: 1, pieces }], changed, true);
    }
    let mut line = 1;
    let mut lines = vec![1];
    for word in diff.iter_new_slices() {
        line += word.matches('\n').count();
        lines.push(line);
    }
    let passage = |ops: Vec<similar::DiffOp>| {
        let first = ops.first().map_or(0, |op| op.new_range().start);
        let mut pieces: Vec<Piece> = Vec::new();
        for change in ops.iter().flat_map(|op| diff.iter_changes(op)) {
            let is = match change.tag() {
                ChangeTag::Equal => "same",
                ChangeTag::Delete => "gone",
                ChangeTag::Insert => "new",
            };
            match pieces.last_mut().filter(|last| last.is == is) {
                Some(last) => last.text.push_str(change.value()),
                None => pieces.push(Piece { is, text: change.value().to_owned() }),
            }
        }
        Passage { line: lines.get(first).copied().unwrap_or(1), pieces }
    };
    (diff.grouped_ops(CONTEXT).into_iter().map(passage).collect(), changed, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(old: &str, new: &str) -> Vec<String> {
        let (passages, _, _) = passages(old, new);
        let piece = |piece: &Piece| match piece.is {
            "gone" => format!("[-{}-]", piece.text),
            "new" => format!("{{+{}+}}", piece.text),
            _ => piece.text.clone(),
        };
        let all = passages.iter();
        all.map(|p| format!("{}: {}", p.line, p.pieces.iter().map(piece).collect::<String>()))
            .collect()
    }

    #[test]
    fn words_are_compared_and_not_lines() {
        let old =
            "The unit fires for coins\nand for the word bank in any font that we tried so far.\n";
        let new =
            "The unit fires for coins and\nfor the word bank in every font that we tried so far.\n";
        let found = shown(old, new);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("[-any-]{+every+}") && found[0].starts_with("1: "), "{found:?}");
        assert_eq!(shown(old, old), [""; 0]);
    }

    #[test]
    fn far_changes_are_passages_of_their_own_with_their_lines() {
        let filler = "word ".repeat(40);
        let old = format!("first\n{filler}\n\nlast one\n");
        let new = format!("First\n{filler}\n\nlast two\n");
        let (found, changed, rewritten) = passages(&old, &new);
        assert_eq!(found.iter().map(|p| p.line).collect::<Vec<_>>(), [1, 2]);
        assert_eq!((changed, rewritten), ([2, 2], false));
    }

    #[test]
    fn a_text_of_which_little_is_left_is_shown_whole() {
        let (found, _, rewritten) = passages("one two three four", "five six seven eight");
        assert!(rewritten && found.len() == 1);
        assert_eq!(found[0].pieces[1].text, "five six seven eight");
    }
}
