//! Callouts: recognises the head of a callout in the first line of a block quote.

use pulldown_cmark::{Event, Tag};

use super::{Callout, Piece, Placed, Reader, run};

use neuronotes_core::cut::Cut as _;

impl<'e> Reader<'e, '_> {
    /// If the inline events begin a callout, returns its head and leaves the rest of them.
    pub(super) fn callout(&mut self, run: &mut Vec<Placed<'e>>, source: &'e str) {
        let opens = matches!(
            &self.held[..],
            [.., (Event::Start(Tag::BlockQuote(_)), _), (Event::Start(Tag::Paragraph), _)]
        );
        let Some((kind, after)) =
            source.strip_prefix("[!").filter(|_| opens).and_then(|rest| rest.split_once(']'))
        else {
            return;
        };
        let is_kind = !kind.is_empty()
            && kind.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | ' ' | '|'));
        if !is_kind {
            return;
        }
        let line = after.lines().next().unwrap_or("");
        let (open, title) = match line.as_bytes().first() {
            Some(b'-') => (Some(false), line.cut(1..)),
            Some(b'+') => (Some(true), line.cut(1..)),
            _ => (None, line),
        };
        let place = run[0].1.start;
        let title_at = place + source.len() - after.len() + (line.len() - title.len());
        let line_end = place + source.len() - after.len() + line.len();
        let titled = !title.trim().is_empty();
        let paragraph = self.held.pop();
        let quote = self.held.pop();
        self.flush_held();
        if let Some(open) = self.quotes.last_mut() {
            *open = true;
        }
        let range = quote.map_or(place..line_end, |(_, range)| range);
        self.give(Piece::Callout(Callout { kind: kind.trim(), titled, open }), range.clone());
        let end = run.iter().position(|(event, range)| {
            // A hard break has the blanks before it too.
            range.end > line_end && matches!(event, Event::SoftBreak | Event::HardBreak)
        });
        let rest = end.map(|at| run.split_off(at)).unwrap_or_default();
        let mut head = std::mem::replace(run, rest);
        run::cut_before(&mut head, title_at);
        for (piece, range) in run::pieces(head, self.markdown) {
            self.give(piece, range);
        }
        self.give(Piece::CalloutTitleEnd, range);
        if !run.is_empty() {
            run.remove(0);
        }
        match paragraph.filter(|_| !run.is_empty()) {
            Some(paragraph) => self.held.push(paragraph),
            None => self.leave_out_block(),
        }
    }
}
