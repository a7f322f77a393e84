//! Turns a field's value into a request's parameter: resolves names through the plan, and fills in defaults.

use neuronotes_core::kind::Field;
use serde_json::Value as Json;

use super::asked::{Asked, Wrong};
use super::sources::Sources;
use super::table::family;

/// Resolves a field whose value the block or a default gives.
///
/// # Errors
/// Returns all problems.
pub fn resolve(
    field: &'static Field,
    value: Option<Json>,
    asked: &mut Asked,
    sources: &mut dyn Sources,
) -> Result<(), Vec<Wrong>> {
    let family = family(field.ty);
    let Some(value) = value.or_else(|| family.absent(sources)) else { return Ok(()) };
    if let Some(parameter) = family.resolve(value, asked, sources)? {
        asked.params.insert(family.parameter(field.name).to_owned(), parameter);
    }
    Ok(())
}
