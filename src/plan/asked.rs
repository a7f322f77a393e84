//! The blocks that a command names: `note#id`, or a note with all its blocks, in; their places in the garden out.

use neuronotes_core::problem::Problem;
use neuronotes_core::suggest;

use crate::garden::Names;
use crate::note::Note;

/// The blocks that were asked for: some of one note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The note, by its place in the garden.
    pub note: usize,
    /// Its blocks, by their places in the note.
    pub blocks: Vec<usize>,
}

/// The note with that name, by its place in the garden; `None` if there is none.
///
/// # Errors
/// Fails if more than one note could be meant.
pub fn note(notes: &[&Note], name: &str) -> Result<Option<usize>, Problem> {
    match Names::of(notes).note(name, "") {
        None => Ok(None),
        Some(found) if found.others.is_empty() => Ok(Some(found.best)),
        Some(found) => {
            let all = std::iter::once(&found.best).chain(&found.others);
            let paths: Vec<String> = all.map(|i| notes[*i].path.clone()).collect();
            let message =
                format!("`{name}` is ambiguous: it could mean {}", suggest::quoted(&paths, "or"));
            Err(Problem { message, hint: Some("write the path".to_owned()) })
        }
    }
}

/// The note of that name, path or title, by its place in the garden.
///
/// # Errors
/// Fails if there is none, or more than one.
pub fn named(notes: &[&Note], name: &str) -> Result<usize, Problem> {
    note(notes, name)?.ok_or_else(|| {
        let names = notes.iter().flat_map(|note| [note.stem(), &*note.path]);
        let hint = suggest::hint(name, names.collect::<Vec<_>>());
        Problem { message: format!("there is no note `{name}`"), hint }
    })
}

/// The blocks that `asked` names: `note#id`, or a note with all its blocks.
///
/// # Errors
/// Fails if there is no such note or block, or more than one such note.
pub fn blocks(notes: &[&Note], asked: &str) -> Result<Asked, Problem> {
    let (name, id) = match asked.rsplit_once('#') {
        Some((name, id)) => (name, Some(id)),
        None => (asked, None),
    };
    let index = named(notes, name)?;
    let note = notes[index];
    let all = note.blocks.iter().enumerate();
    let meant = all.filter(|(_, block)| id.is_none_or(|id| block.id == id));
    let blocks: Vec<usize> = meant.map(|(at, _)| at).collect();
    if blocks.is_empty() {
        let ids: Vec<&str> = note.blocks.iter().map(|block| block.id.as_str()).collect();
        let message = match id {
            Some(id) => format!("the note {} has no analysis block `{id}`", note.path),
            None => format!("the note {} has no analysis block", note.path),
        };
        return Err(Problem { message, hint: suggest::hint(id.unwrap_or_default(), ids) });
    }
    Ok(Asked { note: index, blocks })
}
