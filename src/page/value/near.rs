//! Finds code that was probably meant to be a value, although it names no figure.

use std::collections::BTreeMap;

use super::Sources;
use crate::note::{Head, InlineValue};

impl<'a> Sources<'a> {
    /// Whether code was probably meant to be a value: its note exists, or a figure with a similar name.
    pub(super) fn is_nearly(&self, index: usize, value: &InlineValue) -> bool {
        let Head { note, id, .. } = &value.head;
        let in_steps = value.references().any(|of| !of.steps.is_empty());
        match note {
            Some(name) if self.garden.names().note(name, &self.notes[index].path).is_some() => true,
            Some(name) => self.homes().get(id.as_str()).is_some_and(|home| {
                let home = self.notes[*home];
                is_misspelt(name, &home.title) || is_misspelt(name, home.stem())
            }),
            None => {
                let own = &self.notes[index].blocks;
                let near = own.iter().any(|block| is_misspelt(id, &block.id));
                // A path into a result, where results are at hand.
                near || (in_steps && (!own.is_empty() || self.homes().contains_key(id.as_str())))
            }
        }
    }

    pub(super) fn homes(&self) -> &BTreeMap<&'a str, usize> {
        self.homes.get_or_init(|| {
            let mut homes = BTreeMap::new();
            for (at, note) in self.notes.iter().enumerate() {
                for block in &note.blocks {
                    homes.entry(block.id.as_str()).or_insert(at);
                }
            }
            homes
        })
    }
}

/// Whether two names differ only by a typo.
fn is_misspelt(name: &str, known: &str) -> bool {
    let most = if known.chars().count() < 5 { 1 } else { 2 };
    let (name, known) = (name.to_lowercase(), known.to_lowercase());
    // A name of one letter is similar to every other one.
    known.chars().count() > 1 && strsim::damerau_levenshtein(&name, &known) <= most
}
