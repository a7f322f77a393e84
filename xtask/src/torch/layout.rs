//! The layout of a fetched libtorch on disk.
//!
//! ```text
//! libtorch-2.11.0-linux-x86_64/
//!   torch/include  torch/lib      as in Python's site-packages, where the libraries expect to be
//!   nvidia/…/lib                  what they need of CUDA, found by them relative to torch/lib
//!   link/include → ../torch/include
//!   link/lib/                     links to those libraries that the lab is linked with; LIBTORCH is the folder `link`
//!   cpu.complete  cuda.complete   markers, written last
//! libtorch-2.11.0-linux-x86_64.partial/   being unpacked
//! libtorch-2.11.0-linux-x86_64.lock       held by the set-up at work
//! downloads/libtorch-2.11.0-linux-x86_64/ wheels, deleted once they are unpacked
//! ```
//!
//! torch-sys links with every CUDA library that it sees, but one lab must work on machines with and without a GPU. So
//! it is given `link`, where `libtorch_cuda.so` never appears and `libtorch.so` is only another name of
//! `libtorch_cpu.so`. At run time the lab looks in `torch/lib`, the folder that really contains `libtorch_cpu.so`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::version::WANTED;
use crate::platform::Platform;

/// A part of libtorch that can be present or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Headers and the libraries for computing on a CPU.
    Cpu,
    /// The additional libraries for computing on NVIDIA GPUs.
    Cuda,
}

impl Part {
    fn marker(self) -> &'static str {
        match self {
            Self::Cpu => "cpu.complete",
            Self::Cuda => "cuda.complete",
        }
    }
}

/// The marker's text. Raise the number when the layout changes, so that older folders are set up again.
fn marker_text() -> String {
    format!("libtorch {WANTED}, layout 1\n")
}

/// Paths in the cache.
#[derive(Debug, Clone)]
pub struct Layout {
    cache: PathBuf,
    /// The platform of this libtorch.
    pub platform: Platform,
}

impl Layout {
    /// The layout in a cache folder, which need not exist.
    pub fn new(cache: PathBuf, platform: Platform) -> Self {
        Self { cache, platform }
    }

    fn name(&self) -> String {
        format!("libtorch-{WANTED}-{}", self.platform.name())
    }

    /// The finished folder.
    pub fn root(&self) -> PathBuf {
        self.cache.join(self.name())
    }

    /// The folder where a part is unpacked before it is moved into place.
    pub fn partial(&self, part: Part) -> PathBuf {
        self.cache.join(match part {
            Part::Cpu => format!("{}.partial", self.name()),
            Part::Cuda => format!("{}.cuda-partial", self.name()),
        })
    }

    /// The lock file of a running set-up.
    pub fn lock(&self) -> PathBuf {
        self.cache.join(format!("{}.lock", self.name()))
    }

    /// The folder that keeps wheels until they are unpacked.
    pub fn downloads(&self) -> PathBuf {
        self.cache.join("downloads").join(self.name())
    }

    /// The folder to give as `LIBTORCH`.
    pub fn link(&self) -> PathBuf {
        self.root().join("link")
    }

    /// The folder that really contains the libraries.
    pub fn libraries(&self) -> PathBuf {
        self.root().join("torch/lib")
    }

    /// Whether a part is complete.
    pub fn is_complete(&self, part: Part) -> bool {
        let marker = fs::read_to_string(self.root().join(part.marker()));
        let suffix = self.platform.library_suffix();
        marker.is_ok_and(|text| text == marker_text())
            && self.link().join("lib").join(format!("libtorch_cpu{suffix}")).exists()
    }

    /// Records that a part is complete.
    pub fn mark_complete(&self, part: Part) -> io::Result<()> {
        let marker = self.root().join(part.marker());
        let new = marker.with_extension("new");
        fs::write(&new, marker_text())?;
        fs::rename(new, marker)
    }
}

/// Creates a folder to link with: `include`, and `lib` with links to the CPU's libraries in another folder. Relative
/// targets are relative to the links.
pub fn make_link_folder(
    at: &Path,
    include: &Path,
    libraries: &Path,
    suffix: &str,
) -> io::Result<()> {
    let lib = at.join("lib");
    fs::create_dir_all(&lib)?;
    symlink(include, &at.join("include"))?;
    for name in [format!("libtorch_cpu{suffix}"), format!("libc10{suffix}")] {
        symlink(&libraries.join(&name), &lib.join(&name))?;
    }
    symlink(Path::new(&format!("libtorch_cpu{suffix}")), &lib.join(format!("libtorch{suffix}")))
}

#[cfg(unix)]
fn symlink(target: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

#[cfg(not(unix))]
fn symlink(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_of_another_layout_does_not_count() -> io::Result<()> {
        let cache = tempfile::tempdir()?;
        let layout = Layout::new(cache.path().to_owned(), Platform::Linux("x86_64"));
        assert!(!layout.is_complete(Part::Cpu));
        fs::create_dir_all(layout.libraries())?;
        fs::write(layout.libraries().join("libtorch_cpu.so"), "")?;
        let up = Path::new("../../torch/lib");
        make_link_folder(&layout.link(), Path::new("../torch/include"), up, ".so")?;
        layout.mark_complete(Part::Cpu)?;
        assert!(layout.is_complete(Part::Cpu));
        assert!(!layout.is_complete(Part::Cuda));
        fs::write(layout.root().join("cpu.complete"), "libtorch 2.11.0, layout 0\n")?;
        assert!(!layout.is_complete(Part::Cpu));
        Ok(())
    }
}
