//! The content-addressed store: it keeps results under their request keys.
//!
//! ```text
//! store/v1/
//!   blobs/ab/<digest>      immutable bytes, named by their digest
//!   records/ab/<key>.json  a result, written last: from then on it exists
//!   figures/ab/<key>.json  drawings by figure key; they can be made again from records
//!   indexes/ab/<key>       what shards of data sets hold; they can be made again from the shards
//!   roots/<digest>.json    the results that a garden uses, by the garden's path
//!   pools/<name>/          what a client of a cluster and its workers tell each other
//!   claims/ failures/ partial/ tmp/
//! ```
//!
//! Everything is written to a unique name in `tmp/`, synced, and renamed into place, so that a kill at any
//! moment leaves either nothing or the whole. Several processes may use one store at once without a lock:
//! a blob's name is its content, and two records under one key are equally good. The outputs of a record are synced
//! together, before it is written. Drawings and indexes are not synced: they can be made again, and pages wait for drawings.
//!
//! Everything is checked when it is read: blobs against their names; records, drawings, indexes and roots against the
//! checksum in them; and everything stored under a key contains that key. A damaged file is moved to `tmp/` and counts as never
//! made.
//!
//! A store may be part of a garden that somebody else made. So none of its folders may be a link, only regular files in
//! them are read, and no name in a record or a list leads anywhere else.
//!
//! [Collection](Store::collect) may delete results while others are added; it says how that loses nothing.

mod blob;
mod claim;
mod collect;
mod commit;
mod disk;
mod drawing;
mod error;
mod exchange;
mod failure;
mod index;
mod record;
mod root;
mod stats;
mod survey;
mod verify;

pub use claim::{Claim, Claimed, Claims, host_name, job, restarts};
pub use collect::{Collected, DAY, Options, Tally};
pub use disk::{POOLS, Store, UNITS};
pub use error::StoreError;
pub use exchange::Incoming;
pub use failure::Remembered;
pub use record::{MOMENTS, Output, Provenance, RECORD_SCHEMA, Record};
pub use root::{Root, RootError};
pub use stats::{OfKind, Stats};
pub use verify::{Verified, Wrong};

#[cfg(test)]
mod tests;
