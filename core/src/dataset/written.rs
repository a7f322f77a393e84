//! Reads a table that is text: a path in; its bytes as UTF-8, without a byte order mark, out.

use std::path::Path;

use super::file;
use super::listing::Malformed;
use crate::encoding;
use crate::file::open;
use crate::sniff;

/// Most bytes of a table.
const LARGEST: u64 = 512 << 20;

/// The bytes of a table, which need not be valid UTF-8.
///
/// # Errors
/// If it cannot be read, is too large, or is something else by its first bytes.
pub(super) fn bytes(path: &Path) -> Result<Vec<u8>, Malformed> {
    let file = open(path).map_err(Malformed::Io)?;
    let length = file.metadata().map_err(Malformed::Io)?.len();
    if length > LARGEST {
        let most = LARGEST >> 20;
        let why = format!("it has {length} bytes, more than {most} MiB");
        let hint = "cut it into several tables, and name them all as one data set".into();
        return Err(Malformed::Hinted { why, hint });
    }
    let mut bytes = file::bytes_at(&file, 0, length).map_err(Malformed::Io)?;
    if let Some(found) = sniff::other(&bytes[..bytes.len().min(sniff::ENOUGH)]) {
        return Err(Malformed::Instead(found));
    }
    match bytes.as_slice() {
        [0xef, 0xbb, 0xbf, ..] => drop(bytes.drain(..3)),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
            bytes = encoding::text(&bytes).map_err(Malformed::Form)?.into_bytes();
        }
        _ => {}
    }
    Ok(bytes)
}
