//! The claims of notes on pages: under figures, at the sentences that they are about, and where those are cited.

use super::scene::Scene;
use super::value::Judged;
use crate::claim::{Claim, Judgement, Predicted, Verdict};
use crate::diagnostic::Severity;
use crate::garden::{Incoming, Target, link_number};
use crate::note::{Anchor, ClaimShown};
use crate::plan::Wanted;
use crate::view::{ClaimView, ClaimsView};

/// What is said of a mention of a claim that does not hold, and of a mention within one.
const CITES: &str = "cites a claim that no longer holds";
const IS: &str = "a claim that does not hold";

/// Whether a claim is about the sentence or block with a name.
fn cites(claim: &Claim, name: &str) -> bool {
    claim.cites.as_ref().is_some_and(|(cited, _)| cited == name)
}

/// When a claim was committed and its result measured, in words.
fn predicted(predicted: &Predicted) -> String {
    format!("committed on {}, measured on {}", predicted.claimed, predicted.measured)
}

/// Whether a condition does not hold.
pub(super) fn fails(judgement: &Judgement) -> bool {
    judgement.verdict == Verdict::Fails
}

impl Scene<'_> {
    /// The expectations of a figure, with links relative to `page`.
    pub(super) fn claims_view(
        &self,
        index: usize,
        number: usize,
        page: &str,
    ) -> Option<ClaimsView> {
        let claims = &self.notes[index].blocks[number].claims;
        let mut views = Vec::new();
        for (at, claim) in claims.iter().enumerate() {
            let of = |judged: &&Judged| judged.block == number && judged.claim == at;
            let all: Vec<&Judged> = self.quoted[index].claims.iter().filter(of).collect();
            let with = |verdict| all.iter().filter(move |one| one.judgement.verdict == verdict);
            // Of the measurements of a sweep, each that fails is shown, and else one for all.
            let failing = with(Verdict::Fails).copied();
            let one = with(Verdict::Unknown).next().or(all.first()).copied();
            let shown: Vec<&Judged> = match with(Verdict::Fails).count() {
                0 => one.into_iter().collect(),
                _ => failing.collect(),
            };
            for judged in shown {
                let holds = match judged.judgement.verdict {
                    Verdict::Holds => Some(true),
                    Verdict::Fails => Some(false),
                    Verdict::Unknown => None,
                };
                let mut view = self.claim_view(index, claim, &judged.judgement, page);
                match holds {
                    Some(true) if all.len() > 1 => {
                        view.measured = format!("so in all {} measurements", all.len());
                    }
                    _ => {
                        view.cell = judged.cell.and_then(|cell| self.cell_name(index, number, cell))
                    }
                }
                views.push((holds, view));
            }
        }
        ClaimsView::of(views)
    }

    fn claim_view(
        &self,
        index: usize,
        claim: &Claim,
        judgement: &Judgement,
        page: &str,
    ) -> ClaimView {
        let cited = claim.cites.as_ref();
        let href = |(name, _): &(String, _)| {
            self.href(page, &self.garden.pages[index], Some(&format!("^{name}")))
        };
        ClaimView {
            that: claim.text.clone(),
            expected: judgement.expected.clone(),
            measured: judgement.measured.clone(),
            reason: judgement.reason.clone(),
            because: claim.because.clone(),
            predicted: judgement.predicted.as_ref().map(predicted),
            href: cited.map(href),
            warns: claim.severity == Severity::Note,
            cell: None,
        }
    }

    /// What a measurement of a sweep is called.
    fn cell_name(&self, index: usize, number: usize, cell: usize) -> Option<String> {
        let Wanted::Sweep(sweep) = self.plan.wanted(index).get(number)? else { return None };
        Some(self.plan.caption(sweep.cells.get(cell)?))
    }

    /// The claims of a note that do not hold, each with the number of its block.
    fn failing(&self, index: usize) -> impl Iterator<Item = (usize, &Claim, &Judgement)> {
        let note = self.notes[index];
        let failing = |judged: &&Judged| fails(&judged.judgement);
        self.quoted[index].claims.iter().filter(failing).filter_map(move |judged| {
            let claim = note.blocks.get(judged.block)?.claims.get(judged.claim)?;
            Some((judged.block, claim, &judged.judgement))
        })
    }

    /// The names of a note whose claims do not hold, with what is wrong, once each.
    pub(super) fn doubtful(&self, index: usize, page: &str) -> Vec<ClaimShown> {
        let mut all: Vec<ClaimShown> = Vec::new();
        for (number, claim, judged) in self.failing(index) {
            let Some((name, _)) = &claim.cites else { continue };
            let says = format!("expected {}; measured {}", judged.expected, judged.measured);
            if let Some(known) = all.iter_mut().find(|known| known.id == *name) {
                known.says = format!("{}. {says}", known.says);
                continue;
            }
            let block = &self.notes[index].blocks[number];
            let href = self.href(page, &self.garden.pages[index], Some(&block.id));
            all.push(ClaimShown { id: name.clone(), says, href });
        }
        all
    }

    /// Whether a place of a note is the sentence or block of a claim that does not hold.
    fn is_doubtful(&self, index: usize, anchor: Option<&str>) -> bool {
        let Some(name) = anchor.and_then(|anchor| anchor.strip_prefix('^')) else { return false };
        self.failing(index).any(|(_, claim, _)| cites(claim, name))
    }

    /// Whether a link leads to a claim that does not hold.
    pub(super) fn leads_to_doubt(&self, target: &Target) -> bool {
        match target {
            Target::Note { index, anchor } => self.is_doubtful(*index, anchor.as_deref()),
            _ => false,
        }
    }

    /// What is said of a mention of the note `index` if it is or cites a claim that does not hold.
    pub(super) fn doubt_of(&self, index: usize, incoming: &Incoming) -> &'static str {
        if self.is_doubtful(index, incoming.to.as_deref()) {
            return CITES;
        }
        let note = self.notes[incoming.from];
        let within = link_number(&incoming.anchor).and_then(|n| note.links.get(n)).map(|l| &l.span);
        let caption = || note.blocks.iter().find(|block| block.id == incoming.anchor);
        let is_in = |claim: &Claim| {
            let named = |name: &&Anchor| cites(claim, &name.id);
            let sentence = note.anchors.iter().find(named).and_then(|name| name.sentence.as_ref());
            match (within, sentence) {
                (Some(link), Some(sentence)) => {
                    sentence.span.start <= link.start && link.end <= sentence.span.end
                }
                (None, Some(sentence)) => {
                    let own = |name: &Anchor| cites(claim, &name.id);
                    caption().is_some_and(|block| block.caption_anchors.iter().any(own))
                        && sentence.text.contains(&incoming.mention.text)
                }
                (_, None) => false,
            }
        };
        match self.failing(incoming.from).any(|(_, claim, _)| is_in(claim)) {
            true => IS,
            false => "",
        }
    }
}
