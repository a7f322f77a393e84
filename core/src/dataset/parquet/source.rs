//! A file that is read at offsets, by several threads at once.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::sync::Arc;

use bytes::Bytes;
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};

use crate::dataset::file::{bytes_at, read_at};

/// An open file. (Parquet's own reader of files seeks, so that threads would disturb each other.)
#[derive(Debug, Clone)]
pub struct Source {
    file: Arc<File>,
    length: u64,
}

impl Source {
    /// An open file of this length.
    pub fn new(file: File, length: u64) -> Self {
        Self { file: Arc::new(file), length }
    }

    /// Reads from an offset on, to the end of the file.
    pub fn from(&self, offset: u64) -> BufReader<From> {
        BufReader::new(From { file: Arc::clone(&self.file), offset })
    }
}

impl Length for Source {
    fn len(&self) -> u64 {
        self.length
    }
}

impl ChunkReader for Source {
    type T = BufReader<From>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        Ok(self.from(start))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        // Nothing is allocated for bytes that are not there.
        if start.checked_add(length as u64).is_none_or(|end| end > self.length) {
            return Err(ParquetError::EOF(format!("{length} bytes at {start} are not there")));
        }
        Ok(bytes_at(&self.file, start, length as u64)?.into())
    }
}

/// A file from an offset on.
#[derive(Debug)]
pub struct From {
    file: Arc<File>,
    offset: u64,
}

impl Read for From {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = read_at(&self.file, buffer, self.offset)?;
        self.offset += read as u64;
        Ok(read)
    }
}
