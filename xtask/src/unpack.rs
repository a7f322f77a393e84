//! Unpacks the wanted files of a wheel into a folder, with a progress bar.
//!
//! A wheel is a zip archive, whose checksums are verified. Damaged archives and failing disks are told apart, because
//! downloading again fixes only the former.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use zip::ZipArchive;

/// Files of at least this size are flushed to disk before a set-up counts as complete; flushing ten thousand headers
/// would take longer than unpacking them again.
const LARGE: u64 = 1 << 20;

/// Why a wheel could not be unpacked.
#[derive(Debug)]
pub enum Trouble {
    /// The archive is truncated or damaged.
    Damaged(PathBuf, String),
    /// A file could not be written.
    Writing(PathBuf, io::Error),
}

impl Trouble {
    /// The error to report.
    pub fn into_error(self) -> anyhow::Error {
        match self {
            Self::Damaged(wheel, cause) => {
                anyhow::anyhow!("{} is damaged ({cause})", wheel.display())
            }
            Self::Writing(path, error) if error.kind() == io::ErrorKind::StorageFull => {
                crate::failure::failure(
                    format!("the disk is full: {} could not be written", path.display()),
                    "libtorch takes 0.5 GB, and 1.1 GB while it is set up (with CUDA 3.6 GB and 7 GB); \
                     free some space, or set NEURONOTES_CACHE to a folder on a larger disk",
                )
            }
            Self::Writing(path, error) => anyhow::Error::new(error)
                .context(format!("{} could not be written", path.display())),
        }
    }
}

/// Whether an archive has its end record; a truncated one does not.
pub fn is_whole(wheel: &Path) -> bool {
    File::open(wheel).is_ok_and(|file| ZipArchive::new(BufReader::new(file)).is_ok())
}

/// Unpacks the wheels' files that `keep` accepts, under their own names, and returns their number.
pub fn unpack(
    wheels: &[PathBuf],
    into: &Path,
    keep: impl Fn(&str) -> bool,
) -> Result<usize, Trouble> {
    let mut archives = Vec::new();
    let mut total = 0;
    for wheel in wheels {
        let damaged = |error: &dyn ToString| Trouble::Damaged(wheel.clone(), error.to_string());
        let file = File::open(wheel).map_err(|e| damaged(&e))?;
        let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|e| damaged(&e))?;
        let mut chosen = Vec::new();
        for index in 0..archive.len() {
            let entry = archive.by_index_raw(index).map_err(|e| damaged(&e))?;
            let name = entry.name().map_err(|e| damaged(&e))?;
            if entry.is_file() && keep(&name) {
                total += entry.size();
                chosen.push(index);
            }
        }
        archives.push((wheel, archive, chosen));
    }

    let bar = progress_bar(total);
    let mut count = 0;
    for (wheel, mut archive, chosen) in archives {
        for index in chosen {
            let damaged = |error: &dyn ToString| Trouble::Damaged(wheel.clone(), error.to_string());
            let mut entry = archive.by_index(index).map_err(|e| damaged(&e))?;
            let name = entry.enclosed_name().ok_or_else(|| damaged(&"a name leads outside"))?;
            let size = entry.size();
            write_file(&mut entry, &into.join(name), size, wheel, &bar)?;
            count += 1;
        }
    }
    bar.finish_and_clear();
    Ok(count)
}

/// Copies one entry. A failing reader means a damaged archive, a failing writer a failing disk.
fn write_file(
    entry: &mut impl Read,
    path: &Path,
    size: u64,
    wheel: &Path,
    bar: &ProgressBar,
) -> Result<(), Trouble> {
    let writing = |error| Trouble::Writing(path.to_owned(), error);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(writing)?;
    }
    let mut file = File::create(path).map_err(writing)?;
    let mut buffer = vec![0; (1 << 18).min(usize::try_from(size).unwrap_or(usize::MAX).max(1))];
    loop {
        let read = match entry.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Trouble::Damaged(wheel.to_owned(), error.to_string())),
        };
        file.write_all(&buffer[..read]).map_err(writing)?;
        bar.inc(read as u64);
    }
    if size >= LARGE {
        file.sync_all().map_err(writing)?;
    }
    Ok(())
}

/// A progress bar with bytes, rate and time left; hidden if standard error is not a terminal.
fn progress_bar(total: u64) -> ProgressBar {
    let bar = ProgressBar::new(total);
    let form = "       {wide_bar} {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left";
    if let Ok(style) = ProgressStyle::with_template(form) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use zip::write::SimpleFileOptions;
    use zip::{CompressionMethod, ZipWriter};

    /// Writes a small wheel.
    pub(crate) fn pack(path: &Path, files: &[(&str, &str)]) -> anyhow::Result<()> {
        let mut writer = ZipWriter::new(File::create(path)?);
        for (name, text) in files {
            // Stored as it is, so that a test can find and change a byte.
            let options =
                SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
            writer.start_file(*name, options)?;
            writer.write_all(text.as_bytes())?;
        }
        writer.finish()?;
        Ok(())
    }

    #[test]
    fn only_what_is_wanted_is_unpacked() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let wheel = folder.path().join("a.whl");
        pack(&wheel, &[("torch/lib/libc10.so", "c10"), ("torch/nn/init.py", "pass")])?;
        let into = folder.path().join("out");
        let count =
            unpack(&[wheel], &into, |name| name.contains("/lib/")).map_err(Trouble::into_error)?;
        assert_eq!(count, 1);
        assert_eq!(fs::read_to_string(into.join("torch/lib/libc10.so"))?, "c10");
        assert!(!into.join("torch/nn").exists());
        Ok(())
    }

    #[test]
    fn an_archive_cut_short_is_damaged() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let wheel = folder.path().join("a.whl");
        pack(&wheel, &[("torch/lib/libc10.so", "c10")])?;
        assert!(is_whole(&wheel));
        let bytes = fs::read(&wheel)?;
        fs::write(&wheel, &bytes[..bytes.len() - 30])?;
        assert!(!is_whole(&wheel));
        let trouble = unpack(&[wheel], folder.path(), |_| true);
        assert!(matches!(trouble, Err(Trouble::Damaged(..))));
        Ok(())
    }

    #[test]
    fn a_changed_byte_is_damage_and_not_a_failing_disk() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let wheel = folder.path().join("a.whl");
        pack(&wheel, &[("a", "the same text"), ("b", "and some more")])?;
        let mut bytes = fs::read(&wheel)?;
        let at = bytes.windows(8).position(|w| w == b"the same").expect("stored as it is");
        bytes[at] = b'T';
        fs::write(&wheel, bytes)?;
        let trouble = unpack(&[wheel], &folder.path().join("out"), |_| true);
        assert!(matches!(trouble, Err(Trouble::Damaged(..))), "{trouble:?}");
        Ok(())
    }

    #[test]
    fn a_full_disk_is_named() {
        let full = io::Error::from(io::ErrorKind::StorageFull);
        let text = crate::failure::report(&Trouble::Writing("/c/x.so".into(), full).into_error());
        assert!(text.starts_with("error: the disk is full: /c/x.so"), "{text}");
        assert!(text.contains("hint: ") && text.contains("NEURONOTES_CACHE"), "{text}");
    }
}
