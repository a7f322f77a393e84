//! Reviews of notes: who read which note when, and what it said then.
//!
//! `neuronotes review` appends a *stamp* to `reviews/NOTE.yaml`: digests of the text as it was read, of each figure's result, and of the
//! note's claims ([`Seen`]). A stamp compared with what the note says now tells what has changed since ([`Standing`]). This module knows
//! files of stamps and digests, not notes, figures or pages.

mod file;
mod period;
mod seen;
mod stamp;
mod standing;

pub use file::{ATTRIBUTES, FOLDER, appended, name, note_of, read};
pub use period::Period;
pub use seen::{Seen, short};
pub use stamp::{Stamp, Verdict};
pub use standing::{Change, Standing, standings};
