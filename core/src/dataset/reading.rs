//! How the shards of a data set are read, as far as the configuration says.

use super::labels::Labels;
use super::table::Table;

/// How the shards of a data set are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// Where labels come from.
    pub labels: Labels,
    /// How the rows of a table are read.
    pub table: Table,
}

impl From<Labels> for Reading {
    fn from(labels: Labels) -> Self {
        Self { labels, table: Table::default() }
    }
}
