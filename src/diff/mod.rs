//! Compares two states of a garden: two sides in, what differs between them out. Nothing is measured.
//!
//! | file | what it compares |
//! |---|---|
//! | `end`, `side` | what is compared: the files on disk, a revision, or frozen results |
//! | `pair` | which notes and which blocks are each other's |
//! | `claim` | claims whose verdict differs |
//! | `sentence` | sentences whose values moved though nobody edited them |
//! | `figure`, `result`, `cause` | results of blocks: what differs, how much, and why |
//! | `number`, `list`, `histogram`, `picture` | what a result consists of |
//! | `noise` | computed pictures, beside those of other seeds |
//! | `text` | what was written, by words |
//! | `link` | links and mentions |
//! | `report` | how a difference is shown |
//!
//! Incremental: notes that are the same, and whose request keys are, are not looked at: they cost one comparison of keys.

mod cause;
mod claim;
mod compare;
mod difference;
mod end;
mod figure;
mod histogram;
mod link;
mod list;
mod missing;
mod noise;
mod number;
mod pair;
mod picture;
pub mod report;
mod result;
mod sentence;
mod side;
mod text;

pub use compare::{compare, compare_note};
pub use end::{End, ends};
pub use side::{Options, open};
