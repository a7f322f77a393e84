//! The formulas of a note, converted together, with diagnostics.

use std::ops::Range;

use neuronotes_core::cut::Cut as _;

use super::super::mark::unmarked;
use super::super::math::{self, Formulas};
use super::Walk;
use crate::tex;

impl Walk<'_> {
    pub(super) fn math(&mut self, tex: &str, display: bool, range: Range<usize>) {
        if !self.hide_text {
            // A heading's text is also its anchor, which is made of what is written.
            let shown = if self.heading.is_some() { tex.to_owned() } else { tex::plain(tex) };
            self.flat.push_str(&unmarked(&shown));
        }
        let formulas = self.formulas.get_or_insert_with(|| Formulas::new(self.macros));
        let made = formulas.add(tex, display);
        let html = made.unwrap_or_else(|fault| {
            let source = self.at.text.cut(range.clone());
            // If the formula is not verbatim in the source, such as in a block quote, its span is the whole element.
            let span = source.find(tex).map_or(range.clone(), |at| {
                let start = range.start + at;
                let last = fault.span.end.max(fault.span.start + 1);
                let end = self.at.text.ceil_char_boundary((start + last).min(range.end));
                self.at.text.floor_char_boundary(start + fault.span.start)..end
            });
            self.unreadable(span, &fault.message);
            math::unread(tex, &fault)
        });
        self.formula_places.push(range);
        self.element(&math::without_ids(&html));
    }

    /// A formula that is shown as its source. This is a warning, since the author's own programs may read it.
    fn unreadable(&mut self, span: Range<usize>, message: &str) {
        let problem = self.at.warning(span, format!("the formula cannot be read: {message}"));
        let hint = if message.starts_with("unknown command") {
            "define the command under `math: macros:` in neuronotes.yaml, or with `\\newcommand` in a formula"
        } else {
            "dollar signs enclose mathematics; write `\\$` for a literal dollar sign"
        };
        self.out.problems.push(problem.hint(hint.to_owned()));
    }

    /// All formulas are known now, and so are the equations that they refer to.
    pub(super) fn end_formulas(&mut self) {
        let Some(formulas) = self.formulas.take() else { return };
        let (html, problems) = formulas.finish();
        self.out.formulas = html;
        for (number, message) in problems {
            let Some(place) = self.formula_places.get(number) else { continue };
            let problem = self.at.warning(place.clone(), message);
            let hint = "define each label once per note with `\\label{eq:name}`, and refer to it with `\\eqref{eq:name}`";
            self.out.problems.push(problem.hint(hint.to_owned()));
        }
    }
}
