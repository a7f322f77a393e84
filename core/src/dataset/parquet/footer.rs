//! Opens a Parquet file: reads its footer, and checks what it says of rows and columns.

use std::io::{self, Read as _};
use std::path::Path;

use parquet::file::metadata::ParquetMetaData;
use parquet::file::reader::{FileReader as _, SerializedFileReader};

use super::fault::{damaged, guarded, rewritten};
use super::pages::{self, encrypted};
use super::source::Source;
use crate::dataset::listing::Malformed;
use crate::sniff;

/// Most rows of a file.
const MOST: u64 = 50_000_000;

/// A Parquet file that is open.
pub struct File {
    /// Its reader.
    pub reader: SerializedFileReader<Source>,
    /// The number of rows before each row group, and of all.
    pub starts: Vec<u64>,
    source: Source,
}

impl std::fmt::Debug for File {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("File").field("starts", &self.starts).finish_non_exhaustive()
    }
}

/// Opens a file.
///
/// # Errors
/// If it cannot be read, is not a Parquet file, is encrypted or damaged, or has too many rows.
pub fn open(path: &Path) -> Result<File, Malformed> {
    let file = crate::file::open(path).map_err(Malformed::Io)?;
    let length = file.metadata().map_err(Malformed::Io)?.len();
    let source = Source::new(file, length);
    let mut start = Vec::new();
    source.from(0).take(sniff::ENOUGH as u64).read_to_end(&mut start).map_err(Malformed::Io)?;
    match start.get(..4) {
        Some(b"PAR1") => {}
        Some(b"PARE") => return Err(encrypted()),
        _ => {
            return Err(match sniff::other(&start) {
                Some(found) => Malformed::Instead(found),
                None => Malformed::Form("it does not begin as a Parquet file does".into()),
            });
        }
    }
    let mut end = [0; 4];
    let last = source.from(length.saturating_sub(4)).read_exact(&mut end);
    match &end {
        _ if last.is_err() || length < 12 => return Err(Malformed::Form("cut short".into())),
        b"PAR1" => {}
        b"PARE" => return Err(encrypted()),
        _ => {
            return Err(Malformed::Form(
                "cut short: its last bytes are not those of a footer".into(),
            ));
        }
    }
    let (reader, starts) = guarded(|| {
        let reader = SerializedFileReader::new(source.clone()).map_err(damaged)?;
        let starts = starts(reader.metadata())?;
        Ok((reader, starts))
    })?;
    Ok(File { reader, starts, source })
}

/// The number of rows before each row group, and of all.
fn starts(metadata: &ParquetMetaData) -> Result<Vec<u64>, Malformed> {
    let columns = metadata.file_metadata().schema_descr().num_columns();
    let (mut starts, mut rows) = (vec![0], 0u64);
    for group in metadata.row_groups() {
        if group.num_columns() != columns {
            return Err(damaged("a row group lacks columns"));
        }
        let count = u64::try_from(group.num_rows()).map_err(damaged)?;
        rows = rows.saturating_add(count);
        if rows > MOST {
            return Err(rewritten(format!("it has more than {MOST} rows")));
        }
        starts.push(rows);
    }
    Ok(starts)
}

impl File {
    /// The number of rows.
    pub fn rows(&self) -> u64 {
        self.starts.last().copied().unwrap_or(0)
    }

    /// The row group of a row, and the row's number in it.
    pub fn place(&self, row: u64) -> Option<(usize, u64)> {
        let group = self.starts.partition_point(|start| *start <= row).checked_sub(1)?;
        (row < self.rows()).then(|| (group, row - self.starts[group]))
    }

    /// Checks that a column of a row group can be read.
    ///
    /// # Errors
    /// If it is compressed in a way that is not read, is not in the file, or unpacks to too much.
    pub fn check(&self, group: usize, column: usize) -> Result<(), Malformed> {
        pages::check(&self.source, self.reader.metadata().row_group(group), column)
    }

    /// A value of the file's own metadata.
    pub fn fact(&self, key: &str) -> Option<&str> {
        let facts = self.reader.metadata().file_metadata().key_value_metadata()?;
        facts.iter().find(|fact| fact.key == key)?.value.as_deref()
    }
}

/// An error of reading, of the lab's kind.
pub fn io_error(error: Malformed) -> io::Error {
    match error {
        Malformed::Io(error) => error,
        Malformed::Form(why) | Malformed::Hinted { why, .. } => io::Error::other(why),
        Malformed::Instead(found) => io::Error::other(found.what),
    }
}
