//! Explains a block's request keys: what each covers, and which fields have changed since the last measurement. It
//! only reads records.

mod block;
mod covers;
mod key;
mod short;

use neuronotes_core::problem::Problem;
use neuronotes_core::store::{Root, Store};
use neuronotes_core::suggest;

pub use block::{Change, Explained, Explanation, Made};
pub use covers::Covers;

use block::of_block;
use key::{by_key, is_key};

use crate::garden::Names;
use crate::note::Note;
use crate::plan::Plan;

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
    let (name, id) = match asked.rsplit_once('#') {
        Some((name, id)) => (name, Some(id)),
        None => (asked, None),
    };
    if id.is_none() && is_key(name) && Names::of(notes).note(name, "").is_none() {
        return by_key(notes, plan, store, root, &name.to_ascii_lowercase());
    }
    let index = named(notes, name)?;
    let (note, wanted) = (notes[index], plan.wanted(index));
    let all = note.blocks.iter().zip(wanted);
    let meant = all.filter(|(block, _)| id.is_none_or(|id| block.id == id));
    let found: Vec<_> =
        meant.map(|(block, wanted)| of_block((plan, note, block), wanted, store, root)).collect();
    if found.is_empty() {
        let ids: Vec<&str> = note.blocks.iter().map(|block| block.id.as_str()).collect();
        let message = match id {
            Some(id) => format!("the note {} has no analysis block `{id}`", note.path),
            None => format!("the note {} has no analysis block", note.path),
        };
        return Err(Problem { message, hint: suggest::hint(id.unwrap_or_default(), ids) });
    }
    Ok(found)
}

/// The note of that name, path or title.
///
/// # Errors
/// Fails if there is none, or more than one.
pub fn named(notes: &[&Note], name: &str) -> Result<usize, Problem> {
    match Names::of(notes).note(name, "") {
        Some(found) if found.others.is_empty() => Ok(found.best),
        None => {
            let names = notes.iter().flat_map(|note| [note.stem(), &*note.path]);
            let hint = suggest::hint(name, names.collect::<Vec<_>>());
            Err(Problem { message: format!("there is no note `{name}`"), hint })
        }
        Some(found) => {
            let all = std::iter::once(&found.best).chain(&found.others);
            let paths: Vec<String> = all.map(|i| notes[*i].path.clone()).collect();
            let message =
                format!("`{name}` is ambiguous: it could mean {}", suggest::quoted(&paths, "or"));
            Err(Problem { message, hint: Some("write the path".to_owned()) })
        }
    }
}
