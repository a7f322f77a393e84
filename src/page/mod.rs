//! Turns notes, with everything that the garden knows about them, into the data for templates: the pages of notes,
//! and the pages that list notes, tags and units.
//!
//! A [`Draft`] is everything that decides a page's bytes, and its key covers it: the note's text, its resolved links,
//! its backlinks, its figures, the templates, and what all pages share. A page is rendered only if its key changed.

mod backlink;
mod body;
mod cite;
mod cited;
mod claim;
mod contents;
mod control;
mod data;
mod draft;
mod feed;
mod figure;
mod fragment;
mod generated;
mod head;
mod index;
mod known;
mod linked;
mod list;
mod listed;
mod note;
mod path;
mod remote;
mod reviewed;
mod scene;
mod search;
mod settled;
mod special;
mod sweep;
mod trouble;
mod unit;
mod used;
pub mod value;
mod words;

pub use cite::problems as citation_problems;
pub use data::{data_file, data_files};
pub use draft::Draft;
pub use feed::GeneratedFile;
pub use fragment::Shard;
pub use generated::GeneratedPage;
pub(crate) use linked::person;
pub use remote::{footer, footer_problems, problems as remote_problems};
pub use scene::{Assets, HOME, Scene, Shared};
pub use settled::{Scanned, Settled};
pub use trouble::Trouble;
pub use used::pictured;
