//! Progress messages: one line when a step begins, one when it ends, with the time it took.
//!
//! Everything goes to standard error, so that standard output is left to the programs that are run.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::time::{Duration, Instant};

/// Prints one line. Errors of a closed or full stream are ignored.
pub fn say(line: impl Display) {
    plain(format_args!("xtask: {line}"));
}

/// Prints a text on standard error unchanged.
pub fn plain(text: impl Display) {
    let _ = io::stderr().write_all(format!("{text}\n").as_bytes());
}

/// Prints a text on standard output unchanged.
pub fn out(text: impl Display) {
    let _ = io::stdout().write_all(text.to_string().as_bytes());
}

/// A step in progress.
pub struct Step {
    name: String,
    begun: Instant,
}

impl Step {
    /// Announces a step.
    pub fn begin(name: impl Into<String>) -> Self {
        let name = name.into();
        say(format_args!("{name} …"));
        Self { name, begun: Instant::now() }
    }

    /// Prints how long it took.
    pub fn done(self) {
        say(format_args!("{}: done in {}", self.name, seconds(self.begun.elapsed())));
    }

    /// Prints that it failed, and after how long.
    pub fn failed(self) {
        say(format_args!("{}: failed after {}", self.name, seconds(self.begun.elapsed())));
    }
}

/// Formats a duration: `0.3 s`, `42 s`, `3 min 05 s`.
pub fn seconds(time: Duration) -> String {
    match time.as_secs() {
        0..10 => format!("{:.1} s", time.as_secs_f64()),
        whole @ 10..60 => format!("{whole} s"),
        whole => format!("{} min {:02} s", whole / 60, whole % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        let shown = [0.26, 9.94, 42.4, 185.0].map(|s| seconds(Duration::from_secs_f64(s)));
        assert_eq!(shown, ["0.3 s", "9.9 s", "42 s", "3 min 05 s"]);
    }
}
