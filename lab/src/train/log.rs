//! The training log: one line of JSON per entry, and the curves.

use std::fs;
use std::path::{Path, PathBuf};

use neuronotes_core::file::write_atomic;

use super::curves;
use super::entry::Entry;
use crate::failure::Failure;

/// A log file.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    entries: Vec<Entry>,
}

impl Log {
    /// Opens a log without its entries beyond `step`, since a training that resumes there will write them again.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn open(path: &Path, step: u64) -> Result<Self, Failure> {
        let failed =
            |why: String| Failure::new(format!("{} cannot be read ({why})", path.display()));
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            read => read.map_err(|error| failed(error.to_string()))?,
        };
        let entries = text.lines().map(serde_json::from_str);
        let mut entries: Vec<Entry> =
            entries.collect::<Result<_, _>>().map_err(|error| failed(error.to_string()))?;
        entries.retain(|entry| entry.step <= step);
        Ok(Self { path: path.to_owned(), entries })
    }

    /// Appends an entry.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn add(&mut self, entry: &Entry) -> Result<(), Failure> {
        self.entries.push(entry.clone());
        let failed = |why: String| {
            Failure::new(format!("{} cannot be written ({why})", self.path.display()))
        };
        let mut text = String::new();
        for entry in &self.entries {
            text += &serde_json::to_string(entry).map_err(|error| failed(error.to_string()))?;
            text.push('\n');
        }
        write_atomic(&self.path, text.as_bytes()).map_err(|error| failed(error.to_string()))
    }

    /// Draws the curves.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn draw(&self, path: &Path) -> Result<(), Failure> {
        let failed =
            |why: String| Failure::new(format!("{} cannot be drawn ({why})", path.display()));
        let svg = curves::draw(&self.entries).map_err(|error| failed(error.to_string()))?;
        write_atomic(path, svg.as_bytes()).map_err(|error| failed(error.to_string()))
    }
}
