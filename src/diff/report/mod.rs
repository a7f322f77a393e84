//! Shows a difference: in the terminal, as JSON, as Markdown, as a folder of HTML. What is shown first is the same in all.

pub mod html;
pub mod json;
pub mod markdown;
pub mod page;
pub mod shared;
pub mod terminal;
