//! The end of a job's output.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

/// Most bytes that are read from its end.
const MOST: u64 = 16 << 10;
/// Most lines.
const LINES: usize = 20;

/// The last lines of a file; `None` if there are none.
pub fn end_of(path: &Path) -> Option<String> {
    let mut file = File::open(path).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(MOST))).ok()?;
    let mut bytes = Vec::new();
    file.take(MOST).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let mut lines: Vec<&str> = text.lines().collect();
    if length > MOST {
        // The first may be cut off.
        lines.drain(..1.min(lines.len()));
    }
    let first = lines.len().saturating_sub(LINES);
    let end = lines[first..].join("\n");
    (!end.trim().is_empty()).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_read_whole() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("log");
        assert_eq!(end_of(&path), None);
        std::fs::write(&path, "\n").expect("written");
        assert_eq!(end_of(&path), None);
        let line = |n: u32| format!("{n} {}", "x".repeat(2000));
        let text: Vec<String> = (0..40).map(line).collect();
        std::fs::write(&path, text.join("\n")).expect("written");
        let end = end_of(&path).expect("an end");
        let lines: Vec<&str> = end.lines().collect();
        assert!(lines.len() > 5 && lines.iter().all(|line| line.len() > 2000), "{lines:?}");
        assert!(lines.last().is_some_and(|last| last.starts_with("39 ")));
    }
}
