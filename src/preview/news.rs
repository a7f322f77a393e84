//! Updates to open pages, as JSON: the lines that differ between two versions of a page.

use std::path::Path;

use neuronotes_core::digest::Digest;
use serde::Serialize;

use crate::site::Rendered;
use crate::view::{LinkView, ProblemView, legible_json};

/// An update to an open page.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum News<'a> {
    /// It is connected and must fetch itself, because it may be outdated.
    Hello {
        /// Its own identifier.
        tab: u64,
        /// Version of the garden.
        generation: u64,
    },
    /// Its lines have changed.
    Patch(Patch<'a>),
    /// It has changed and must be fetched as a whole.
    Fetch {
        /// Version of the garden.
        generation: u64,
    },
    /// The garden no longer has this page.
    Gone {
        /// Version of the garden.
        generation: u64,
        /// Its new place relative to the site's root, if known.
        moved: Option<LinkView>,
    },
    /// Too many pages are open: this one receives no updates until it is used again.
    Rest,
    /// A figure is being measured.
    Progress {
        /// The request key.
        key: Digest,
        /// Progress in words.
        status: &'a str,
        /// Progress from 0 to 1.
        fraction: f64,
        /// Address of the picture, relative to the site's root.
        picture: Option<String>,
    },
    /// Problems outside notes; empty if there are none any more.
    Problems {
        /// The problems in the order of a build.
        problems: Vec<ProblemView>,
    },
}

/// A patch: the first and last lines of a page stay.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub struct Patch<'a> {
    /// Version of the garden.
    pub generation: u64,
    /// Digest of the page before the patch.
    pub base: Digest,
    /// Digest of the page after the patch.
    pub page: Digest,
    /// Number of unchanged lines at the beginning.
    pub first: usize,
    /// Number of unchanged lines at the end.
    pub last: usize,
    /// The new lines between them.
    pub lines: Vec<&'a str>,
    /// Milliseconds since the first event of the change.
    pub milliseconds: Phases,
}

/// Milliseconds by phase.
#[derive(Debug, Default, Clone, Copy, Serialize, PartialEq, Eq)]
pub struct Phases {
    /// From the first event until the change had settled.
    pub settled: Tenths,
    /// Until it was read, parsed and linked.
    pub read: Tenths,
    /// Until the page was rendered.
    pub rendered: Tenths,
}

/// Milliseconds, rounded to tenths.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tenths(u32);

impl Tenths {
    /// A duration in microseconds.
    pub fn micros(self) -> u64 {
        u64::from(self.0) * 100
    }
}

impl From<std::time::Duration> for Tenths {
    fn from(duration: std::time::Duration) -> Self {
        Self(u32::try_from(duration.as_micros() / 100).unwrap_or(u32::MAX))
    }
}

impl Serialize for Tenths {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(f64::from(self.0) / 10.0)
    }
}

impl News<'_> {
    /// The event in its wire format.
    pub fn text(&self) -> String {
        legible_json(serde_json::to_string(self).unwrap_or_default())
    }
}

impl<'a> Patch<'a> {
    /// The patch from one version of a page to another.
    pub fn between(
        old: &Rendered,
        new: &'a Rendered,
        generation: u64,
        milliseconds: Phases,
    ) -> Self {
        let before: Vec<&str> = old.html.split('\n').collect();
        let after: Vec<&str> = new.html.split('\n').collect();
        let first = before.iter().zip(&after).take_while(|(a, b)| a == b).count();
        let (old_end, new_end) = (before[first..].iter().rev(), after[first..].iter().rev());
        let last = old_end.zip(new_end).take_while(|(a, b)| a == b).count();
        let lines = after[first..after.len() - last].to_vec();
        Self { generation, base: old.digest, page: new.digest, first, last, lines, milliseconds }
    }
}

/// The address of a running measurement's picture, different at each step.
pub fn partial(key: &Digest, picture: &Path, count: u64) -> Option<String> {
    picture.file_name().map(|_| format!("-/partial/{key}?{count}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(html: &str) -> Rendered {
        let digest = Digest::of(html.as_bytes());
        Rendered { key: digest, html: html.into(), digest }
    }

    #[test]
    fn a_patch_makes_one_page_of_the_other() {
        let pages =
            ["", "a", "a\nb\nc", "a\nc", "a\nb\nb\nc\n", "x\na\nb\nc", "a\nb\nx", "\n\n\n", "\n"];
        for (old, new) in pages.iter().flat_map(|old| pages.iter().map(move |new| (old, new))) {
            let (before, after) = (page(old), page(new));
            let patch = Patch::between(&before, &after, 1, Phases::default());
            let lines: Vec<&str> = old.split('\n').collect();
            let (first, last) = (&lines[..patch.first], &lines[lines.len() - patch.last..]);
            assert_eq!([first, &patch.lines, last].concat().join("\n"), *new, "from {old:?}");
        }
        let (old, new) = (page("<p>\none\n</p>\n"), page("<p>\ntwo\n</p>\n"));
        let patch = News::Patch(Patch::between(&old, &new, 7, Phases::default())).text();
        assert!(patch.contains(r#""first":1,"last":2,"lines":["two"]"#), "{patch}");
    }
}
