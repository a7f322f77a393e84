//! Defaults for blocks.

use neuronotes_core::model::Precision;

use super::settings::Settings;
use crate::yaml::{Node, Value};

/// Defaults for blocks.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Defaults {
    /// A model's name.
    pub model: Option<String>,
    /// A data set's name.
    pub dataset: Option<String>,
    /// Random seed.
    pub seed: i64,
    /// Precision of the forward pass.
    pub precision: Precision,
}

impl Settings<'_> {
    pub(super) fn defaults(&mut self, defaults: &mut Defaults, node: &Node) {
        let Some(entries) = node.entries() else {
            return self.wrong(node, "defaults", "a mapping");
        };
        for entry in entries {
            match entry.key.as_str() {
                "model" => defaults.model = self.text(entry),
                "dataset" => defaults.dataset = self.text(entry),
                "seed" => match entry.node.value {
                    Value::Integer(seed) if seed >= 0 => defaults.seed = seed,
                    _ => self.wrong(&entry.node, "seed", "a whole number from 0"),
                },
                "precision" => match entry.node.text().as_deref().and_then(Precision::named) {
                    Some(precision) => defaults.precision = precision,
                    None => self.wrong(&entry.node, "precision", "`f32`, `bf16` or `f16`"),
                },
                "control" => {
                    let message = "`control` is not a default any more";
                    let problem = self.reader.at_key(entry, message);
                    let hint = "`controls: on` beside `defaults` gives figures their controls";
                    self.problems.push(problem.hint(hint));
                }
                _ => self.unknown(entry, "`defaults`", &["model", "dataset", "seed", "precision"]),
            }
        }
    }
}
