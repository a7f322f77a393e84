//! A unit in a note's front matter: YAML in, what the note calls the unit out.

use std::ops::Range;

use neuronotes_core::suggest;

use super::Reader;
use crate::diagnostic::Diagnostic;
use crate::yaml::{Node, Value};

/// A unit that a note is about, and what the note calls it.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitName {
    /// A name out of the configuration; the default model where it is left out.
    pub model: Option<String>,
    /// In either spelling.
    pub layer: String,
    /// Channel, from 0.
    pub unit: u32,
    /// What the note calls it.
    pub name: String,
    /// Where the layer stands in the source.
    pub span: Range<usize>,
}

impl Reader<'_> {
    pub(super) fn unit(&self, node: &Node) -> Result<UnitName, Diagnostic> {
        let entries = match &node.value {
            Value::Map(entries) => entries,
            _ => {
                return Err(self.wrong(node, "units", "a list of mappings").hint(
                    "for instance [{layer: image_block_4/5/Add_6, unit: 1330, name: finance}]"
                        .to_owned(),
                ));
            }
        };
        let (mut model, mut layer, mut unit, mut name) = (None, None, None, None);
        let mut span = self.span(node);
        for entry in entries {
            match entry.key.as_str() {
                "model" => model = Some(self.text(&entry.node, "model")?),
                "layer" => {
                    let text = self.text(&entry.node, "layer")?;
                    let start = self.span(&entry.node).start;
                    span = self.at.extent(start, text.len());
                    layer = Some(text);
                }
                "name" => name = Some(self.text(&entry.node, "name")?),
                "unit" => match entry.node.value {
                    Value::Integer(n) if u32::try_from(n).is_ok() => unit = u32::try_from(n).ok(),
                    _ => return Err(self.wrong(&entry.node, "unit", "a whole number from 0")),
                },
                other => {
                    let offset = self.offset(entry.at.0, entry.at.1);
                    let problem = self.at.error(
                        self.at.extent(offset, other.len()),
                        format!("a unit has no field `{other}`"),
                    );
                    return Err(
                        problem.hint(suggest::hint(other, ["model", "layer", "unit", "name"]))
                    );
                }
            }
        }
        match (layer, unit, name) {
            (Some(layer), Some(unit), Some(name)) => {
                Ok(UnitName { model, layer, unit, name, span })
            }
            _ => Err(self.at.error(span, "a unit needs `layer`, `unit` and `name`")),
        }
    }
}
