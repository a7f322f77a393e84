//! Files of data sets: an open file in; some of its bytes out.

use std::fs::File;
use std::io;

/// Reads some bytes from a place on, whoever else reads the file; none at its end.
///
/// # Errors
/// Whatever the file system gives.
#[cfg(unix)]
pub fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

/// Reads some bytes from a place on, whoever else reads the file; none at its end.
///
/// # Errors
/// Whatever the file system gives.
#[cfg(windows)]
pub fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, offset)
}

/// Reads so many bytes from a place on.
///
/// # Errors
/// Where there are fewer.
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
