//! The setting for content that notes load from other hosts.

use super::settings::Settings;
use crate::yaml::{Entry, Value};

/// The treatment of content from other hosts, and of notes' scripts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Remote {
    /// An error; the page has a text in its place.
    Forbid,
    /// A warning.
    #[default]
    Warn,
    /// Allowed.
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
