//! Explains a block's request keys: what each covers, and which fields have changed since the last measurement. It
//! only reads records.

mod between;
mod block;
mod covers;
mod key;
pub(crate) mod short;

use neuronotes_core::problem::Problem;
use neuronotes_core::store::{Root, Store};

pub use between::between;
pub use block::{Change, Explained, Explanation, Made};
pub use covers::Covers;

use block::of_block;
use key::{by_key, is_key};

use crate::note::Note;
use crate::plan::{Plan, asked};

/// Explains `asked`: `note#id`, a note with all its blocks, or the first digits of a request key.
///
/// # Errors
/// Fails if there is no such note, block or key, or more than one.
pub fn explain(
    notes: &[&Note],
    plan: &Plan,
    store: &Store,
    root: Option<&Root>,
    asked: &str,
) -> Result<Vec<Explained>, Problem> {
    if !asked.contains('#') && is_key(asked) && asked::note(notes, asked)?.is_none() {
        return by_key(notes, plan, store, root, &asked.to_ascii_lowercase());
    }
    let found = asked::blocks(notes, asked)?;
    let (note, wanted) = (notes[found.note], plan.wanted(found.note));
    let of = |at: &usize| of_block((plan, note, &note.blocks[*at]), &wanted[*at], store, root);
    Ok(found.blocks.iter().map(of).collect())
}
