//! The names of a note's blocks and sentences, each once, and whether those that claims cite exist.

use std::collections::BTreeMap;
use std::ops::Range;

use neuronotes_core::suggest;

use super::block::Block;
use super::outline::Anchor;
use crate::diagnostic::{Diagnostic, SourceFile};

/// The names of the prose and, after them, of the blocks' captions. Each block keeps those of its caption that are its own.
pub(super) fn named(
    at: SourceFile<'_>,
    mut anchors: Vec<Anchor>,
    blocks: &mut [Block],
    problems: &mut Vec<Diagnostic>,
) -> Vec<Anchor> {
    anchors.extend(blocks.iter_mut().flat_map(|block| block.caption_anchors.drain(..)));
    let anchors = named_once(at, anchors, problems);
    for block in &mut *blocks {
        let own = anchors.iter().filter(|name| name.in_caption && name.span == block.span);
        block.caption_anchors = own.cloned().collect();
    }
    problems.extend(unknown(at, blocks, &anchors));
    anchors
}

/// The problems of claims that cite a name which no sentence or block of the note has.
fn unknown(at: SourceFile<'_>, blocks: &[Block], anchors: &[Anchor]) -> Vec<Diagnostic> {
    let claims = blocks.iter().flat_map(|block| &block.claims);
    let cited = claims.filter_map(|claim| claim.cites.as_ref());
    let unknown = cited.filter(|(name, _)| anchors.iter().all(|anchor| anchor.id != *name));
    let problem = |(name, span): &(String, Range<usize>)| {
        let known = anchors.iter().map(|anchor| anchor.id.as_str());
        let near: Vec<String> =
            suggest::nearest(name, known, 3).into_iter().map(|id| format!("^{id}")).collect();
        let hint = match near.is_empty() {
            true => format!("write ` ^{name}` after the sentence, at the end of its line"),
            false => format!("did you mean {}?", suggest::quoted(&near, "or")),
        };
        let message = format!("this note has no sentence or block `^{name}`");
        at.error(span.clone(), message).hint(hint)
    };
    unknown.map(problem).collect()
}

/// Names of blocks, each once.
fn named_once(
    at: SourceFile<'_>,
    anchors: Vec<Anchor>,
    problems: &mut Vec<Diagnostic>,
) -> Vec<Anchor> {
    let mut lines: BTreeMap<String, usize> = BTreeMap::new();
    let mut once = Vec::with_capacity(anchors.len());
    for anchor in anchors {
        if let Some(line) = lines.get(&anchor.id) {
            let message =
                format!("the name `^{}` is already used by the block on line {line}", anchor.id);
            let problem = at.warning(anchor.span.clone(), message);
            problems.push(problem.hint("links lead to the first; rename this one".to_owned()));
            continue;
        }
        lines.insert(anchor.id.clone(), at.lines.position(at.text, anchor.span.start).0);
        once.push(anchor);
    }
    once
}
