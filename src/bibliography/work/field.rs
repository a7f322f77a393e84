//! The fields of a work, converted.

use std::collections::BTreeMap;

use biblatex::Chunk;

pub(super) type Fields = BTreeMap<String, Vec<Chunk>>;

/// The text of a field.
pub(super) fn text(chunks: &[Chunk]) -> String {
    chunks.iter().filter(|chunk| !matches!(chunk, Chunk::Math(_))).map(Chunk::get).collect()
}
