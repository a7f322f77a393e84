//! The pieces of a large shard: its listing in; a shard of the request for each piece out. They are cached by digest.

use neuronotes_core::dataset::{Listing, Piece, ShardRef, piece};
use neuronotes_core::digest::Digest;
use neuronotes_core::files::FileDigests;
use neuronotes_core::problem::Problem;

use super::fault::unreadable;

/// The pieces of a shard. `known` names what its listing depends on, and `list` lists it.
///
/// # Errors
/// If the shard cannot be listed, or a picture cannot be read.
pub(super) fn pieces(
    whole: &ShardRef,
    known: &str,
    list: impl FnOnce() -> Result<Listing, Problem>,
    digests: &mut FileDigests,
) -> Result<Vec<ShardRef>, Problem> {
    let most = piece::LARGEST;
    let fact = format!("pieces/{known}/{most}");
    let pieces = match digests.fact::<Vec<(Piece, Digest)>>(&fact) {
        Some(pieces) => pieces,
        None => {
            let pieces = piece::pieces(&list()?, digests, most)
                .map_err(|error| unreadable(&whole.path, &error))?;
            digests.remember(fact, &pieces);
            pieces
        }
    };
    let one = |(piece, digest): (Piece, Digest)| ShardRef {
        pictures: Some(digest),
        count: Some(piece.count as u64),
        piece: Some(piece),
        ..whole.clone()
    };
    Ok(pieces.into_iter().map(one).collect())
}
