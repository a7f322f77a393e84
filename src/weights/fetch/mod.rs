//! Fetches weights: a complete and verified file from a URL or another file.
//!
//! Bytes are collected in `FILE.part`, of which only the digest is trusted; the file is renamed to its final name
//! only if its SHA-256 is correct. An interrupted fetch therefore resumes where it stopped. Concurrent fetches of a
//! file wait for each other through a lock on `FILE.lock`, which the system releases with the process. Knows nothing
//! of terminals, gardens or known models.

mod http;
mod origin;
mod part;
mod wanted;

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::thread;

use http::{Answer, Trouble};
use neuronotes_core::problem::Problem;
pub use origin::Origin;
use part::Part;
use wanted::from;
pub use wanted::{Doing, Patience, Wanted, Watcher};

/// The outcome of a successful fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fetched {
    /// The file was fetched.
    Now,
    /// The file was already there.
    Before,
}

/// How much of a file is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// All of it: its size in bytes.
    There(u64),
    /// So many bytes, from an interrupted fetch.
    Partly(u64),
    /// Nothing.
    Missing,
}

/// How much of `file` is in `folder`.
pub fn status(folder: &Path, file: &str) -> Status {
    let length = |path: PathBuf| {
        let meta = fs::metadata(path).ok().filter(fs::Metadata::is_file);
        meta.map(|meta| meta.len())
    };
    match (length(folder.join(file)), length(folder.join(format!("{file}.part")))) {
        (Some(bytes), _) => Status::There(bytes),
        (None, Some(bytes)) if bytes > 0 => Status::Partly(bytes),
        (None, _) => Status::Missing,
    }
}

/// A fetch.
#[derive(Debug, Clone)]
pub struct Fetch {
    /// The file.
    pub wanted: Wanted,
    /// Its source.
    pub origin: Origin,
    /// The destination folder, created if necessary.
    pub folder: PathBuf,
    /// Whether an existing file is read and verified; a wrong one is fetched again.
    pub verify: bool,
    /// Timeouts and limits.
    pub patience: Patience,
}

impl Fetch {
    /// The file's final path.
    pub fn path(&self) -> PathBuf {
        self.folder.join(&self.wanted.file)
    }

    fn beside(&self, ending: &str) -> PathBuf {
        self.folder.join(format!("{}.{ending}", self.wanted.file))
    }

    /// Fetches the file if it is missing.
    ///
    /// # Errors
    /// If that fails. There is then no file under the final name; the bytes received so far are kept for the next
    /// fetch unless they are wrong.
    pub fn run(&self, watcher: &mut dyn Watcher) -> Result<Fetched, Problem> {
        if self.is_there(watcher)? {
            return Ok(Fetched::Before);
        }
        fs::create_dir_all(&self.folder).map_err(|error| part::disk(&self.folder, &error))?;
        let _lock = self.lock(watcher)?;
        // Another fetch may have ended while this one waited.
        if self.is_there(watcher)? {
            return Ok(Fetched::Before);
        }
        let result = self.bring(watcher);
        watcher.rest();
        let part = self.beside("part");
        if fs::metadata(&part).is_ok_and(|meta| meta.len() == 0) {
            let _ = fs::remove_file(&part);
        }
        result.map(|()| Fetched::Now)
    }

    fn is_there(&self, watcher: &mut dyn Watcher) -> Result<bool, Problem> {
        let path = self.path();
        if !path.is_file() {
            return Ok(false);
        }
        if !self.verify {
            return Ok(true);
        }
        let unreadable = |error| part::disk(&path, &error);
        let found = part::digest_of(&path, watcher).map_err(unreadable)?;
        watcher.rest();
        if found == self.wanted.sha256 {
            return Ok(true);
        }
        let (path_shown, expected) = (path.display(), self.wanted.sha256);
        watcher.say(&format!(
            "{path_shown} is damaged (sha256 {found}, not {expected}) and is fetched again"
        ));
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(unreadable(error)),
            _ => Ok(false),
        }
    }

    fn lock(&self, watcher: &mut dyn Watcher) -> Result<File, Problem> {
        let path = self.beside("lock");
        let options = File::options().create(true).truncate(false).write(true).open(&path);
        let file = options.map_err(|error| part::disk(&path, &error))?;
        let unlockable = |error: std::io::Error| {
            Problem::new(format!("{} cannot be locked ({error})", path.display())).hint(format!(
                "set {} to a folder on another file system",
                neuronotes_core::cache::VARIABLE
            ))
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                watcher.say(&format!(
                    "another process is fetching {}; waiting for it",
                    self.wanted.name
                ));
                file.lock().map_err(unlockable)?;
            }
            Err(TryLockError::Error(error)) => return Err(unlockable(error)),
        }
        Ok(file)
    }

    fn bring(&self, watcher: &mut dyn Watcher) -> Result<(), Problem> {
        let path = self.beside("part");
        let mut part = match &self.origin {
            Origin::File(source) => {
                origin::is_other_file(source, &path)?;
                let mut part = Part::create(&path, self.patience.longest)?;
                origin::copy(source, &mut part, watcher)?;
                part
            }
            Origin::Url(_) => Part::open(&path, self.patience.longest, watcher)?,
        };
        // A fetch killed between its last byte and the renaming left nothing to be asked for.
        if part.digest() != self.wanted.sha256 {
            match &self.origin {
                Origin::File(source) => return Err(self.wrong(part, &source.display().to_string())),
                Origin::Url(url) => part = self.receive(url, part, watcher)?,
            }
        }
        part.publish(&self.path())
    }

    /// Downloads what is missing; the result has the right digest.
    fn receive(
        &self,
        url: &str,
        mut part: Part,
        watcher: &mut dyn Watcher,
    ) -> Result<Part, Problem> {
        let name = &self.wanted.name;
        watcher.say(&format!(
            "{name} from {url} (run the same command again to resume an interrupted fetch)"
        ));
        let agent = http::agent(&self.patience);
        let (mut failures, mut attempts, mut again) = (0, 0, false);
        let mut furthest = part.length();
        loop {
            attempts += 1;
            let cause = match attempt(&agent, url, &mut part, watcher) {
                Ok(()) if part.digest() == self.wanted.sha256 => return Ok(part),
                // Only a file that came in one piece is what the server has.
                Ok(()) if part.pieces() < 2 || again => return Err(self.wrong(part, url)),
                Ok(()) => "the received pieces do not fit together".to_owned(),
                Err(Trouble::Astray(what)) if again => {
                    return Err(
                        Problem::new(format!("{url} cannot be fetched ({what})")).hint(from())
                    );
                }
                Err(Trouble::Astray(what)) => what,
                Err(Trouble::Lasting(error)) => return Err(error),
                Err(Trouble::Unreached(error)) if part.received() == 0 => return Err(error),
                Err(
                    Trouble::Unreached(Problem { message: cause, .. }) | Trouble::Broken(cause),
                ) => {
                    if part.length() > furthest {
                        (furthest, failures) = (part.length(), 0);
                    }
                    let pause = self.patience.pauses.get(failures);
                    let (Some(pause), true) = (pause, attempts < self.patience.attempts) else {
                        let hint = match part.length() {
                            0 => from(),
                            kept => {
                                format!(
                                    "{kept} bytes were kept: run the same command again to resume"
                                )
                            }
                        };
                        let message = format!(
                            "the download of {url} was interrupted {attempts} times ({cause})"
                        );
                        return Err(Problem::new(message).hint(hint));
                    };
                    failures += 1;
                    watcher.say(&format!("{cause}; retrying in {} s", pause.as_secs_f32()));
                    thread::sleep(*pause);
                    continue;
                }
            };
            again = true;
            watcher.say(&format!("{cause}; starting over"));
            part.restart()?;
            furthest = 0;
        }
    }

    /// Removes the received bytes.
    fn wrong(&self, part: Part, source: &str) -> Problem {
        let (found, length) = (part.digest(), part.length());
        part.discard();
        Problem::new(format!(
                "the file from {source} is not {}: its {length} bytes have the sha256 {found}, not {}",
                self.wanted.name, self.wanted.sha256
            )).hint("it was removed; a proxy may have responded instead of the server, or the file is a different one: try another source with `--from`")
    }
}

/// Makes one request and appends its response to the part.
fn attempt(
    agent: &ureq::Agent,
    url: &str,
    part: &mut Part,
    watcher: &mut dyn Watcher,
) -> Result<(), Trouble> {
    let (total, mut body) = match http::ask(agent, url, part.length())? {
        Answer::Rest { total, body } => (total, body),
        Answer::Whole { total, body } => {
            if part.length() > 0 {
                watcher.say("the server does not support resuming; starting over");
                part.restart()?;
            }
            (total, body)
        }
        Answer::Beyond => return Err(Trouble::Astray("the server's file is shorter".into())),
    };
    if let Some(total) = total {
        part.fits(total)?;
    }
    part.begin_piece();
    let mut buffer = vec![0; 1 << 18];
    loop {
        watcher.step(Doing::Fetching, part.length(), total);
        let n = match body.read(&mut buffer) {
            Ok(n) => n,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Trouble::Broken(format!("the connection broke ({error})"))),
        };
        if total.is_some_and(|total| part.length() + n as u64 > total) {
            return Err(Trouble::Astray("the server sends more than it announced".into()));
        }
        if n == 0 {
            return match total.map_or(0, |total| total - part.length()) {
                0 => Ok(()),
                n => Err(Trouble::Broken(format!("the connection ended {n} bytes too early"))),
            };
        }
        part.append(&buffer[..n])?;
    }
}
