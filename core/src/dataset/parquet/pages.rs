//! Bounds the pages of a column before any of them is unpacked.

use std::io::{self, Read as _};

use parquet::basic::Compression;
use parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};
use parquet::file::reader::Length as _;

use super::fault::{damaged, rewritten};
use super::header::Header;
use super::source::Source;
use crate::dataset::listing::Malformed;

/// Most bytes of a page when it is unpacked.
const LARGEST: u64 = 1 << 30;
/// What a page may unpack to in any case, and more for each of its bytes. No text or picture is as dense.
const SMALL: u64 = 64 << 20;
const RATIO: u64 = 1024;

/// Checks that the pages of a column can be read, and unpack to a bounded size.
///
/// # Errors
/// If they are compressed in a way that is not read, are not in the file, or are too large.
pub fn check(source: &Source, group: &RowGroupMetaData, column: usize) -> Result<(), Malformed> {
    let chunk = group.column(column);
    let name = chunk.column_path().string();
    if chunk.file_path().is_some() {
        return Err(rewritten(format!("the column `{name}` is in another file")));
    }
    let codec = chunk.compression();
    match codec {
        Compression::BROTLI(_) | Compression::LZO => {
            let codec = if codec == Compression::LZO { "LZO" } else { "Brotli" };
            let why =
                format!("the column `{name}` is compressed with {codec}, which is not supported");
            return Err(rewritten(why));
        }
        _ => {}
    }
    let broken = || damaged(format!("the pages of the column `{name}` are not in the file"));
    let (mut at, end) = range(chunk).filter(|(_, end)| *end <= source.len()).ok_or_else(broken)?;
    while at < end {
        let header = Header::read(&mut source.from(at)).map_err(|error| {
            Malformed::Form(format!("the column `{name}` is damaged or encrypted: {error}"))
        })?;
        let sizes = (u64::try_from(header.packed), u64::try_from(header.unpacked));
        let (Ok(packed), Ok(unpacked)) = sizes else { return Err(broken()) };
        let start = at + header.length;
        at = start.checked_add(packed).filter(|at| *at <= end).ok_or_else(broken)?;
        if unpacked > LARGEST || unpacked > SMALL.saturating_add(packed.saturating_mul(RATIO)) {
            let most = LARGEST >> 20;
            let why = format!(
                "a page of the column `{name}` unpacks to {unpacked} bytes, more than {most} MiB"
            );
            return Err(rewritten(why));
        }
        if matches!(codec, Compression::GZIP(_)) {
            // This one says only when it is unpacked how much it is.
            let decoder = flate2::read::MultiGzDecoder::new(source.from(start).take(packed));
            let found = io::copy(&mut decoder.take(unpacked + 1), &mut io::sink());
            if found.map_err(damaged)? > unpacked {
                return Err(damaged(format!(
                    "a page of the column `{name}` is longer than it says"
                )));
            }
        }
    }
    Ok(())
}

/// Where the pages of a column are in the file.
fn range(chunk: &ColumnChunkMetaData) -> Option<(u64, u64)> {
    let start = chunk.dictionary_page_offset().unwrap_or_else(|| chunk.data_page_offset());
    let start = u64::try_from(start).ok()?;
    Some((start, start.checked_add(u64::try_from(chunk.compressed_size()).ok()?)?))
}

/// That a file is encrypted.
pub fn encrypted() -> Malformed {
    Malformed::Hinted {
        why: "it is encrypted".into(),
        hint: "decrypt it: write it again without encryption where its key is".into(),
    }
}
