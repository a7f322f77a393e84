//! A unit in a note's front matter, with the note's name for it.

use std::ops::Range;

use crate::diagnostic::Diagnostic;
use crate::yaml::{Node, Reader, Value};

/// A unit that a note is about, with the note's name for it.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitName {
    /// A model's name from the configuration; `None` for the default model.
    pub model: Option<String>,
    /// The layer, in any spelling.
    pub layer: String,
    /// Channel, from 0.
    pub unit: u32,
    /// The note's name for it.
    pub name: String,
    /// Span of the layer in the source.
    pub span: Range<usize>,
}

/// The fields of a unit.
const FIELDS: [&str; 4] = ["model", "layer", "unit", "name"];

/// Reads a unit.
///
/// # Errors
/// Fails if it is not a mapping, or one of its fields is invalid or missing.
pub(super) fn read(reader: &Reader<'_>, node: &Node) -> Result<UnitName, Diagnostic> {
    let Value::Map(entries) = &node.value else {
        let hint =
            "write a list, such as [{layer: image_block_4/5/Add_6, unit: 1330, name: finance}]";
        return Err(reader.wrong(node, "units", "a list of mappings").hint(hint));
    };
    let (mut model, mut layer, mut unit, mut name) = (None, None, None, None);
    let mut span = reader.value_span(node);
    for entry in entries {
        match entry.key.as_str() {
            "model" => model = Some(reader.text(&entry.node, "model")?),
            "layer" => {
                let text = reader.text(&entry.node, "layer")?;
                span = reader.at.extent(reader.value_span(&entry.node).start, text.len());
                layer = Some(text);
            }
            "name" => name = Some(reader.text(&entry.node, "name")?),
            "unit" => match entry.node.value {
                Value::Integer(n) if u32::try_from(n).is_ok() => unit = u32::try_from(n).ok(),
                _ => return Err(reader.wrong(&entry.node, "unit", "a whole number from 0")),
            },
            _ => return Err(reader.unknown(entry, "a unit", FIELDS)),
        }
    }
    match (layer, unit, name) {
        (Some(layer), Some(unit), Some(name)) => Ok(UnitName { model, layer, unit, name, span }),
        _ => Err(reader.at.error(span, "a unit needs `layer`, `unit` and `name`")),
    }
}
