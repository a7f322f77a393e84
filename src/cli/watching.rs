//! How a preview is told to detect changes.

use clap::ValueEnum;

use crate::watch::Mode;

/// How a preview detects changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Watching {
    /// File events, or polling if the garden lies on a file system without events for changes made elsewhere, such as
    /// NFS, SMB, sshfs or a virtual machine's shared folder. The method in use is printed
    Auto,
    /// File events, always. A page is updated within milliseconds of a save
    Native,
    /// Polling: all files are checked every 0.7 s. Works everywhere; use it if saves are not noticed
    Poll,
}

impl Watching {
    pub(super) fn mode(self) -> Mode {
        match self {
            Self::Auto => Mode::Auto,
            Self::Native => Mode::Native,
            Self::Poll => Mode::Poll,
        }
    }
}
