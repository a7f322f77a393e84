//! The pictures in a column of a Parquet file, by row, for many threads.
//!
//! A page can only be unpacked as a whole, and a row group is read from its beginning. So one reader goes forward through
//! the column, block by block, and blocks are kept for the threads that are a little ahead or behind. Rows that are far
//! ahead are reached by skipping pages; a row that is no longer kept begins its row group anew.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use parquet::column::reader::{ColumnReaderImpl, get_typed_column_reader};
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::reader::FileReader as _;

use super::fault::{damaged, guarded};
use super::footer::{File, io_error};
use crate::dataset::listing::{LARGEST_PICTURE, Malformed};

/// Most rows of a block, and the bytes after which it ends.
const ROWS: u64 = 32;
const BYTES: usize = 4 << 20;
/// Most bytes of the blocks that are kept.
const KEPT: usize = 128 << 20;
/// A row that is as far ahead is reached without keeping those before it.
const FAR: u64 = 1024;

/// A picture; `None` if the row has none.
pub type Picture = Option<Arc<[u8]>>;

/// The pictures of a column.
pub struct Packed {
    file: File,
    column: usize,
    state: Mutex<State>,
}

impl std::fmt::Debug for Packed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Packed").field("file", &self.file).finish_non_exhaustive()
    }
}

#[derive(Default)]
struct State {
    cursor: Option<Cursor>,
    /// Blocks by their first rows.
    blocks: BTreeMap<u64, Vec<Picture>>,
    /// The first rows of blocks in the order in which they were read, each with its bytes.
    order: VecDeque<(u64, usize)>,
    bytes: usize,
    /// By row group, the first row that cannot be read, and why.
    broken: BTreeMap<usize, (u64, String)>,
}

/// A reader within a row group.
struct Cursor {
    group: usize,
    /// The next row, in the whole file.
    next: u64,
    reader: ColumnReaderImpl<ByteArrayType>,
}

impl Packed {
    /// The pictures of a column of a file.
    pub fn new(file: File, column: usize) -> Self {
        Self { file, column, state: Mutex::default() }
    }

    /// Whether the footer says of every row that it has a picture.
    pub fn is_whole(&self) -> bool {
        let groups = self.file.reader.metadata().row_groups();
        groups.iter().all(|group| {
            let column = group.column(self.column);
            let nulls = column.statistics().and_then(|statistics| statistics.null_count_opt());
            column.column_descr().max_def_level() == 0 || nulls == Some(0)
        })
    }

    /// Checks that the column can be read.
    ///
    /// # Errors
    /// If it is compressed in a way that is not read, is not in the file, or unpacks to too much.
    pub fn check(&self) -> Result<(), Malformed> {
        (0..self.file.reader.num_row_groups())
            .try_for_each(|group| self.file.check(group, self.column))
    }

    /// The picture of a row.
    ///
    /// # Errors
    /// If there is no such row, or it is damaged.
    pub fn picture(&self, row: u64) -> io::Result<Picture> {
        let (group, _) = self.file.place(row).ok_or(io::ErrorKind::NotFound)?;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(found) = state.kept(row) {
                return Ok(found);
            }
            if let Some((from, why)) = state.broken.get(&group)
                && row >= *from
            {
                return Err(io::Error::other(why.clone()));
            }
            let mut cursor = match state.cursor.take() {
                Some(cursor) if cursor.group == group && cursor.next <= row => cursor,
                _ => guarded(|| self.begin(group))
                    .map_err(|error| state.spoil(group, self.file.starts[group], error))?,
            };
            let from = cursor.next;
            match guarded(|| self.block(&mut cursor, row)) {
                Ok((first, block)) => {
                    state.keep(first, block);
                    state.cursor = Some(cursor);
                }
                Err(error) => drop(state.spoil(group, from.max(cursor.next), error)),
            }
        }
    }

    /// A reader at the beginning of a row group.
    fn begin(&self, group: usize) -> Result<Cursor, Malformed> {
        self.file.check(group, self.column)?;
        let reader = self.file.reader.get_row_group(group).map_err(damaged)?;
        let reader = reader.get_column_reader(self.column).map_err(damaged)?;
        let reader = get_typed_column_reader::<ByteArrayType>(reader);
        Ok(Cursor { group, next: self.file.starts[group], reader })
    }

    /// The next block on the way to a row, and its first row.
    fn block(&self, cursor: &mut Cursor, row: u64) -> Result<(u64, Vec<Picture>), Malformed> {
        let short = || damaged("a column has fewer rows than the file says");
        if row - cursor.next > FAR {
            let count = row - cursor.next;
            let skipped = cursor.reader.skip_records(count as usize).map_err(damaged)?;
            cursor.next += skipped as u64;
            if skipped as u64 != count {
                return Err(short());
            }
        }
        let first = cursor.next;
        let end = self.file.starts[cursor.group + 1].min(first + ROWS);
        let (mut block, mut bytes) = (Vec::new(), 0);
        let (mut levels, mut values) = (Vec::new(), Vec::<ByteArray>::new());
        while cursor.next < end && bytes < BYTES {
            levels.clear();
            values.clear();
            let read = cursor.reader.read_records(1, Some(&mut levels), None, &mut values);
            let read = match read {
                Ok((read, _, _)) => read,
                // What was read before is whole.
                Err(_) if !block.is_empty() => break,
                Err(error) => return Err(damaged(error)),
            };
            if read == 0 {
                if block.is_empty() {
                    return Err(short());
                }
                break;
            }
            let picture = values.first().map(|value| {
                let data = value.data();
                // One that is too large is refused by its size, so a byte more is enough.
                let most = usize::try_from(LARGEST_PICTURE).map_or(usize::MAX, |most| most + 1);
                Arc::from(&data[..data.len().min(most)])
            });
            bytes += picture.as_ref().map_or(0, |picture: &Arc<[u8]>| picture.len());
            block.push(picture);
            cursor.next += 1;
        }
        Ok((first, block))
    }
}

impl State {
    fn kept(&self, row: u64) -> Option<Picture> {
        let (first, block) = self.blocks.range(..=row).next_back()?;
        block.get(usize::try_from(row - first).ok()?).cloned()
    }

    fn keep(&mut self, first: u64, block: Vec<Picture>) {
        let bytes = block.iter().flatten().map(|picture| picture.len()).sum();
        if self.blocks.insert(first, block).is_some() {
            // It was read before, and begins at the same row: the older one of the two counts.
            let before = self.order.iter().position(|(known, _)| *known == first);
            if let Some((_, bytes)) = before.and_then(|at| self.order.remove(at)) {
                self.bytes -= bytes;
            }
        }
        self.order.push_back((first, bytes));
        self.bytes += bytes;
        while self.bytes > KEPT && self.order.len() > 1 {
            if let Some((first, bytes)) = self.order.pop_front() {
                self.blocks.remove(&first);
                self.bytes -= bytes;
            }
        }
    }

    /// Notes that a row group cannot be read from a row on.
    fn spoil(&mut self, group: usize, row: u64, error: Malformed) -> io::Error {
        let error = io_error(error);
        self.broken.insert(group, (row, error.to_string()));
        error
    }
}
