//! What a template may cost: the data that it is given in; how many steps it may take, and how long its page may be, out.
//!
//! A garden's template may hold a loop without end, or a text that doubles. Both budgets grow with the data, so that the list of
//! a large garden has room; they are counted and not timed, so that a page is the same on every machine.

use std::io;

use serde::Serialize;

/// Steps that a template may take whatever its data: what the page of a note takes is some thousands of them. A step is an
/// instruction, or 64 bytes of text that is made or looked through.
const STEPS: u64 = 4_000_000;
/// Steps for each byte of the data, as JSON: a card of a list takes about a fifth of a step for each of its bytes.
const STEPS_A_BYTE: u64 = 2;
/// Bytes that a page may have whatever its data.
const BYTES: u64 = 16 << 20;
/// Bytes of the page for each byte of the data: escaping makes six bytes of one.
const BYTES_A_BYTE: u64 = 8;

/// What rendering one page may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Budget {
    pub(super) steps: u64,
    pub(super) bytes: u64,
}

impl Budget {
    /// For a template that is given this.
    pub(super) fn of(view: &impl Serialize) -> Self {
        let mut counted = Counted(0);
        // Views are plain data: nothing of them can fail to be written.
        let _ = serde_json::to_writer(&mut counted, view);
        let Counted(bytes) = counted;
        Self {
            steps: STEPS.saturating_add(bytes.saturating_mul(STEPS_A_BYTE)),
            bytes: BYTES.saturating_add(bytes.saturating_mul(BYTES_A_BYTE)),
        }
    }
}

/// Counts what is written.
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

/// A page that is being written, up to so many bytes.
#[derive(Debug)]
pub(super) struct Page {
    text: Vec<u8>,
    most: u64,
    /// Whether there was more.
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
