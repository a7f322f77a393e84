//! The blocks behind a request key, of which the first digits are enough.

use neuronotes_core::digest::Digest;
use neuronotes_core::problem::Problem;
use neuronotes_core::store::{Root, Store};
use neuronotes_core::suggest;

use super::{Explained, of_block};
use crate::note::Note;
use crate::plan::Plan;

/// A request key begins with at least so many digits.
const SHORTEST_KEY: usize = 6;

/// Whether a text may be the beginning of a request key.
pub(super) fn is_key(text: &str) -> bool {
    (SHORTEST_KEY..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The blocks that ask for a request by its key, of a sweep the one that is meant; or what asks for it indirectly.
pub(super) fn by_key(
    notes: &[&Note],
    plan: &Plan,
    store: &Store,
    root: Option<&Root>,
    digits: &str,
) -> Result<Vec<Explained>, Problem> {
    let is_meant = |key: &Digest| key.hex().starts_with(digits);
    let mut found = Vec::new();
    let mut using = Vec::new();
    for (index, note) in notes.iter().enumerate() {
        for (block, wanted) in note.blocks.iter().zip(plan.wanted(index)) {
            let all = wanted.measurements();
            if all.iter().any(|measurement| is_meant(&measurement.key)) {
                let mut explained = of_block((plan, note, block), wanted, store, root);
                explained.results.retain(|result| is_meant(&result.key));
                found.push(explained);
            } else if all.iter().any(|m| m.request.uses.iter().any(|used| is_meant(&used.key()))) {
                using.push(format!("{}#{}", note.path, block.id));
            }
        }
    }
    if !found.is_empty() {
        return Ok(found);
    }
    let was =
        |(block, keys): (&String, &Vec<Digest>)| keys.iter().any(is_meant).then(|| block.clone());
    let before: Vec<String> =
        root.into_iter().flat_map(|root| root.blocks.iter().filter_map(was)).collect();
    let (message, hint) = match (&using[..], &before[..]) {
        ([first, ..], _) => (
            format!(
                "the key `{digits}` is that of a scan, which {} uses",
                suggest::quoted(&using, "and")
            ),
            Some(format!("`neuronotes explain {first}` lists what the block is made of")),
        ),
        ([], [first, ..]) => (
            format!(
                "no block asks for the key `{digits}` any more; {} did",
                suggest::quoted(&before, "and")
            ),
            Some(format!("`neuronotes explain {first}` says what changed since then")),
        ),
        _ => (
            format!("no block of this garden asks for the key `{digits}`"),
            Some("the fold under a figure shows its key; its first digits are enough".to_owned()),
        ),
    };
    Err(Problem { message, hint })
}
