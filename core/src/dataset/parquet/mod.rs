//! Tables in Parquet. Input: a file, and the columns that are wanted. Output: the texts of each row, and any row's picture.
//! Only what is needed is read: the footer, then pages of the columns that are wanted.

mod chosen;
mod fault;
mod features;
mod footer;
mod header;
mod packed;
mod pages;
mod source;
mod texts;

pub use chosen::{Chosen, Pictures as PictureColumn};
pub use fault::REWRITE;
pub use footer::open;
pub use packed::Packed;
pub use texts::texts;
