//! Sweeps: reads the values of one or two fields.

use neuronotes_core::kind::{Field, Kind, MOST_POINTS};
use neuronotes_core::suggest;

use crate::diagnostic::Diagnostic;
use crate::field::{self, FieldValue};
use crate::yaml::{Entry, Reader, Value};

/// A swept field and its values, each with its span.
#[derive(Debug, Clone)]
pub struct Axis {
    /// The field.
    pub field: &'static Field,
    /// Its values, at least one, no two the same.
    pub values: Vec<FieldValue>,
}

/// Reads the entry `sweep` of a block with these entries.
///
/// # Errors
/// Returns all problems, each with its place.
pub(super) fn read(
    reader: &Reader<'_>,
    kind: &'static Kind,
    entry: &Entry,
    entries: &[Entry],
) -> Result<Vec<Axis>, Vec<Diagnostic>> {
    if !kind.sweep {
        let problem = reader.at_key(entry, format!("`{}` has no `sweep`", kind.name));
        return Err(vec![problem.hint("give each value a block of its own")]);
    }
    let axes = match &entry.node.value {
        Value::Map(axes) if matches!(axes.len(), 1 | 2) => axes,
        _ => {
            let message = "`sweep` must be a mapping of one or two fields to lists of values";
            let problem = reader.at_value(&entry.node, message);
            return Err(vec![problem.hint("such as `sweep: { unit: [89, 244] }`")]);
        }
    };
    let mut problems = Vec::new();
    let mut found = Vec::new();
    for axis in axes {
        let swept = || kind.all_fields().filter(|field| field::can_be_swept(field));
        let Some(field) = swept().find(|field| field.name == axis.key) else {
            let known = swept().map(|field| field.name);
            let problem =
                reader.at_key(axis, format!("there is no field `{}` to sweep over", axis.key));
            problems.push(problem.hint(suggest::hint(&axis.key, known)));
            continue;
        };
        if let Some(given) = entries.iter().find(|given| given.key == axis.key) {
            let message = format!("`{}` is given and swept over", axis.key);
            problems.push(reader.at_key(given, message).hint("remove one of the two"));
        }
        match values(reader, field, axis) {
            Ok(values) => found.push(Axis { field, values }),
            Err(wrong) => problems.extend(wrong),
        }
    }
    let count: usize = found.iter().map(|axis| axis.values.len()).product();
    if problems.is_empty() && count > MOST_POINTS {
        let message =
            format!("the sweep has {count} combinations; at most {MOST_POINTS} are allowed");
        problems.push(reader.at_key(entry, message));
    }
    if problems.is_empty() { Ok(found) } else { Err(problems) }
}

fn values(
    reader: &Reader<'_>,
    field: &'static Field,
    axis: &Entry,
) -> Result<Vec<FieldValue>, Vec<Diagnostic>> {
    let items = match &axis.node.value {
        Value::List(items) if !items.is_empty() => items,
        _ => {
            let message = format!("`{}` must be a list of values here", axis.key);
            return Err(vec![reader.at_value(&axis.node, message)]);
        }
    };
    let mut problems = Vec::new();
    let mut values: Vec<FieldValue> = Vec::new();
    for item in items {
        let span = reader.item_span(item);
        match field::read(reader, field, item) {
            Ok(read) if values.iter().any(|other| other.value == read.value) => {
                problems.push(reader.at.error(span, "the sweep lists this value more than once"));
            }
            Ok(read) => values.push(FieldValue { span, ..read }),
            Err(wrong) => problems.extend(wrong),
        }
    }
    if problems.is_empty() { Ok(values) } else { Err(problems) }
}
