//! The sizes that the header of a page states, so that these can be bounded before a page is unpacked. A header is a struct of
//! Thrift's compact protocol, see `parquet.thrift` of Apache Parquet.

use std::io::{self, Read};

/// The sizes of a page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Header {
    /// Bytes of the header itself.
    pub length: u64,
    /// Bytes of the page when it is unpacked.
    pub unpacked: i64,
    /// Bytes of the page in the file.
    pub packed: i64,
}

/// Most structs and lists inside of each other.
const DEEPEST: usize = 8;
/// Most bytes of a header: it may hold the smallest and the largest value of its page.
const LONGEST: u64 = 256 << 20;

impl Header {
    /// Reads the header of a page.
    ///
    /// # Errors
    /// If it ends early, or breaks the rules of the protocol.
    pub fn read(reader: &mut impl Read) -> io::Result<Self> {
        let mut compact = Compact { reader, read: 0 };
        let mut header = Self::default();
        let mut field = 0;
        while let Some((id, kind)) = compact.field(field)? {
            field = id;
            match id {
                2 => header.unpacked = compact.number()?,
                3 => header.packed = compact.number()?,
                _ => compact.skip(kind, 0)?,
            }
        }
        header.length = compact.read;
        Ok(header)
    }
}

fn invalid() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "invalid page header")
}

/// Reads Thrift's compact protocol.
struct Compact<'r, R> {
    reader: &'r mut R,
    read: u64,
}

impl<R: Read> Compact<'_, R> {
    fn byte(&mut self) -> io::Result<u8> {
        let mut byte = [0];
        self.reader.read_exact(&mut byte)?;
        self.read += 1;
        if self.read > LONGEST { Err(invalid()) } else { Ok(byte[0]) }
    }

    fn varint(&mut self) -> io::Result<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(invalid())
    }

    /// A signed number, in zigzag form.
    fn number(&mut self) -> io::Result<i64> {
        let value = self.varint()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// Number and type of the next field of a struct; `None` at its end.
    fn field(&mut self, before: i64) -> io::Result<Option<(i64, u8)>> {
        let byte = self.byte()?;
        match (byte >> 4, byte & 0xf) {
            (_, 0) => Ok(None),
            (0, kind) => Ok(Some((self.number()?, kind))),
            (delta, kind) => Ok(Some((before.saturating_add(i64::from(delta)), kind))),
        }
    }

    fn skip_bytes(&mut self, count: u64) -> io::Result<()> {
        self.read = self.read.saturating_add(count);
        if self.read > LONGEST {
            return Err(invalid());
        }
        match io::copy(&mut self.reader.by_ref().take(count), &mut io::sink())? {
            skipped if skipped == count => Ok(()),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    fn skip(&mut self, kind: u8, depth: usize) -> io::Result<()> {
        if depth > DEEPEST {
            return Err(invalid());
        }
        match kind {
            // The two truth values are in the type itself.
            1 | 2 => Ok(()),
            3 => self.skip_bytes(1),
            4..=6 => self.varint().map(drop),
            7 => self.skip_bytes(8),
            8 => {
                let length = self.varint()?;
                self.skip_bytes(length)
            }
            9 | 10 => {
                let byte = self.byte()?;
                let count = if byte >> 4 == 15 { self.varint()? } else { u64::from(byte >> 4) };
                for _ in 0..count {
                    match byte & 0xf {
                        // In a list, a truth value has a byte.
                        1 | 2 => self.skip_bytes(1)?,
                        kind => self.skip(kind, depth + 1)?,
                    }
                }
                Ok(())
            }
            12 => {
                let mut field = 0;
                while let Some((id, kind)) = self.field(field)? {
                    field = id;
                    self.skip(kind, depth + 1)?;
                }
                Ok(())
            }
            _ => Err(invalid()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sizes_of_a_page_are_read_from_its_header() {
        // Type 0, unpacked 300, packed 70, a header of a data page with two numbers and statistics with a text.
        let bytes = [
            0x15, 0x00, 0x15, 0xd8, 0x04, 0x15, 0x8c, 0x01, 0x2c, 0x15, 0x04, 0x15, 0x00, 0x1c,
            0x18, 0x02, b'a', b'b', 0x00, 0x00, 0x00, 0xff,
        ];
        let header = Header::read(&mut bytes.as_slice()).expect("a header");
        assert_eq!(header, Header { length: 21, unpacked: 300, packed: 70 });
        for length in 0..21 {
            assert!(Header::read(&mut &bytes[..length]).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn a_header_that_nests_or_never_ends_is_refused() {
        assert!(Header::read(&mut [0x4c; 1000].as_slice()).is_err());
        assert!(Header::read(&mut [0xff; 1000].as_slice()).is_err());
        let huge = [0x48, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        assert!(Header::read(&mut huge.as_slice()).is_err());
        // A list of very many structs that have nothing in them.
        let list = [0x49, 0xf1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        assert!(Header::read(&mut list.as_slice()).is_err());
    }
}
