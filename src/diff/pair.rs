//! Pairs the notes of two sides by path, following renames, and says which pairs have to be looked at.

use std::collections::{BTreeMap, BTreeSet};

use super::side::Sides;
use crate::plan::{Measurement, Wanted};
use crate::site::Site;

/// Two notes that are each other's, or one without another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// The index of the earlier note.
    pub a: Option<usize>,
    /// The index of the later note.
    pub b: Option<usize>,
}

/// All notes of both sides, in the order of the later paths; notes that are gone come last.
pub fn pairs(sides: &Sides) -> Vec<Pair> {
    let (a, b) = (sides.a.site.read_notes(), sides.b.site.read_notes());
    let old: BTreeMap<&str, usize> =
        a.iter().enumerate().map(|(at, note)| (note.path.as_str(), at)).collect();
    let before: BTreeMap<&str, &str> =
        sides.renamed.iter().map(|(old, new)| (new.as_str(), old.as_str())).collect();
    let mut left: BTreeSet<usize> = (0..a.len()).collect();
    let mut pairs: Vec<Pair> = Vec::with_capacity(b.len());
    for (at, note) in b.iter().enumerate() {
        let path = note.path.as_str();
        let found = before.get(path).and_then(|path| old.get(path)).or_else(|| old.get(path));
        let found = found.copied().filter(|found| left.remove(found));
        pairs.push(Pair { a: found, b: Some(at) });
    }
    pairs.extend(left.into_iter().map(|at| Pair { a: Some(at), b: None }));
    pairs
}

/// The pairs that may differ: in their text, in a request, or in a value of another note.
pub fn touched(sides: &Sides, pairs: &[Pair]) -> Vec<Pair> {
    let (a, b) = (&sides.a.site, &sides.b.site);
    let stores = |site: &Site| site.workspace.store.folder().to_owned();
    let other_results = stores(a) != stores(b);
    let keys = |site: &Site, at: usize| {
        let all = site.plan().wanted(at).iter().flat_map(Wanted::measurements);
        all.map(|measurement: &Measurement| measurement.key).collect::<Vec<_>>()
    };
    let differs = |pair: &Pair| {
        let (Some(old), Some(new)) = (pair.a, pair.b) else { return true };
        let (before, now) = (&a.read_notes()[old], &b.read_notes()[new]);
        before.path != now.path
            || before.digest != now.digest
            || !before.blocks.is_empty() && (other_results || keys(a, old) != keys(b, new))
            || before.source != now.source
    };
    let changed: Vec<bool> = pairs.iter().map(differs).collect();
    let of = |side: fn(&Pair) -> Option<usize>| -> BTreeSet<usize> {
        let both = pairs.iter().zip(&changed).filter(|(_, changed)| **changed);
        both.filter_map(|(pair, _)| side(pair)).collect()
    };
    let (old, new) = (of(|pair| pair.a), of(|pair| pair.b));
    let quotes = |site: &Site, at: usize, changed: &BTreeSet<usize>| {
        let note = &site.read_notes()[at];
        note.quoted_blocks().any(|(name, _)| {
            let found = name.and_then(|name| site.assembled().names().note(name, &note.path));
            found.is_some_and(|found| changed.contains(&found.best))
        })
    };
    let all = pairs.iter().zip(&changed);
    let touched = all.filter(|(pair, changed)| {
        **changed
            || pair.a.is_some_and(|at| quotes(a, at, &old))
            || pair.b.is_some_and(|at| quotes(b, at, &new))
    });
    touched.map(|(pair, _)| *pair).collect()
}
