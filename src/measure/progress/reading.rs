//! A bar for reading many files: bytes done, rate and time left.

use indicatif::{ProgressBar, ProgressStyle};
use neuronotes_core::say;

/// Shows the progress of reading many files on standard error, if it is a terminal.
#[derive(Debug)]
pub struct Reading {
    bar: ProgressBar,
}

impl Reading {
    /// A description of the work, such as `verifying`.
    pub fn new(doing: &'static str) -> Self {
        let bar = match say::has_cursor() {
            true => ProgressBar::new(0),
            false => ProgressBar::hidden(),
        };
        let template = "  {msg} [{bar:24}] {decimal_bytes} of {decimal_total_bytes}, {decimal_bytes_per_sec}, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_message(doing);
        Self { bar }
    }

    /// Shows that `done` of `total` bytes are done.
    pub fn step(&mut self, done: u64, total: u64) {
        self.bar.set_length(total);
        self.bar.set_position(done);
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
