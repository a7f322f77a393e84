//! Limits on templates: the number of steps and the size of the page, depending on the data.
//!
//! A garden's template may contain an endless loop or a text that doubles. Both limits grow with the data, so that
//! lists of large gardens fit. Work is counted rather than timed, so that a page is the same on every machine.

use std::io;

use serde::Serialize;

/// Steps that any template may take; a note's page takes some thousands. A step is an instruction, or 64 bytes of
/// text that are made or examined.
const STEPS: u64 = 4_000_000;
/// Additional steps per byte of the data as JSON; a card in a list takes about a fifth of a step per byte.
const STEPS_A_BYTE: u64 = 2;
/// Maximum size of any page in bytes.
const BYTES: u64 = 16 << 20;
/// Additional bytes of the page per byte of the data: escaping makes six bytes of one.
const BYTES_A_BYTE: u64 = 8;

/// The limits for rendering one page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Budget {
    pub(super) steps: u64,
    pub(super) bytes: u64,
}

impl Budget {
    /// The limits for a template with this data.
    pub(super) fn of(view: &impl Serialize) -> Self {
        let mut counted = Counted(0);
        // Views are plain data, so writing them cannot fail.
        let _ = serde_json::to_writer(&mut counted, view);
        let Counted(bytes) = counted;
        Self {
            steps: STEPS.saturating_add(bytes.saturating_mul(STEPS_A_BYTE)),
            bytes: BYTES.saturating_add(bytes.saturating_mul(BYTES_A_BYTE)),
        }
    }
}

/// Counts written bytes.
struct Counted(u64);

impl io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A page that is being written, with a maximum size.
#[derive(Debug)]
pub(super) struct Page {
    text: Vec<u8>,
    most: u64,
    /// Whether the page exceeded the maximum.
    pub(super) is_full: bool,
}

impl Page {
    pub(super) fn of(budget: Budget) -> Self {
        Self { text: Vec::new(), most: budget.bytes, is_full: false }
    }

    pub(super) fn text(self) -> String {
        String::from_utf8(self.text)
            .unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned())
    }
}

impl io::Write for &mut Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.text.len() as u64 + bytes.len() as u64 > self.most {
            self.is_full = true;
            return Err(io::Error::other("the page is full"));
        }
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
