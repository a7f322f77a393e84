//! The check-up of a first worker: a probe in; a report of everything that is wrong out.
//!
//! It looks at what would fail every figure: versions, the device, the store seen from here, weights and data. It goes through all
//! of it, so that a user need not come back for the next problem.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;
use std::time::{Duration, Instant};

use neuronotes_core::digest::{Digest, Digesting};
use neuronotes_core::file;
use neuronotes_core::lab::LabError;
use neuronotes_core::pool::{Checkup, Phase, Pool, Probe, Probed};
use neuronotes_core::problem::Problem;
use neuronotes_core::store::{Claimed, Claims, Store};

use super::away;
use super::child::{Child, Heard};
use super::report::{Report, log};
use super::time::Time;
use crate::device::{self, DeviceChoice, LIBTORCH};

/// How long a file that another machine has written may take to show here.
const SHOWS: Duration = Duration::from_secs(30);
/// The pause between two looks for it.
const LOOK: Duration = Duration::from_millis(500);
/// How long the lab may take to be ready.
const READY: Duration = Duration::from_secs(300);
/// Bytes of a file that are digested at once.
const PIECE: usize = 4 << 20;

/// What the check-up needs.
pub struct Check<'a> {
    pub store: &'a Store,
    pub pool: &'a Pool,
    pub claims: &'a Claims,
    pub child: &'a mut Child,
    pub time: &'a Time,
    pub report: &'a mut Report,
    /// The device that this worker was started with.
    pub device: DeviceChoice,
}

impl Check<'_> {
    /// Checks what the probe names and writes the report. Returns whether all is right; `None` if the worker is to end.
    pub fn run(mut self, nonce: &str) -> Option<bool> {
        self.say("the probe");
        let mut checkup = Checkup {
            nonce: nonce.to_owned(),
            worker: self.report.worker().to_owned(),
            host: self.report.host().to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            libtorch: LIBTORCH.to_owned(),
            device: None,
            driver: driver(),
            instructions: device::instructions(),
            blob: None,
            problems: Vec::new(),
            notes: Vec::new(),
        };
        let probe = |check: &Self| {
            // A network file system shows new files once their folder is listed.
            let _ = check.pool.names("probes");
            check.pool.probe(nonce)
        };
        match self.shows(probe)? {
            Some(probe) => {
                version(&probe, &mut checkup);
                self.store(&probe, &mut checkup)?;
                self.device(&probe, &mut checkup)?;
                for file in &probe.files {
                    self.file(file, &mut checkup)?;
                }
            }
            None => checkup.problems.push(
                Problem::new(format!(
                    "the probe {nonce} was not found in {}",
                    self.pool.path("probes").display()
                ))
                .hint("the worker sees another store, or the client has another version"),
            ),
        }
        for problem in &checkup.problems {
            log(format_args!("problem: {problem}"));
        }
        while let Err(error) = self.pool.put_checkup(&checkup) {
            if !away::wait(self.store, self.pool, &error, self.time, self.report) {
                return None;
            }
        }
        Some(checkup.problems.is_empty())
    }

    fn say(&mut self, what: &str) {
        self.report.turn(Phase::Checking { what: what.to_owned() });
    }

    /// Looks for something that another machine has written, until it shows or time is up. The outer `None` means that the worker
    /// is to end.
    fn shows<T>(&mut self, look: impl Fn(&Self) -> Option<T>) -> Option<Option<T>> {
        let since = Instant::now();
        loop {
            if let Some(found) = look(self) {
                return Some(Some(found));
            }
            if since.elapsed() >= SHOWS {
                return Some(None);
            }
            self.report.tick();
            if !away::pause(LOOK, self.time) {
                return None;
            }
        }
    }

    /// A round trip through the store: reads what the client wrote, writes something for the client, and claims.
    fn store(&mut self, probe: &Probe, checkup: &mut Checkup) -> Option<()> {
        self.say("the store");
        let folder = self.store.folder().display().to_string();
        let read = self.shows(|check| {
            let path = check.store.blob_path(&probe.blob);
            let _ = path.parent().map(fs::read_dir);
            path.exists().then(|| check.store.blob(&probe.blob))
        })?;
        if read.flatten().is_none() {
            let message =
                format!("what the client wrote into the store cannot be read in {folder}");
            checkup.problems.push(Problem::new(message).hint(
                "the worker sees another folder of this name: set `store` of the profile to the store as workers see it",
            ));
        }
        let own = format!("check-up {} by {}", checkup.nonce, checkup.worker);
        match self.store.put_blob(own.as_bytes()) {
            Ok(digest) if self.store.blob(&digest).as_deref() == Some(own.as_bytes()) => {
                checkup.blob = Some(digest);
            }
            Ok(_) => checkup.problems.push(Problem::new(format!(
                "a file that was written to {folder} was not read back as it was"
            ))),
            Err(error) => {
                checkup.problems.push(Problem::new(error.to_string()).hint(error.hint()));
            }
        }
        let key = Digest::of(own.as_bytes());
        let claimed = self.claims.claim(&key);
        let known = self.claims.holder(&key);
        if !matches!(claimed, Claimed::Mine(_)) || known.is_none() {
            let message = format!("no claim can be made in {folder}/v1/claims");
            checkup.problems.push(Problem::new(message).hint(
                "workers that cannot claim measure the same figures: make the folder writable for the job's user",
            ));
        }
        if let Err(error) = self.links() {
            checkup.notes.push(format!(
                "the store's file system has no hard links ({error}): two workers may now and then measure the same figure"
            ));
        }
        Some(())
    }

    /// Gives a file of the store a second name.
    fn links(&self) -> io::Result<()> {
        let folder = self.store.folder().join("v1/tmp");
        let file = folder.join(format!(".new-link-{}", self.report.worker()));
        let second = folder.join(format!(".new-link-2-{}", self.report.worker()));
        fs::write(&file, "")?;
        let linked = fs::hard_link(&file, &second);
        let _ = fs::remove_file(&second);
        fs::remove_file(&file)?;
        linked
    }

    /// Starts the lab, which stays for the work to come.
    fn device(&mut self, probe: &Probe, checkup: &mut Checkup) -> Option<()> {
        self.say("libtorch and the device");
        let since = Instant::now();
        let failed = loop {
            if let Err(error) = self.child.start() {
                break error;
            }
            self.report.tick();
            match self.child.hear(Duration::from_millis(200)) {
                Some(Heard::Ready(ready)) => {
                    let device = (ready.device, ready.device_name);
                    self.report.set_device(device.clone());
                    self.wanted(probe, &device.0, checkup);
                    checkup.device = Some(device);
                    checkup.libtorch = ready.libtorch;
                    if ready.version != checkup.version {
                        checkup.problems.push(Problem::new(format!(
                            "the lab that the worker starts has the version {}, the worker {}",
                            ready.version, checkup.version
                        )));
                    }
                    return Some(());
                }
                Some(Heard::Gone { cause, hopeless: true, .. }) => break cause,
                Some(Heard::Gone { .. } | Heard::Said(_)) | None => {}
            }
            if since.elapsed() >= READY {
                let message = format!("the lab was not ready after {} s", READY.as_secs());
                break LabError::outside(message, None);
            }
            if !away::pause(Duration::ZERO, self.time) {
                return None;
            }
        };
        checkup.problems.push(Problem { message: failed.message, hint: failed.hint });
        Some(())
    }

    /// Compares the device with the one that the client wants.
    fn wanted(&self, probe: &Probe, found: &str, checkup: &mut Checkup) {
        let wish = probe.device.parse().unwrap_or(self.device);
        let fits = match wish {
            DeviceChoice::Auto => true,
            DeviceChoice::Cpu => found == "cpu",
            DeviceChoice::Cuda(index) => found == format!("cuda:{index}"),
        };
        if !fits {
            let wanted = &probe.device;
            let message =
                format!("the device {wanted} is wanted, but the worker measures on {found}");
            checkup.problems.push(
                Problem::new(message)
                    .hint("start workers with the `device` that the profile names"),
            );
        }
        if wish == DeviceChoice::Auto && found == "cpu" {
            checkup
                .notes
                .push("no GPU can be used there: figures are measured on the processor".to_owned());
        }
    }

    fn file(&mut self, file: &Probed, checkup: &mut Checkup) -> Option<()> {
        self.say(&file.what);
        let Probed { what, path, digest, bytes } = file;
        let shown = path.display();
        let on = "copy it there, or give its path on those machines with `on:` in neuronotes.yaml";
        let wrong = match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Some(Problem::new(format!("{what} was not found at {shown}")).hint(on))
            }
            Err(error) => Some(
                Problem::new(format!("{what} cannot be read at {shown} ({error})"))
                    .hint(file::read_hint(&error)),
            ),
            Ok(_) if digest.is_none() => None,
            Ok(meta) if bytes.is_some_and(|bytes| bytes != meta.len()) => Some(
                Problem::new(format!(
                    "{what} differs at {shown}: it has {} bytes, {} here",
                    meta.len(),
                    bytes.unwrap_or_default()
                ))
                .hint("copy it again, or give the path of the right one with `on:`"),
            ),
            Ok(meta) => match self.digest(what, path, meta.len())? {
                Ok(found) if Some(found) == *digest => None,
                Ok(_) => Some(
                    Problem::new(format!(
                        "{what} differs at {shown}: its content has another digest"
                    ))
                    .hint("copy it again, or give the path of the right one with `on:`"),
                ),
                Err(error) => Some(
                    Problem::new(format!("{what} cannot be read at {shown} ({error})"))
                        .hint(file::read_hint(&error)),
                ),
            },
        };
        checkup.problems.extend(wrong);
        Some(())
    }

    /// The digest of a file, with progress. The outer `None` means that the worker is to end.
    fn digest(&mut self, what: &str, path: &Path, length: u64) -> Option<io::Result<Digest>> {
        let mut file = match file::open(path) {
            Ok(file) => file,
            Err(error) => return Some(Err(error)),
        };
        let (mut digesting, mut piece, mut done) = (Digesting::default(), vec![0; PIECE], 0_u64);
        loop {
            match file.read(&mut piece) {
                Ok(0) => return Some(Ok(digesting.digest())),
                Ok(count) => {
                    digesting.add(&piece[..count]);
                    done += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Some(Err(error)),
            }
            let percent = (done * 100).checked_div(length).unwrap_or(100).min(100);
            self.report.renew(Phase::Checking { what: format!("{what}, {percent} %") });
            if !away::pause(Duration::ZERO, self.time) {
                return None;
            }
        }
    }
}

fn version(probe: &Probe, checkup: &mut Checkup) {
    if probe.version != checkup.version {
        let message = format!(
            "the worker's program has the version {}, the client {}",
            checkup.version, probe.version
        );
        checkup.problems.push(Problem::new(message).hint(
            "install the same version of neuronotes-lab there, or name it by `lab` of the profile",
        ));
    }
}

/// The version of NVIDIA's driver.
fn driver() -> Option<String> {
    let text = fs::read_to_string("/proc/driver/nvidia/version").ok()?;
    driver_in(&text)
}

/// The first word of the driver's own line that looks like a version.
fn driver_in(text: &str) -> Option<String> {
    let mut words = text.lines().next()?.split_whitespace();
    let is_version =
        |word: &&str| word.contains('.') && word.chars().all(|c| c.is_ascii_digit() || c == '.');
    words.find(is_version).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_driver_is_named_by_its_version() {
        for (line, version) in [
            (
                "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 22:23:56",
                Some("550.54.15"),
            ),
            (
                "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.86  Release Build",
                Some("570.86"),
            ),
            ("nothing of the kind", None),
            ("", None),
        ] {
            assert_eq!(driver_in(line).as_deref(), version, "{line}");
        }
    }
}
