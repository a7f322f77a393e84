//! Looks at weights and data sets, whose changes nothing reports: they may be anywhere, and far too many to watch.

use std::time::{Duration, Instant};

use super::Session;
use crate::preview::news::Phases;

/// Interval at which they are looked at while a page is open. For many files it is longer: `Plans` limits the share of
/// time.
const EVERY: Duration = Duration::from_secs(2);

impl Session {
    /// When they are looked at next; `None` while no page is open.
    pub(super) fn looks_at_data(&self) -> Option<Instant> {
        (!self.tabs.pages().is_empty()).then_some(self.looks)
    }

    /// Updates the garden if they have changed: figures, and what notes claim of them.
    pub(super) fn look_at_data(&mut self) {
        self.looks = Instant::now() + EVERY;
        if !self.site.look_at_data() {
            return;
        }
        self.generation += 1;
        self.show(Phases::default());
        self.say_outside();
        self.wish();
        self.idle = true;
    }
}
