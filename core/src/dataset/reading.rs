//! How the shards of a data set are read, as far as the configuration says.

use super::draw::Draw;
use super::labels::Labels;
use super::table::Table;

/// How the shards of a data set are read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reading {
    /// Where labels come from.
    pub labels: Labels,
    /// How the rows of a table are read.
    pub table: Table,
    /// How words are drawn; `None` for black on white in the built-in font, once.
    pub draw: Option<Draw>,
}

impl From<Labels> for Reading {
    fn from(labels: Labels) -> Self {
        Self { labels, ..Self::default() }
    }
}
