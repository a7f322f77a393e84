//! Whether another's claim is stale: observations of its file in; a verdict out.
//!
//! The clocks of two machines may be hours apart, and some file systems give a file the time of the machine that wrote to it. So
//! times are only compared for being the same: a claim is stale if it was looked at for a while and its time never changed. A
//! pause between two looks counts only a little, since this process may have been stopped, or the file system away, for
//! the holder as well. Only an age that no clock is wrong by needs no observation.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::holder::Holder;
use crate::{file, place};

/// How often a holder writes to its claims.
pub const BEAT: Duration = Duration::from_secs(3);
/// A claim that nobody wrote to for this long is stale.
pub const STALE: Duration = Duration::from_secs(15);
/// The same for a claim that cannot be read: an earlier version may be writing it.
pub const MOMENT: Duration = Duration::from_secs(1);
/// A claim of this age, by the file system's clock, is stale at first sight.
pub const ANCIENT: Duration = Duration::from_secs(24 * 60 * 60);
/// How long the file system's clock is extrapolated.
const CLOCK: Duration = Duration::from_secs(60);
/// Most bytes of a claim.
const LONGEST: u64 = 64 << 10;

/// A claim's file as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// `None` if it cannot be read.
    pub text: Option<Vec<u8>>,
    /// When it was last written to.
    pub written: SystemTime,
}

/// What is known of a claim from several looks.
#[derive(Debug)]
pub struct Watched {
    written: SystemTime,
    /// How long it was watched without anybody writing to it.
    pub quiet: Duration,
    last: Instant,
}

impl Watched {
    /// Lets time pass without a look.
    #[cfg(test)]
    pub fn pause(&mut self, time: Duration) {
        self.last -= time;
    }
}

/// Others' claims that were looked at.
#[derive(Debug, Default)]
pub struct Looks {
    pub watched: BTreeMap<PathBuf, Watched>,
    /// The time of the file system, and when it was asked for.
    clock: Option<(SystemTime, Instant)>,
}

impl Found {
    /// Looks at a claim.
    ///
    /// # Errors
    /// If it is gone, or cannot be looked at.
    pub fn at(path: &Path) -> io::Result<Self> {
        match place::read_timed(path, LONGEST) {
            Ok((text, written)) => Ok(Self { text: Some(text), written }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(error),
            Err(_) => {
                let written = std::fs::symlink_metadata(path)?.modified()?;
                Ok(Self { text: None, written })
            }
        }
    }

    /// Its holder, if it names one.
    pub fn holder(&self) -> Option<Holder> {
        serde_json::from_slice(self.text.as_deref()?).ok()
    }
}

impl Looks {
    /// Whether the claim that was found is stale. `temporary` is a folder of the same file system.
    pub fn is_stale(
        &mut self,
        path: &Path,
        found: &Found,
        here: &Holder,
        temporary: &Path,
    ) -> bool {
        let holder = found.holder();
        if holder.as_ref().is_some_and(|holder| holder.is_gone(here)) {
            return true;
        }
        let (patience, age) = if holder.is_some() { (STALE, ANCIENT) } else { (MOMENT, MOMENT) };
        let now = Instant::now();
        match self.watched.get_mut(path) {
            Some(watched) if watched.written == found.written => {
                watched.quiet += now.duration_since(watched.last).min(BEAT);
                watched.last = now;
                watched.quiet >= patience
            }
            _ => {
                let (written, quiet) = (found.written, Duration::ZERO);
                self.watched.insert(path.to_owned(), Watched { written, quiet, last: now });
                self.age(written, temporary).is_some_and(|old| old >= age)
            }
        }
    }

    /// Forgets a claim.
    pub fn forget(&mut self, path: &Path) {
        self.watched.remove(path);
    }

    /// How long ago a time was, by the clock of the file system: a file is written beside it.
    fn age(&mut self, written: SystemTime, temporary: &Path) -> Option<Duration> {
        if self.clock.is_none_or(|(_, since)| since.elapsed() >= CLOCK) {
            let beside = file::unique(temporary, b" ").ok()?;
            let time = std::fs::File::open(&beside).and_then(|file| file.metadata()?.modified());
            self.clock = Some((time.ok()?, Instant::now()));
        }
        let (then, since) = self.clock?;
        (then + since.elapsed()).duration_since(written).ok()
    }
}
