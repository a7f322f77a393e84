//! Fetches libtorch, or resumes an interrupted fetch.
//!
//! The steps: download wheels, unpack their files into a folder beside the final one, rename it, write the marker,
//! and only then delete the wheels. Each step first checks whether it is already done, so a run resumes where the
//! last one stopped. A lock keeps two runs from doing the same work twice.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};

use super::layout::{Layout, Part, make_link_folder};
use super::version::WANTED;
use crate::files::{locked, remove};
use crate::pip::{Source, Wanted, wheels};
use crate::say::{Step, say};
use crate::unpack::{Trouble, is_whole, unpack};

/// Fetches libtorch into a layout.
pub struct Fetch<'a> {
    /// The destination.
    pub layout: &'a Layout,
    /// The source of wheels.
    pub source: &'a dyn Source,
}

impl Fetch<'_> {
    /// Makes sure that libtorch is there, with or without CUDA. Returns whether anything had to be done.
    pub fn complete(&self, with_cuda: bool) -> Result<bool> {
        if self.is_done(with_cuda) {
            return Ok(false);
        }
        let lock = self.layout.lock();
        let folder = lock.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)
            .with_context(|| format!("{} could not be created", folder.display()))?;
        let _lock = locked(&lock)?;
        if self.is_done(with_cuda) {
            return Ok(false);
        }
        say(format_args!("libtorch {WANTED} will be set up in {}", self.layout.root().display()));
        if !self.layout.is_complete(Part::Cpu) {
            self.fetch_cpu()?;
        }
        if with_cuda && !self.layout.is_complete(Part::Cuda) {
            self.fetch_cuda()?;
        }
        remove(&self.layout.downloads())?;
        Ok(true)
    }

    fn is_done(&self, with_cuda: bool) -> bool {
        self.layout.is_complete(Part::Cpu) && (!with_cuda || self.layout.is_complete(Part::Cuda))
    }

    fn fetch_cpu(&self) -> Result<()> {
        let partial = self.layout.partial(Part::Cpu);
        let root = self.layout.root();
        let wanted = [Some(torch()), self.layout.platform.has_cuda().then(cuda_runtime)];
        for wanted in wanted.iter().flatten() {
            self.downloaded(wanted)?;
        }
        remove(&partial)?;
        for wanted in wanted.iter().flatten() {
            self.unpacked(wanted, &partial, is_for_cpu)?;
        }
        let suffix = self.layout.platform.library_suffix();
        let libraries = Path::new("../../torch/lib");
        make_link_folder(&partial.join("link"), Path::new("../torch/include"), libraries, suffix)
            .context("the folder to link with could not be created")?;
        remove(&root)?;
        fs::rename(&partial, &root)
            .with_context(|| format!("{} could not be moved into place", partial.display()))?;
        self.layout.mark_complete(Part::Cpu).context("the marker could not be written")
    }

    fn fetch_cuda(&self) -> Result<()> {
        let partial = self.layout.partial(Part::Cuda);
        let root = self.layout.root();
        let metadata = root.join(format!("torch-{WANTED}.dist-info/METADATA"));
        let metadata = fs::read_to_string(&metadata)
            .with_context(|| format!("{} could not be read", metadata.display()))?;
        let cuda = Wanted {
            name: "cuda",
            title: "the libraries of CUDA for GPUs (2 GB)",
            requirements: cuda_requirements(&metadata),
            with_dependencies: true,
        };
        if cuda.requirements.is_empty() {
            return Err(anyhow!("the wheel of torch {WANTED} for this platform has no CUDA"));
        }
        let wanted = [torch(), cuda];
        for wanted in &wanted {
            self.downloaded(wanted)?;
        }
        remove(&partial)?;
        for wanted in &wanted {
            self.unpacked(wanted, &partial, is_for_cuda)?;
        }
        let mut files = Vec::new();
        files_below(&partial, &mut files)?;
        // libtorch_cuda.so moves last: a program that sees it must find the rest beside it.
        files.sort_by_key(|file| file.ends_with("libtorch_cuda.so"));
        for file in files {
            let place = root.join(file.strip_prefix(&partial)?);
            fs::create_dir_all(place.parent().unwrap_or(&root))?;
            fs::rename(&file, &place)
                .with_context(|| format!("{} could not be moved into place", file.display()))?;
        }
        remove(&partial)?;
        self.layout.mark_complete(Part::Cuda).context("the marker could not be written")
    }

    /// The wheels of a download, fetched unless an earlier run did so.
    fn downloaded(&self, wanted: &Wanted) -> Result<Vec<PathBuf>> {
        let downloads = self.layout.downloads();
        let place = downloads.join(wanted.name);
        if place.exists() {
            let found = wheels(&place)?;
            if !found.is_empty() && found.iter().all(|wheel| is_whole(wheel)) {
                return Ok(found);
            }
            say(format_args!("{} is incomplete and is downloaded again", place.display()));
            remove(&place)?;
        }
        // The final name is only given to finished downloads: pip writes to a new folder, in which no pip of an earlier
        // run can still be writing.
        fs::create_dir_all(&downloads)
            .with_context(|| format!("{} could not be created", downloads.display()))?;
        let partial = tempfile::Builder::new()
            .prefix(&format!("{}.partial-", wanted.name))
            .tempdir_in(&downloads)?;
        let step = Step::begin(format!("downloading {}", wanted.title));
        self.source.download(wanted, partial.path())?;
        fs::rename(partial.path(), &place)?;
        step.done();
        Ok(wheels(&place)?)
    }

    /// Unpacks the requested files; a damaged wheel is downloaded once more.
    fn unpacked(&self, wanted: &Wanted, into: &Path, keep: fn(&str) -> bool) -> Result<()> {
        let mut retried = false;
        loop {
            let found = self.downloaded(wanted)?;
            let step = Step::begin(format!("unpacking {}", wanted.title));
            match unpack(&found, into, keep) {
                Ok(_) => {
                    step.done();
                    return Ok(());
                }
                Err(Trouble::Damaged(wheel, cause)) if !retried => {
                    step.failed();
                    say(format_args!("{} is damaged ({cause})", wheel.display()));
                    remove(&self.layout.downloads().join(wanted.name))?;
                    retried = true;
                }
                Err(trouble) => {
                    step.failed();
                    return Err(trouble.into_error());
                }
            }
        }
    }
}

/// The wheel with headers and libraries.
fn torch() -> Wanted {
    Wanted {
        name: "torch",
        title: "torch, the wheel with libtorch (0.5 GB)",
        requirements: vec![format!("torch=={WANTED}")],
        with_dependencies: false,
    }
}

/// The two small CUDA libraries that even `libtorch_cpu.so` of PyPI's wheel needs to load.
fn cuda_runtime() -> Wanted {
    Wanted {
        name: "cudart",
        title: "the libraries of CUDA that libtorch needs even without a GPU (13 MB)",
        requirements: vec!["cuda-toolkit[cudart,cupti]==13.0.2".to_owned()],
        with_dependencies: true,
    }
}

/// The NVIDIA packages that torch's metadata requires, without the conditions.
fn cuda_requirements(metadata: &str) -> Vec<String> {
    metadata
        .lines()
        .filter_map(|line| line.strip_prefix("Requires-Dist: "))
        .filter(|line| line.starts_with("nvidia-") || line.starts_with("cuda-toolkit"))
        .map(|line| line.split(';').next().unwrap_or(line).trim().to_owned())
        .collect()
}

/// Headers, licences, and the libraries that `libtorch_cpu` loads.
fn is_for_cpu(file: &str) -> bool {
    let library = |name: &str| {
        let foreign = ["python", "libshm", "global_deps", "libtorch.so", "libtorch.dylib"];
        !name.contains('/') && !foreign.iter().any(|part| name.contains(part)) && !is_cuda(name)
    };
    file.starts_with("torch/include/")
        || file.starts_with("torch/.dylibs/")
        || file.contains(".dist-info/")
        || file.strip_prefix("torch/lib/").is_some_and(library)
        || nvidia_library(file)
            .is_some_and(|name| name.starts_with("libcudart.") || name.starts_with("libcupti."))
}

/// The libraries for GPUs and their licences.
fn is_for_cuda(file: &str) -> bool {
    file.strip_prefix("torch/lib/").is_some_and(is_cuda)
        || nvidia_library(file).is_some_and(|name| !name.ends_with(".a"))
        || (file.starts_with("nvidia_") && file.contains(".dist-info/"))
}

/// Whether a library of torch is one for GPUs.
fn is_cuda(name: &str) -> bool {
    ["cuda", "nvrtc", "nvshmem"].iter().any(|part| name.contains(part))
}

/// The name of a library in one of NVIDIA's wheels.
fn nvidia_library(file: &str) -> Option<&str> {
    file.strip_prefix("nvidia/")?.split_once("/lib/").map(|(_, name)| name)
}

/// All files below a folder.
fn files_below(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            files_below(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "fetch_tests.rs"]
mod tests;
