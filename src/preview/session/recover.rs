//! Recovery from panics: the garden is read again, since the state of the interrupted work is unknown.

use neuronotes_core::say;

use super::{Phases, Session};
use crate::guard::{self, Panicked};
use crate::site::Site;
use crate::workspace::Workspace;

impl Session {
    /// Runs some work; if it panics, reports that and reads the garden again.
    pub(super) fn guarded(&mut self, work: impl FnOnce(&mut Self)) {
        let Err(panicked) = guard::run("updating the preview", "", || work(self)) else {
            return;
        };
        tell(&panicked);
        let tidying = std::mem::take(&mut self.idle);
        let anew = guard::run("reading the garden again", "", || self.read_anew());
        if let Err(panicked) = anew {
            tell(&panicked);
        }
        // Idle work that panicked is not retried at once.
        self.idle = !tidying;
    }

    fn read_anew(&mut self) {
        let mut workspace = match Workspace::open(&self.site.workspace.root) {
            Ok(workspace) => workspace,
            Err(error) => return say::err(format_args!("error: {error}")),
        };
        workspace.drafts = true;
        self.site = Site::new(workspace, self.site.progress.clone());
        self.generation += 1;
        self.wished.clear();
        self.watch_folders();
        self.show(Phases::default());
        self.say_outside();
        self.wish();
    }
}

fn tell(panicked: &Panicked) {
    say::err(format_args!("error: {panicked}\nhint: {}\n", guard::HINT));
}
