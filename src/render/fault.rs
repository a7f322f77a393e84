//! An error in a template.

use std::fmt;

/// An error in a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderError {
    /// `templates/note.html`, or `note.html (built in)`.
    pub template: String,
    /// Line number, from 1; `None` for the whole file.
    pub line: Option<usize>,
    /// The message.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl fmt::Display for RenderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.template)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for RenderError {}
