//! Marks of sentences whose claims do not hold: in words, since a colour alone says nothing to some readers.

use pulldown_cmark::Event;

use super::parts::ClaimShown;
use super::renderer::Renderer;
use crate::note::escape;

/// Follows a link to a claim that does not hold.
pub(super) const CITES: &str =
    "</a><span class=\"claim-cites\"> (cites a claim that no longer holds)</span>";

impl Renderer<'_, '_> {
    /// The failing claim about the block that has this name.
    fn failing(&self, id: &str) -> Option<&ClaimShown> {
        self.parts.claims.iter().find(|claim| claim.id == id)
    }

    /// The sentence begins that a name cites.
    pub(super) fn cited(&mut self, id: &str) {
        let Some(at) = self.anchored.iter().position(|known| known == id) else { return };
        self.anchored.swap_remove(at);
        if self.failing(id).is_none() {
            return;
        }
        self.cited = Some(id.to_owned());
        self.raw("<span class=\"claim-fails\">");
    }

    pub(super) fn cited_end(&mut self) {
        let Some(id) = self.cited.take() else { return };
        let mark = self.failing(&id).map(|claim| mark(claim, "does not hold"));
        self.raw(format!("</span> {}", mark.unwrap_or_default()));
    }

    /// The mark of the block before, which has a name on a line of its own.
    pub(super) fn cited_before(&mut self, id: &str) {
        if let Some(claim) = self.failing(id) {
            let mark = mark(claim, "The above does not hold");
            let html = format!("<p class=\"claim-fails-above\">{mark}</p>\n");
            self.out.push(Event::Html(html.into()));
        }
    }
}

/// A link to the figure, with what was expected and measured as its tooltip.
fn mark(claim: &ClaimShown, words: &str) -> String {
    let (href, says) = (escape(&claim.href), escape(&claim.says));
    format!(
        "<a class=\"claim-mark\" href=\"{href}\" title=\"{says}\"><span aria-hidden=\"true\">⚠\u{FE0E}</span> {words}</a>"
    )
}
