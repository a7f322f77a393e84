//! Names of blocks, `^id`, and the sentences that claims can cite by them.

use std::ops::Range;

use super::Walk;
use super::part::{Anchor, Sentence};

use neuronotes_core::cut::Cut as _;

impl Walk<'_> {
    pub(super) fn anchor(&mut self, id: &str, range: Range<usize>) {
        // On a line of its own, it names the block before it.
        let alone = self.at.text.cut(range.clone()).trim() == format!("^{id}");
        let span = if alone { self.last_block.clone() } else { range };
        let in_caption = self.is_caption;
        self.out.anchors.push(Anchor { id: id.to_owned(), span, sentence: None, in_caption });
    }

    /// The sentence begins that a name cites.
    pub(super) fn cited(&mut self, id: &str, start: usize) {
        let waits = |anchor: &Anchor| anchor.id == id && anchor.sentence.is_none();
        let at = self.out.anchors.iter().rposition(waits);
        self.cited = at.map(|at| (at, self.flat.len(), start));
    }

    pub(super) fn cited_end(&mut self, end: usize) {
        let Some((at, from, start)) = self.cited.take() else { return };
        let Some(anchor) = self.out.anchors.get_mut(at) else { return };
        let text = self.flat.cut(from..).trim().to_owned();
        anchor.sentence = Some(Sentence { text, span: start..end });
    }
}
