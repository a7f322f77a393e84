//! Reads the text of a note.

use std::fs;
use std::io;
use std::path::Path;

use neuronotes_core::file::{self, Refused};

use super::Stamp;
use crate::handles::is_passing;

/// Maximum size of a note in bytes.
const LONGEST_NOTE: u64 = 16 << 20;

/// Why a note has no text.
pub(super) enum Unread {
    /// For a temporary reason.
    Now(io::Error),
    /// For a lasting reason: the message and the hint.
    Ever(String, Option<&'static str>),
}

/// A file's stamp, which differs after each write: size, time and inode.
pub(super) fn stamp(meta: &fs::Metadata) -> Option<Stamp> {
    #[cfg(unix)]
    let number = std::os::unix::fs::MetadataExt::ino(meta);
    #[cfg(not(unix))]
    let number = 0;
    Some((meta.len(), meta.modified().ok()?, number))
}

/// The text of a note in the folder `real`, whose path contains no links, or the reason why there is none.
pub(super) fn read(real: &Path, path: &Path) -> Result<String, Unread> {
    let bytes = file::read_in(real, path, LONGEST_NOTE).map_err(|error| {
        if is_passing(&error) {
            return Unread::Now(error);
        }
        let message = match Refused::of(&error) {
            Some(Refused::Large(size, _)) => {
                format!("the note has {} MiB; the limit is 16 MiB", size >> 20)
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
