//! Reads a pickle's bytes one after the other: numbers, texts and lines.

use super::error::PickleError;

/// The bytes that are still to be read.
#[derive(Debug)]
pub struct Bytes<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Bytes<'a> {
    /// All of these.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// How many bytes have been read.
    pub fn at(&self) -> usize {
        self.at
    }

    pub fn index(&mut self, short: bool) -> Result<u32, PickleError> {
        Ok(if short { self.byte()?.into() } else { u32::from_le_bytes(self.array()?) })
    }

    /// As many bytes as a number of so many bytes says.
    pub fn counted(&mut self, width: usize) -> Result<&'a [u8], PickleError> {
        let mut all = [0; 8];
        all[..width].copy_from_slice(self.take(width)?);
        self.take(usize::try_from(u64::from_le_bytes(all)).unwrap_or(usize::MAX))
    }

    /// Little-endian with a sign, of as many bytes as the first ones say.
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

    pub fn line(&mut self) -> Result<&'a str, PickleError> {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|&byte| byte == b'\n').ok_or(PickleError::Cut)?;
        let bytes = self.take(length + 1)?;
        self.text(&bytes[..length])
    }

    pub fn text(&self, bytes: &'a [u8]) -> Result<&'a str, PickleError> {
        std::str::from_utf8(bytes).map_err(|_| self.malformed("a text is not UTF-8"))
    }

    pub fn byte(&mut self) -> Result<u8, PickleError> {
        Ok(self.array::<1>()?[0])
    }

    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], PickleError> {
        self.take(N)?.try_into().map_err(|_| PickleError::Cut)
    }

    pub fn take(&mut self, length: usize) -> Result<&'a [u8], PickleError> {
        let end = self.at.checked_add(length).ok_or(PickleError::Cut)?;
        let bytes = self.bytes.get(self.at..end).ok_or(PickleError::Cut)?;
        self.at = end;
        Ok(bytes)
    }

    pub fn malformed(&self, why: &'static str) -> PickleError {
        PickleError::Malformed(self.at, why)
    }
}
