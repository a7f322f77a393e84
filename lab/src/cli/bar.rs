//! A progress bar on the terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use neuronotes_core::say;

use crate::monitor::{Monitor, Progress};

/// Shows progress on the terminal.
#[derive(Debug, Default)]
pub(super) struct Bar(Option<(String, ProgressBar)>);

impl Bar {
    /// Removes the bar from the terminal.
    pub(super) fn clear(&self) {
        if let Some((_, bar)) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

impl Monitor for Bar {
    fn progress(&mut self, progress: &Progress<'_>) {
        if self.0.as_ref().is_none_or(|(stage, _)| stage != progress.stage) {
            self.clear();
            let bar = match say::has_cursor() {
                true => ProgressBar::new(progress.total),
                false => ProgressBar::hidden(),
            };
            let bar = bar.with_message(progress.stage.to_owned());
            let template = format!(
                "{{msg}} {{wide_bar}} {{pos}}/{{len}} {}s, {{per_sec}}, {{eta}} left",
                progress.unit
            );
            if let Ok(style) = ProgressStyle::with_template(&template) {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(200));
            self.0 = Some((progress.stage.to_owned(), bar));
        }
        if let Some((_, bar)) = &self.0 {
            bar.set_position(progress.step);
        }
    }

    fn stopped(&self) -> bool {
        false
    }
}
