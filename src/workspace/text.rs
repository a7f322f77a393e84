//! The text of a note: its file in, its text out, or why there is none.

use std::fs;
use std::io;
use std::path::Path;

use neuronotes_core::file::{self, Refused};

use super::Stamp;
use crate::handles::is_passing;

/// A note longer than this is not read: no person wrote it.
const LONGEST_NOTE: u64 = 16 << 20;

/// Why a note has no text.
pub(super) enum Unread {
    /// For a reason that passes.
    Now(io::Error),
    /// As long as it is as it is: why, and what to do.
    Ever(String, Option<&'static str>),
}

/// What tells a file from one that was written since: its size, its time and its number.
pub(super) fn stamp(meta: &fs::Metadata) -> Option<Stamp> {
    #[cfg(unix)]
    let number = std::os::unix::fs::MetadataExt::ino(meta);
    #[cfg(not(unix))]
    let number = 0;
    Some((meta.len(), meta.modified().ok()?, number))
}

/// The text of a note in the folder `real`, which has no links in its path; else why there is none, and what to do.
pub(super) fn read(real: &Path, path: &Path) -> Result<String, Unread> {
    let bytes = file::read_in(real, path, LONGEST_NOTE).map_err(|error| {
        if is_passing(&error) {
            return Unread::Now(error);
        }
        let message = match Refused::of(&error) {
            Some(Refused::Large(size, _)) => {
                format!("the note has {} MiB; the most that is read is 16 MiB", size >> 20)
            }
            _ => format!("the note cannot be read ({error})"),
        };
        Unread::Ever(message, file::read_hint(&error))
    })?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..at].iter().filter(|b| **b == b'\n').count() + 1;
        let message = format!("the note is not UTF-8 (at byte {at}, line {line})");
        Unread::Ever(message, Some("save it as UTF-8"))
    })
}
