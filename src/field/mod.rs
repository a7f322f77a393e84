//! Fields of a block: what a reader sees of them.

pub mod document;
pub mod shown;

pub use shown::{direction_shown, shown};
