//! How far drawing is, with its rate and the time that is left.

use std::fmt::Write;

use indicatif::{ProgressBar, ProgressState, ProgressStyle};

/// A bar for so many things of a kind. It is gone when it is dropped, and never there where nobody looks at a terminal.
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
