//! Reads parts of open files.

use std::fs::File;
use std::io;

/// Reads some bytes from an offset on, independently of other readers; returns 0 at the end of the file.
///
/// # Errors
/// Fails if the file system reports an error.
#[cfg(unix)]
pub fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

/// Reads some bytes from an offset on, independently of other readers; returns 0 at the end of the file.
///
/// # Errors
/// Fails if the file system reports an error.
#[cfg(windows)]
pub fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, offset)
}

/// Reads `count` bytes from an offset on.
///
/// # Errors
/// Fails if there are fewer, or if the file system reports an error.
pub fn bytes_at(file: &File, offset: u64, count: u64) -> io::Result<Vec<u8>> {
    filled(count, |buffer, read| read_at(file, buffer, offset + read))
}

/// `count` bytes that `read` puts into a buffer, some at a time; it is told how many there are already.
fn filled(
    count: u64,
    mut read: impl FnMut(&mut [u8], u64) -> io::Result<usize>,
) -> io::Result<Vec<u8>> {
    let count = usize::try_from(count).map_err(io::Error::other)?;
    let mut bytes = vec![0; count];
    let mut done = 0;
    while done < count {
        match read(&mut bytes[done..], done as u64)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            more => done += more,
        }
    }
    Ok(bytes)
}

/// Bytes that [`Ahead`] reads at once.
const AHEAD: usize = 8 << 10;

/// Reads small parts of a file, one behind the other: one call of the system is enough for several of them.
#[derive(Debug)]
pub struct Ahead<'f> {
    file: &'f File,
    bytes: Vec<u8>,
    /// The offset of the first of these bytes.
    from: u64,
}

impl<'f> Ahead<'f> {
    /// Nothing is read yet.
    pub fn of(file: &'f File) -> Self {
        Self { file, bytes: Vec::new(), from: 0 }
    }

    /// As [`read_at`]; what was read ahead is as old as that call.
    ///
    /// # Errors
    /// Fails if the file system reports an error.
    pub fn read_at(&mut self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        if buffer.len() >= AHEAD {
            return read_at(self.file, buffer, offset);
        }
        if self.held(offset).is_empty() {
            self.bytes.resize(AHEAD, 0);
            let read = read_at(self.file, &mut self.bytes, offset);
            self.bytes.truncate(*read.as_ref().unwrap_or(&0));
            self.from = offset;
            read?;
        }
        let held = self.held(offset);
        let count = held.len().min(buffer.len());
        buffer[..count].copy_from_slice(&held[..count]);
        Ok(count)
    }

    /// As [`bytes_at`].
    ///
    /// # Errors
    /// Fails if there are fewer, or if the file system reports an error.
    pub fn bytes_at(&mut self, offset: u64, count: u64) -> io::Result<Vec<u8>> {
        filled(count, |buffer, read| self.read_at(buffer, offset + read))
    }

    /// The bytes from an offset on that were read ahead.
    fn held(&self, offset: u64) -> &[u8] {
        let start = offset.checked_sub(self.from).and_then(|start| usize::try_from(start).ok());
        start.and_then(|start| self.bytes.get(start..)).unwrap_or_default()
    }
}

/// Asks the system to begin to read a part of a file, without waiting for it. Where the system has no such thing, nothing
/// happens.
#[cfg(target_os = "linux")]
pub fn expect(file: &File, offset: u64, count: u64) {
    use rustix::fs::{Advice, fadvise};
    // 0 would be all that follows.
    if let Some(count) = std::num::NonZeroU64::new(count) {
        // It is advice: where it is not taken, reading takes longer and nothing else.
        let _ = fadvise(file, offset, Some(count), Advice::WillNeed);
    }
}

/// Asks the system to begin to read a part of a file, without waiting for it. Where the system has no such thing, nothing
/// happens.
#[cfg(not(target_os = "linux"))]
pub fn expect(_: &File, _: u64, _: u64) {}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn parts_are_the_same_whether_they_were_read_ahead_or_not() {
        let mut file = tempfile::tempfile().expect("a file");
        let all: Vec<u8> = (0..3 * AHEAD + 100).map(|at| (at % 251) as u8).collect();
        file.write_all(&all).expect("written");
        let mut ahead = Ahead::of(&file);
        let steps = [(0, 10), (10, 600), (AHEAD - 3, 9), (4, 4), (2 * AHEAD, AHEAD + 50), (100, 0)];
        for (offset, count) in steps {
            let expected = bytes_at(&file, offset as u64, count as u64).expect("bytes");
            assert_eq!(expected, all[offset..offset + count]);
            assert_eq!(ahead.bytes_at(offset as u64, count as u64).expect("bytes"), expected);
        }
        let end = all.len() as u64;
        for (offset, count) in [(end - 5, 6), (end, 1), (u64::MAX - 9, 1)] {
            assert!(bytes_at(&file, offset, count).is_err());
            assert!(ahead.bytes_at(offset, count).is_err(), "{offset}");
        }
        assert_eq!(ahead.bytes_at(end - 5, 5).expect("the end"), all[all.len() - 5..]);
    }
}
