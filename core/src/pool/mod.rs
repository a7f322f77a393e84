//! Pools: what a client of a cluster and its workers tell each other, through the store's folder alone.
//!
//! ```text
//! store/v1/pools/<name>/
//!   units/<rank>-<id>.json  units of work that wait or run: requests to be measured together
//!   workers/<worker>.json   what a worker is doing; it replaces this every few seconds and removes it when it ends
//!   journals/<worker>.jsonl what a worker has finished, one line an event
//!   probes/<nonce>.json     what a first worker must check
//!   checkups/<nonce>.json   what it found
//!   logs/                   output of the engine's jobs
//!   ledger.json             what the client has submitted
//! ```
//!
//! The store alone says what is done: a result exists once its record does. Everything here only saves looking, or explains
//! why something waits, and losing any of it costs time. Each file has one writer, except units of work, which a client puts
//! and both sides remove.
//!
//! Workers may be on other machines, and the folder on a network file system. So folders are listed rather than single names
//! looked for, files are complete from their first moment, ages come from the file system's own clock, and what cannot be read
//! now is read at the next look.

mod checkup;
mod folder;
mod journal;
mod ledger;
mod status;
mod unit;

pub use checkup::{Checkup, Probe, Probed};
pub use folder::{Named, Pool, is_name};
pub use journal::{Entry, Journal, Tail};
pub use ledger::{Ledger, Submitted};
pub use status::{At, Phase, Seen, Status};
pub use unit::Unit;
