//! Progress of the drawing, with rate and time left.

use std::fmt::Write;

use indicatif::{ProgressBar, ProgressState, ProgressStyle};

/// A progress bar for a number of items. It disappears on drop, and is hidden if standard error is not a terminal.
pub fn bar(what: &'static str, count: usize) -> ProgressBar {
    let bar = ProgressBar::new(count as u64).with_prefix(what);
    let template = "{prefix:>10} {bar:30} {pos}/{len}, {rate}, {elapsed} gone, {eta} left";
    // The template is a constant of ours; were it wrong, a plainer bar would do.
    if let Ok(style) = ProgressStyle::with_template(template) {
        let rate = |state: &ProgressState, to: &mut dyn Write| {
            // What cannot be shown is no reason to stop drawing.
            let _ = write!(to, "{:.0}/s", state.per_sec());
        };
        bar.set_style(style.with_key("rate", rate));
    }
    bar
}
