//! Pictures in files or in an archive, each decoded on request.

use neuronotes_core::dataset::ledger::Ledger;
use neuronotes_core::dataset::{Listing, Sample};

use super::shard::Shard;
use crate::picture::Picture;

/// Makes a shard of its listing.
pub fn reader(listing: Listing, _: u32) -> Box<dyn Shard> {
    Box::new(Encoded(listing))
}

#[derive(Debug)]
struct Encoded(Listing);

impl Shard for Encoded {
    fn samples(&self) -> &[Sample] {
        &self.0.samples
    }

    fn ledger(&self) -> &Ledger {
        &self.0.ledger
    }

    fn picture(&self, row: usize) -> Result<Picture, String> {
        Picture::decode(&self.0.picture(row)?)
    }

    fn expect(&self, row: usize) {
        self.0.expect(row);
    }

    fn listing(&self) -> Option<&Listing> {
        Some(&self.0)
    }
}
