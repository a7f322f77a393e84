//! The address of the published site.

use super::settings::Settings;
use crate::yaml::Entry;

/// A site's absolute `http` or `https` URL without a final slash; `None` if it is invalid.
pub(super) fn absolute_url(written: &str) -> Option<String> {
    let written = written.trim().trim_end_matches('/');
    let rest = written.strip_prefix("https://").or_else(|| written.strip_prefix("http://"))?;
    let host = rest.split('/').next().unwrap_or_default();
    let plain = !written.contains(|c: char| c.is_whitespace() || "?#\"'<>\\`{}".contains(c));
    (plain && !host.is_empty() && !host.starts_with(':')).then(|| written.to_owned())
}

impl Settings<'_> {
    /// Reports that an entry is no such address.
    pub(super) fn no_url(&mut self, entry: &Entry, written: &str) {
        let message = format!("`{}` must be an absolute address, not `{written}`", entry.key);
        let problem = self.reader.at_value(&entry.node, message);
        self.problems.push(problem.hint("write it as https://example.org/garden"));
    }
}
