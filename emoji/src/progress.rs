//! Progress of the drawing, with rate and time left.

use std::fmt::Write;

use indicatif::{ProgressBar, ProgressState, ProgressStyle};

/// A progress bar for a number of items. It disappears on drop, and is hidden if standard error is not a terminal.
pub fn bar(what: &'static str, count: usize) -> ProgressBar {
    let bar = ProgressBar::new(count as u64).with_prefix(what);
    let template = "{prefix:>10} {bar:30} {pos}/{len}, {rate}, {elapsed} gone, {eta} left";
    // The template is a constant; if it were wrong, a plain bar would be shown.
    if let Ok(style) = ProgressStyle::with_template(template) {
        let rate = |state: &ProgressState, to: &mut dyn Write| {
            // An error of the display must not stop the drawing.
            let _ = write!(to, "{:.0}/s", state.per_sec());
        };
        bar.set_style(style.with_key("rate", rate));
    }
    bar
}
