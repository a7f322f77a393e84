//! A preview follows the configuration to other workers, and withdraws what waits for them when it ends.

use std::time::Duration;

use neuronotes_core::say;

use super::Session;
use crate::measure::measurer::Measurer;

/// Time that a preview takes to withdraw what waits for workers.
const WITHDRAWN: Duration = Duration::from_secs(5);

impl Session {
    /// Measures as a changed configuration says.
    pub(super) fn follow_means(&mut self) {
        let config = &self.site.workspace.config;
        let (device, workers) = self.means.follow(config);
        if workers {
            // Its units of work are in the pool, where the next one finds them.
            let store = &self.site.workspace.store;
            self.measurer = self.means.measurer(config, store).unwrap_or_else(|problem| {
                say::err(format_args!("error: {problem}"));
                self.means.refused(problem, store)
            });
            self.wished.clear();
            self.told.clear();
        } else if let (true, Measurer::Here(scheduler)) = (device, &mut self.measurer) {
            scheduler.set_device(config.device.clone());
        }
    }

    /// Withdraws what waits for workers.
    pub(super) fn leave(&mut self) {
        if let Measurer::There(remote) = &mut self.measurer
            && let Err(problem) = remote.close(false, WITHDRAWN)
        {
            say::err(format_args!("error: {problem}"));
        }
    }
}
