//! How far a pool is, in one bar, and what becomes of its workers.

use std::io::{IsTerminal as _, stdin};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use neuronotes_core::say;

use crate::measure::remote::Overview;
use crate::measure::schedule::duration;

/// The bar of a pool.
#[derive(Debug, Default)]
pub struct PoolBar {
    bar: Option<ProgressBar>,
    /// What the pool was last said to be at.
    said: String,
}

impl PoolBar {
    /// Shows how far the pool is; returns a line about it if it is at something else than before.
    pub fn show(
        &mut self,
        bars: &MultiProgress,
        overview: &Overview,
        left: Option<f64>,
    ) -> Option<String> {
        let Overview { words, done, all } = overview;
        if done >= all {
            self.close(bars);
            return None;
        }
        let left = left.map(|left| format!(", about {} left", duration(left))).unwrap_or_default();
        let line = format!("{words}: {done} of {all} results{left}");
        let bar = self.bar.get_or_insert_with(|| {
            let bar = bars.add(ProgressBar::new(*all as u64));
            if let Ok(style) = ProgressStyle::with_template("  [{bar:24}] {msg}") {
                bar.set_style(style.progress_chars("=> "));
            }
            bar
        });
        bar.set_length(*all as u64);
        bar.set_position(*done as u64);
        bar.set_message(say::name(&line).into_owned());
        if self.said == *words {
            return None;
        }
        self.said.clone_from(words);
        Some(format!("  {line}"))
    }

    /// Removes the bar.
    pub fn close(&mut self, bars: &MultiProgress) {
        self.said.clear();
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
            bars.remove(&bar);
        }
    }
}

/// Asks in the terminal whether workers are to be cancelled; without one they are not.
pub fn is_to_be_cancelled() -> bool {
    if !stdin().is_terminal() {
        return false;
    }
    say::err("[l]eave the workers at it, or [c]ancel them? (Ctrl-C leaves them)");
    let mut answer = String::new();
    while stdin().read_line(&mut answer).is_ok_and(|read| read > 0) {
        match answer.trim().to_lowercase().as_str() {
            "l" | "leave" => return false,
            "c" | "cancel" => return true,
            _ => say::err("`l` leaves them, `c` cancels them"),
        }
        answer.clear();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_said_when_the_pool_is_at_something_else() {
        let bars = MultiProgress::with_draw_target(indicatif::ProgressDrawTarget::hidden());
        let mut bar = PoolBar::default();
        let mut show = |words: &str, done, left| {
            let overview = Overview { words: words.into(), done, all: 9 };
            bar.show(&bars, &overview, left)
        };
        let first = show("checking the first worker", 0, None);
        assert_eq!(first.as_deref(), Some("  checking the first worker: 0 of 9 results"));
        assert_eq!(show("checking the first worker", 0, Some(3.0)), None);
        let second = show("2 workers running", 4, Some(400.0));
        assert_eq!(
            second.as_deref(),
            Some("  2 workers running: 4 of 9 results, about 7 min left")
        );
        assert_eq!(show("2 workers running", 9, None), None);
    }
}
