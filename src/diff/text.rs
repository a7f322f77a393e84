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
    // One alignment of several equally short ones, whichever text is the earlier one.
    let turned = old > new;
    let (first, second) = if turned { (new, old) } else { (old, new) };
    let mut config = TextDiff::configure();
    config.algorithm(Algorithm::Myers);
    let diff = match old.len().max(new.len()) > LONGEST {
        true => config.diff_lines(first, second),
        false => config.diff_words(first, second),
    };
    let is = |tag: ChangeTag| match (tag, turned) {
        (ChangeTag::Equal, _) => "same",
        (ChangeTag::Delete, false) | (ChangeTag::Insert, true) => "gone",
        (ChangeTag::Insert, false) | (ChangeTag::Delete, true) => "new",
    };
    let mut changed = [0, 0];
    for change in diff.iter_all_changes() {
        match is(change.tag()) {
            "gone" => changed[0] += count(change.value()),
            "new" => changed[1] += count(change.value()),
            _ => {}
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
    let words: Vec<&str> =
        if turned { diff.iter_old_slices().collect() } else { diff.iter_new_slices().collect() };
    for word in words {
        line += word.matches('\n').count();
        lines.push(line);
    }
    let passage = |ops: Vec<similar::DiffOp>| {
        let range = |op: &similar::DiffOp| if turned { op.old_range() } else { op.new_range() };
        let first = ops.first().map_or(0, |op| range(op).start);
        let mut pieces: Vec<Piece> = Vec::new();
        // What is gone stands before what is new in its place.
        let (mut gone, mut new) = (String::new(), String::new());
        let put = |pieces: &mut Vec<Piece>, is, text: &mut String| {
            let text = std::mem::take(text);
            match pieces.last_mut().filter(|last| last.is == is) {
                _ if text.is_empty() => {}
                Some(last) => last.text.push_str(&text),
                None => pieces.push(Piece { is, text }),
            }
        };
        for change in ops.iter().flat_map(|op| diff.iter_changes(op)) {
            match is(change.tag()) {
                "gone" => gone.push_str(change.value()),
                "new" => new.push_str(change.value()),
                _ => {
                    put(&mut pieces, "gone", &mut gone);
                    put(&mut pieces, "new", &mut new);
                    put(&mut pieces, "same", &mut change.value().to_owned());
                }
            }
        }
        put(&mut pieces, "gone", &mut gone);
        put(&mut pieces, "new", &mut new);
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
