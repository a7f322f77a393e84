//! Labels that a rater gave to pictures by a labelling sheet: the file that the sheet saved in, JSON or CSV; the labels, or what is wrong
//! and where, out.
//!
//! ```json
//! {
//!   "format": "neuronotes labels 1",
//!   "sheet": "3f0c…",
//!   "rater": "ann",
//!   "categories": ["heart", "face"],
//!   "labels": { "emoji_u2764": "heart" },
//!   "skipped": ["emoji_u1f600"]
//! }
//! ```
//!
//! ```csv
//! image,label,rater
//! emoji_u2764,heart,ann
//! emoji_u1f600,,ann
//! ```

mod answers;
mod csv;
mod format;
mod pattern;
mod sheet;

pub use answers::Answers;
pub use format::{FORMAT, LARGEST};
pub use pattern::Pattern;
pub use sheet::{KEYS, Sheet, Shown};
