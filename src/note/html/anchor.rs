//! Anchors of blocks named by `^id`, placed at the beginning of their blocks.

use std::ops::Range;

use pulldown_cmark::Event;

use super::renderer::Renderer;
use crate::note::escape;

use neuronotes_core::cut::Cut as _;

impl Renderer<'_, '_> {
    /// Records where a block begins.
    pub(super) fn begin(&mut self) {
        self.begun.truncate(self.depth);
        self.begun.resize(self.depth, None);
        self.begun.push(Some(self.out.len()));
    }

    /// The anchor of the block that begins here or, if the name stands alone, of the previous one.
    pub(super) fn anchor(&mut self, id: &str, range: Range<usize>) {
        let alone = self.markdown.cut(range).trim().strip_prefix('^') == Some(id);
        let place = match self.parts.names {
            Some((_, known)) if !known.contains(&id) => return,
            Some((prefix, _)) => format!("{}^{}", escape(prefix), escape(id)),
            None => self.id(&format!("^{id}")),
        };
        let anchor = format!("<span class=\"block-anchor\" id=\"{place}\"></span>");
        match alone {
            true => {
                self.mark_before(anchor);
                self.cited_before(id);
            }
            false => {
                self.raw(anchor);
                self.anchored.push(id.to_owned());
            }
        }
    }

    /// Puts an anchor at the beginning of the block that ended last.
    fn mark_before(&mut self, anchor: String) {
        if self.depth > 0 {
            let before = self.begun.get(self.depth).copied().flatten();
            let place = before.map_or(self.out.len(), |place| place.min(self.out.len()));
            self.out.insert(place, Event::Html(anchor.into()));
        } else if let Some(block) = self.done.blocks.last_mut() {
            self.done.html.insert_str(block.place.start, &anchor);
            block.place.end += anchor.len();
        } else {
            self.out.push(Event::Html(anchor.into()));
        }
    }
}
