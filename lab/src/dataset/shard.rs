//! A shard of a data set: names, captions and labels of its pictures, and each picture when it is requested.

use neuronotes_core::dataset::ledger::Ledger;
use neuronotes_core::dataset::{Listing, Sample};

use crate::picture::Picture;

/// A shard whose contents have been listed.
pub trait Shard: Send + Sync + std::fmt::Debug {
    /// Key, caption and label of each picture, in the shard's order.
    fn samples(&self) -> &[Sample];

    /// The ledger of the shard: what was used and what was skipped.
    fn ledger(&self) -> &Ledger;

    /// The picture of that row at its full size.
    ///
    /// # Errors
    /// Why it cannot be read or decoded.
    fn picture(&self, row: usize) -> Result<Picture, String>;

    /// Says that the picture of that row will be wanted soon, so that its file can be read meanwhile.
    fn expect(&self, _row: usize) {}

    /// The listing of a shard of encoded pictures, by which its pieces are told apart.
    fn listing(&self) -> Option<&Listing> {
        None
    }
}
