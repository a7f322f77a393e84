//! libtorch: the user's own, or one fetched into the cache.

mod existing;
mod fetch;
mod layout;
mod version;

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::cache;
use crate::failure::failure;
use crate::pip::Pip;
use crate::platform::Platform;
use crate::say::say;
use fetch::Fetch;
use layout::Layout;
use version::WANTED;

/// A libtorch that is ready to use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Libtorch {
    /// The value for `LIBTORCH`: the folder to compile and link with.
    pub link: PathBuf,
    /// The folder that really contains the libraries.
    pub lib: PathBuf,
    /// How the user named it; `None` if it was fetched.
    by: Option<String>,
}

impl Libtorch {
    /// Makes sure that libtorch is there, with its libraries for GPUs if `with_cuda`.
    pub fn in_place(with_cuda: bool) -> Result<Self> {
        let cache = cache::folder()?;
        let suffix = if cfg!(target_os = "macos") { ".dylib" } else { ".so" };
        if let Some(own) = existing::find(&cache, suffix)? {
            say(format_args!("using libtorch {WANTED} from {}", own.lib.display()));
            if with_cuda && !own.has_cuda() {
                return Err(failure(
                    format!("{} has no libtorch_cuda", own.lib.display()),
                    "give a libtorch with CUDA, or unset LIBTORCH and LIBTORCH_USE_PYTORCH to have one fetched",
                ));
            }
            return Ok(own);
        }
        let platform = Platform::here()?;
        if with_cuda && !platform.has_cuda() {
            return Err(failure("CUDA is not available for this platform", "leave --cuda out"));
        }
        let layout = Layout::new(cache, platform);
        let fetch = Fetch { layout: &layout, source: &Pip { platform } };
        if !fetch.complete(with_cuda)? {
            say(format_args!("libtorch {WANTED} is in place"));
        }
        Ok(Self { link: layout.link(), lib: layout.libraries(), by: None })
    }

    /// Whether the libraries for GPUs are there.
    pub fn has_cuda(&self) -> bool {
        self.lib.join("libtorch_cuda.so").exists()
    }

    /// Whether it was fetched rather than given by the user.
    pub fn is_fetched(&self) -> bool {
        self.by.is_none()
    }

    /// Sets the environment of a cargo command that compiles the lab.
    pub fn show_to(&self, cargo: &mut Command) {
        // The user's settings in these variables are already part of `link`.
        for other in ["LIBTORCH_USE_PYTORCH", "LIBTORCH_INCLUDE", "LIBTORCH_LIB"] {
            cargo.env_remove(other);
        }
        cargo.env("LIBTORCH", &self.link);
    }
}

/// Fails before the download of half a gigabyte if no C++ compiler is found.
pub fn require_a_compiler() -> Result<()> {
    if env::var_os("CXX").is_some_and(|named| !named.is_empty()) {
        return Ok(());
    }
    if ["c++", "g++", "clang++"].iter().any(|name| on_path(Path::new(name)).is_some()) {
        return Ok(());
    }
    Err(failure(
        "no C++ compiler was found, which the lab needs to link with libtorch",
        "install one (Debian: apt-get install g++; macOS: xcode-select --install), or set CXX to yours",
    ))
}

/// The path of a program on PATH.
pub fn on_path(program: &Path) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}
