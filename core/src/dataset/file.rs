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
    let count = usize::try_from(count).map_err(io::Error::other)?;
    let mut bytes = vec![0; count];
    let mut read = 0;
    while read < count {
        match read_at(file, &mut bytes[read..], offset + read as u64)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            more => read += more,
        }
    }
    Ok(bytes)
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
