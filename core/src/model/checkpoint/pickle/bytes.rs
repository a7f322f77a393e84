//! Reads a pickle's bytes one after the other: numbers, texts and lines.

use super::error::PickleError;

/// A pickle's bytes, with the position up to which they were read.
#[derive(Debug)]
pub struct Bytes<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Bytes<'a> {
    /// Bytes of which none has been read.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// How many bytes have been read.
    pub fn at(&self) -> usize {
        self.at
    }

    /// An index of one byte if `short`, else of four.
    pub fn index(&mut self, short: bool) -> Result<u32, PickleError> {
        Ok(if short { self.byte()?.into() } else { u32::from_le_bytes(self.array()?) })
    }

    /// Bytes whose count comes first, as a little-endian number of `width` bytes.
    pub fn counted(&mut self, width: usize) -> Result<&'a [u8], PickleError> {
        let mut all = [0; 8];
        all[..width].copy_from_slice(self.take(width)?);
        self.take(usize::try_from(u64::from_le_bytes(all)).unwrap_or(usize::MAX))
    }

    /// A signed little-endian number whose count of bytes comes first; `None` if it has more than 64 bits.
    pub fn long(&mut self, short: bool) -> Result<Option<i64>, PickleError> {
        let bytes = self.counted(if short { 1 } else { 4 })?;
        if bytes.len() > 8 {
            return Ok(None);
        }
        let negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
        let mut all = [if negative { 0xff } else { 0 }; 8];
        all[..bytes.len()].copy_from_slice(bytes);
        Ok(Some(i64::from_le_bytes(all)))
    }

    /// A text up to a line feed, which is not part of it.
    pub fn line(&mut self) -> Result<&'a str, PickleError> {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|&byte| byte == b'\n').ok_or(PickleError::Cut)?;
        let bytes = self.take(length + 1)?;
        self.text(&bytes[..length])
    }

    /// Bytes as a text.
    pub fn text(&self, bytes: &'a [u8]) -> Result<&'a str, PickleError> {
        std::str::from_utf8(bytes).map_err(|_| self.malformed("a text is not UTF-8"))
    }

    /// One byte.
    pub fn byte(&mut self) -> Result<u8, PickleError> {
        Ok(self.array::<1>()?[0])
    }

    /// `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], PickleError> {
        self.take(N)?.try_into().map_err(|_| PickleError::Cut)
    }

    /// `length` bytes.
    pub fn take(&mut self, length: usize) -> Result<&'a [u8], PickleError> {
        let end = self.at.checked_add(length).ok_or(PickleError::Cut)?;
        let bytes = self.bytes.get(self.at..end).ok_or(PickleError::Cut)?;
        self.at = end;
        Ok(bytes)
    }

    /// Says that the pickle is malformed at the current position.
    pub fn malformed(&self, why: &'static str) -> PickleError {
        PickleError::Malformed(self.at, why)
    }
}
