//! The layer or the dictionary that a note names, resolved for requests and for readers.

use neuronotes_core::model::{Layer, Place};
use neuronotes_core::problem::Problem;
use neuronotes_core::request::FileRef;

/// A layer, or a dictionary over a layer, that a note names.
#[derive(Debug, Clone, PartialEq)]
pub struct ResolvedPlace {
    /// The layer itself, or the layer that the dictionary is over.
    pub layer: Layer,
    /// The dictionary, under its name in the configuration, with its features.
    pub dictionary: Option<(FileRef, u32)>,
}

impl ResolvedPlace {
    /// The place in a request.
    pub fn place(&self) -> Place {
        let layer = self.layer.name.canonical.clone();
        match &self.dictionary {
            None => Place::Layer(layer),
            Some((file, _)) => Place::Dictionary { layer, dictionary: file.digest },
        }
    }

    /// Its name for readers: the dictionary's, or the layer's.
    pub fn shown(&self) -> &str {
        self.dictionary.as_ref().map_or(self.layer.name.shown(), |(file, _)| &file.name)
    }

    /// How many units it has.
    pub fn units(&self) -> u32 {
        self.dictionary.as_ref().map_or(self.layer.units, |(_, features)| *features)
    }

    /// Checks that it has a unit; `written` is the name that the note gives it.
    ///
    /// # Errors
    /// Fails if it has fewer units.
    pub fn check_unit(&self, written: Option<&str>, unit: u32) -> Result<(), Problem> {
        let count = self.units();
        if unit < count {
            return Ok(());
        }
        let name = written.unwrap_or(self.shown());
        let (noun, whose) = match self.dictionary {
            None => ("unit", format!("the layer `{name}` has {count} units")),
            Some(_) => ("feature", format!("the dictionary `{name}` has {count} features")),
        };
        let problem = Problem::new(format!("{noun} {unit} is out of range: {whose}"));
        Err(problem.hint(format!("count from 0 to {}", count.saturating_sub(1))))
    }
}
