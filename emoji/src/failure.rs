//! Errors with a hint, and how an error is printed: `error: message (cause)` and, if a fix is known, `hint: …`.

use std::fmt;

/// An error with a hint on what to do.
#[derive(Debug)]
pub struct Failure {
    message: String,
    hint: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// An error with a hint.
pub fn failure(message: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
    Failure { message: message.into(), hint: hint.into() }.into()
}

/// Formats an error: the outermost message, its causes in parentheses, then the hints.
pub fn report(error: &anyhow::Error) -> String {
    let causes: Vec<String> = error.chain().skip(1).map(ToString::to_string).collect();
    let mut text = format!("error: {error}");
    if !causes.is_empty() {
        text.push_str(&format!(" ({})", causes.join(": ")));
    }
    for hint in error.chain().filter_map(|e| e.downcast_ref::<Failure>()).map(|f| &f.hint) {
        text.push_str(&format!("\nhint: {hint}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn a_hint_stands_on_its_own_line_below_the_causes() {
        let error = Err::<(), _>(failure("no npm", "install npm"))
            .context("the pictures could not be fetched")
            .expect_err("it is one");
        assert_eq!(
            report(&error),
            "error: the pictures could not be fetched (no npm)\nhint: install npm"
        );
    }
}
