//! Defaults for blocks.

use std::collections::BTreeMap;

use neuronotes_core::kind::{KINDS, Preset, Type};
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
    /// Flags by their field's name, such as `control`.
    pub flags: BTreeMap<&'static str, bool>,
}

/// The names of the flags whose default is configured, each once.
fn flags() -> Vec<&'static str> {
    let fields = KINDS.iter().flat_map(|kind| kind.fields);
    let flags = fields.filter(|it| it.ty == Type::Flag && it.default == Preset::Configured);
    let mut names: Vec<&str> = flags.map(|field| field.name).collect();
    names.sort_unstable();
    names.dedup();
    names
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
                name => {
                    let flags = flags();
                    match (flags.iter().find(|flag| **flag == name), &entry.node.value) {
                        (Some(flag), Value::Bool(given)) => {
                            defaults.flags.insert(flag, *given);
                        }
                        (Some(flag), _) => self.wrong(&entry.node, flag, "`true` or `false`"),
                        (None, _) => {
                            let known = ["model", "dataset", "seed", "precision"];
                            let known: Vec<&str> = known.into_iter().chain(flags).collect();
                            self.unknown(entry, "`defaults`", &known);
                        }
                    }
                }
            }
        }
    }
}
