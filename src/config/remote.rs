//! Whether notes may load from other hosts: an entry of the configuration in; the choice out.

use super::Settings;
use crate::yaml::{Entry, Value};

/// What is done with what a note would load from another host, and with scripts of its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Remote {
    /// It is an error, and the page has words in its place.
    Forbid,
    /// It is a warning.
    #[default]
    Warn,
    /// It is meant.
    Allow,
}

impl Settings<'_> {
    pub(super) fn remote(&mut self, entry: &Entry) -> Remote {
        match (self.text(entry).as_deref(), &entry.node.value) {
            (Some("forbid"), _) => return Remote::Forbid,
            (Some("allow"), _) => return Remote::Allow,
            (Some("warn"), _) | (_, Value::Null) => {}
            (Some(_), _) => self.wrong(&entry.node, &entry.key, "`forbid`, `warn` or `allow`"),
            (None, _) => {}
        }
        Remote::Warn
    }
}
