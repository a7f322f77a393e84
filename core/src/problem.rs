//! What is wrong and what to do about it: the one form in which an error carries a hint.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What is wrong, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// What to do, if known.
    pub hint: Option<String>,
}

impl Problem {
    /// A problem without a hint.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    /// The same problem with this hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Hint) -> Self {
        self.hint = hint.into_hint();
        self
    }
}

/// Something that can be a hint: a text, or an optional one.
pub trait Hint {
    /// The hint, if there is one.
    fn into_hint(self) -> Option<String>;
}

impl Hint for String {
    fn into_hint(self) -> Option<String> {
        Some(self)
    }
}

impl Hint for &str {
    fn into_hint(self) -> Option<String> {
        Some(self.to_owned())
    }
}

impl<T: Hint> Hint for Option<T> {
    fn into_hint(self) -> Option<String> {
        self.and_then(Hint::into_hint)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.hint {
            Some(hint) => write!(f, "{}\nhint: {hint}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_is_a_text_that_may_be_missing() {
        let problem = || Problem::new("no such layer");
        assert_eq!(problem().to_string(), "no such layer");
        assert_eq!(problem().hint("name one").to_string(), "no such layer\nhint: name one");
        assert_eq!(problem().hint(None::<String>), problem());
        assert_eq!(problem().hint(Some("name one".to_owned())), problem().hint("name one"));
    }
}
