//! Turns notes' blocks into requests with their keys, each request once.
//!
//! A block that sweeps over values is planned once for each of them, as if it were written with that value. Its controls are
//! planned as if the note had blocks for them; they come after everything else.
//!
//! Incremental: a block is a function of its note, the configuration, the digests of the weights and data that it
//! names, and the blocks that it names; only those decide a request key. [`Plans`] keeps what each note wants until one
//! of them changes.

pub mod asked;
mod asking;
mod baseline;
mod block;
mod control;
pub mod explain;
pub mod input;
mod kept;
mod known;
mod labelled;
mod named;
mod place;
mod planned;
mod planner;
mod sources;
mod units;
mod used;
mod wanted;

pub use control::{Control, Controlled, Lacking, NATURAL, controlled};
pub use kept::Plans;
pub use named::{Named, NamedUnit};
pub use planned::Plan;
pub use wanted::{Cell, Measurement, Sweep, Target, Wanted};
