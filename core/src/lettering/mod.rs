//! Lettering. Input: a font and a word. Output: the word's glyphs, placed in lines in a picture; or the letter that the
//! font lacks, or the size at which the word does not fit. Nothing is drawn here: the lab fills the outlines.

mod block;
mod face;
mod line;
mod position;
mod script;
mod shaping;

pub use block::{Block, Size};
pub use face::{BUILT_IN, Face};
pub use line::Line;
pub use position::Position;
pub use script::needs_shaping;
