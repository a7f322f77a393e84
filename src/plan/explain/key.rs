//! Finds the blocks of a request key from its first digits.

use neuronotes_core::digest::Digest;
use neuronotes_core::problem::Problem;
use neuronotes_core::store::{Root, Store};
use neuronotes_core::suggest;

use super::block::{Explained, of_block};
use crate::note::Note;
use crate::plan::Plan;

/// Minimum number of digits.
const SHORTEST_KEY: usize = 6;

/// Whether a text can be the beginning of a request key.
pub(super) fn is_key(text: &str) -> bool {
    (SHORTEST_KEY..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The blocks that make the request with that key, with the value of a sweep; or an error that names those that use
/// it indirectly.
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
            Some(format!("`neuronotes explain {first}` lists what the block uses")),
        ),
        ([], [first, ..]) => (
            format!(
                "no block has the key `{digits}` any more; {} had it",
                suggest::quoted(&before, "and")
            ),
            Some(format!("`neuronotes explain {first}` shows what has changed since then")),
        ),
        _ => (
            format!("no block of this garden has the key `{digits}`"),
            Some(
                "a figure's key is under \"How this was measured\"; its first digits are enough"
                    .to_owned(),
            ),
        ),
    };
    Err(Problem { message, hint })
}
