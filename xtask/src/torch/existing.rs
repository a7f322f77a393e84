//! A libtorch that the user already has, given by the variables that torch-sys knows.

use std::collections::hash_map::DefaultHasher;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow};

use super::Libtorch;
use super::layout::make_link_folder;
use super::version::{self, WANTED};
use crate::failure::failure;

/// Python code that prints where torch is. It does not import torch, which would take seconds.
const WHERE_IS_TORCH: &str = "import importlib.util as u, os; s = u.find_spec('torch'); \
                              print(os.path.dirname(s.origin) if s else '')";

/// A libtorch as given by the user.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Named {
    /// How the user gave it, for messages.
    by: String,
    /// The folder that contains the version.
    home: PathBuf,
    include: PathBuf,
    lib: PathBuf,
}

/// The user's libtorch, if the environment names one: checked, and prepared for linking.
///
/// `suffix` is the extension of shared libraries; `cache` is where a folder of links goes if one is needed.
pub fn find(cache: &Path, suffix: &str) -> Result<Option<Libtorch>> {
    let Some(named) = named(|name| env::var_os(name), ask_python)? else { return Ok(None) };
    let unchecked = env::var_os("LIBTORCH_BYPASS_VERSION_CHECK").is_some();
    check(&named, suffix, unchecked)?;
    let link = linkable(&named, cache, suffix)?;
    // The user may have named a folder of links, such as ours; at run time, their targets matter.
    let library = fs::canonicalize(named.lib.join(format!("libtorch_cpu{suffix}")))?;
    let lib = library.parent().map_or(named.lib, Path::to_owned);
    Ok(Some(Libtorch { link, lib, by: Some(named.by) }))
}

/// The libtorch that the environment names. `LIBTORCH_USE_PYTORCH` takes precedence and counts with any value, as in
/// torch-sys.
fn named(
    variable: impl Fn(&str) -> Option<OsString>,
    ask_python: impl Fn(&OsStr) -> Result<PathBuf>,
) -> Result<Option<Named>> {
    if variable("LIBTORCH_USE_PYTORCH").is_some() {
        let python = if variable("VIRTUAL_ENV").is_some() { "python" } else { "python3" };
        let home = ask_python(OsStr::new(python))?;
        let by = "LIBTORCH_USE_PYTORCH".to_owned();
        return Ok(Some(Named { by, include: home.join("include"), lib: home.join("lib"), home }));
    }
    let Some(home) = variable("LIBTORCH").filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let home = std::path::absolute(home)?;
    let part = |name: &str| -> Result<PathBuf> {
        Ok(variable(name).map(std::path::absolute).transpose()?.unwrap_or_else(|| home.clone()))
    };
    Ok(Some(Named {
        by: format!("LIBTORCH={}", home.display()),
        include: part("LIBTORCH_INCLUDE")?.join("include"),
        lib: part("LIBTORCH_LIB")?.join("lib"),
        home,
    }))
}

/// The folder of Python's torch.
fn ask_python(python: &OsStr) -> Result<PathBuf> {
    let output = Command::new(python)
        .args(["-c", WHERE_IS_TORCH])
        .output()
        .with_context(|| format!("{} did not start", python.display()))?;
    let folder = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if output.status.success() && !folder.is_empty() {
        return Ok(folder.into());
    }
    Err(failure(
        format!("LIBTORCH_USE_PYTORCH is set, but {} has no torch", python.display()),
        format!(
            "install torch {WANTED} there, or unset LIBTORCH_USE_PYTORCH to have libtorch fetched"
        ),
    ))
}

/// Checks that it is a libtorch of the right version.
fn check(named: &Named, suffix: &str, unchecked: bool) -> Result<()> {
    let unset = named.by.split('=').next().unwrap_or_default();
    let library = format!("libtorch_cpu{suffix}");
    if !named.lib.join(&library).exists() {
        return Err(failure(
            format!("{}: {library} not found in {}", named.by, named.lib.display()),
            format!(
                "give a folder with include and lib, or unset {unset} to have libtorch fetched"
            ),
        ));
    }
    match version::of(&named.home) {
        _ if unchecked => Ok(()),
        None => Ok(()),
        Some(found) if found == WANTED => Ok(()),
        Some(found) => Err(failure(
            format!("{} is libtorch {found}, but tch needs libtorch {WANTED}", named.by),
            format!("unset {unset} to have libtorch {WANTED} fetched"),
        )),
    }
}

/// The folder to link with: the user's own, unless it contains libraries for GPUs, which torch-sys would link with,
/// or its headers and libraries are in different folders. In those cases it is a folder of links in the cache.
fn linkable(named: &Named, cache: &Path, suffix: &str) -> Result<PathBuf> {
    let has_gpu_libraries = ["libtorch_cuda", "libtorch_hip"]
        .iter()
        .any(|library| named.lib.join(format!("{library}{suffix}")).exists());
    let own = named.lib.parent().filter(|own| named.include.parent() == Some(own));
    if let (Some(own), false) = (own, has_gpu_libraries) {
        return Ok(own.to_owned());
    }
    let mut hasher = DefaultHasher::new();
    (&named.include, &named.lib).hash(&mut hasher);
    let links = cache.join("links");
    let place = links.join(format!("{:016x}", hasher.finish()));
    // The libraries look for CUDA two levels up, so the folder of links must have the same layout.
    let link = place.join("link");
    let target = |path: &str| fs::read_link(link.join(path)).ok();
    let library = format!("lib/libtorch_cpu{suffix}");
    if target("include").as_ref() == Some(&named.include)
        && target(&library).is_some_and(|found| found.parent() == Some(&named.lib))
    {
        return Ok(link);
    }
    let make = || -> Result<()> {
        fs::create_dir_all(&links)?;
        let new = tempfile::tempdir_in(&links)?;
        make_link_folder(&new.path().join("link"), &named.include, &named.lib, suffix)?;
        #[cfg(unix)]
        if let Some(nvidia) = named.lib.ancestors().nth(2).map(|above| above.join("nvidia"))
            && nvidia.is_dir()
        {
            std::os::unix::fs::symlink(nvidia, new.path().join("nvidia"))?;
        }
        if place.exists() {
            fs::remove_dir_all(&place)?;
        }
        // Another run may have created the same folder meanwhile.
        match fs::rename(new.path(), &place) {
            Err(_) if link.exists() => Ok(()),
            other => Ok(other?),
        }
    };
    make().with_context(|| {
        anyhow!("the folder to link with, {}, could not be created", place.display())
    })?;
    Ok(link)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::report;
    use tempfile::TempDir;

    fn no_python(_: &OsStr) -> Result<PathBuf> {
        Err(anyhow!("nobody should ask Python"))
    }

    /// A folder that looks like a libtorch.
    fn torch(version: &str, libraries: &[&str]) -> Result<(TempDir, Named)> {
        let folder = tempfile::tempdir()?;
        let home = folder.path().join("site-packages/torch");
        fs::create_dir_all(home.join("include"))?;
        fs::create_dir_all(home.join("lib"))?;
        fs::create_dir_all(folder.path().join("site-packages/nvidia/cu13"))?;
        fs::write(home.join("build-version"), version)?;
        for library in libraries {
            fs::write(home.join("lib").join(library), library)?;
        }
        let find = |name: &str| (name == "LIBTORCH").then(|| home.clone().into());
        let named = named(find, no_python)?.context("LIBTORCH names it")?;
        Ok((folder, named))
    }

    #[test]
    fn nothing_is_named_by_default() -> Result<()> {
        assert_eq!(named(|_| None, no_python)?, None);
        Ok(())
    }

    #[test]
    fn python_s_torch_comes_before_libtorch() -> Result<()> {
        let find = |name: &str| match name {
            "LIBTORCH_USE_PYTORCH" => Some("1".into()),
            "LIBTORCH" => Some("/opt/libtorch".into()),
            "VIRTUAL_ENV" => Some("/home/ada/venv".into()),
            _ => None,
        };
        let ask = |python: &OsStr| {
            assert_eq!(python, "python");
            Ok(PathBuf::from("/site/torch"))
        };
        let named = named(find, ask)?.context("it is named")?;
        assert_eq!(
            (named.by.as_str(), named.home.as_path()),
            ("LIBTORCH_USE_PYTORCH", Path::new("/site/torch"))
        );
        Ok(())
    }

    #[test]
    fn a_wrong_version_is_told_with_both_versions() -> Result<()> {
        let (_folder, named) = torch("2.9.1+cpu\n", &["libtorch_cpu.so"])?;
        let error = check(&named, ".so", false).expect_err("it is too old");
        assert_eq!(
            report(&error),
            format!(
                "error: {} is libtorch 2.9.1, but tch needs libtorch 2.11.0\n\
                 hint: unset LIBTORCH to have libtorch 2.11.0 fetched",
                named.by
            )
        );
        check(&named, ".so", true)
    }

    #[test]
    fn a_folder_without_libtorch_is_told() -> Result<()> {
        let (_folder, named) = torch("2.11.0", &[])?;
        let error = check(&named, ".so", false).expect_err("there is no library");
        let text = report(&error);
        assert!(text.contains("libtorch_cpu.so not found in "), "{text}");
        assert!(text.contains("hint: give a folder with include and lib"), "{text}");
        Ok(())
    }

    #[test]
    fn a_libtorch_for_processors_is_linked_with_as_it_is() -> Result<()> {
        let (folder, named) = torch("2.11.0", &["libtorch_cpu.so", "libc10.so", "libtorch.so"])?;
        check(&named, ".so", false)?;
        assert_eq!(linkable(&named, folder.path(), ".so")?, named.home);
        Ok(())
    }

    #[test]
    fn libraries_for_gpus_are_hidden_from_the_linker() -> Result<()> {
        let (folder, named) =
            torch("2.11.0", &["libtorch_cpu.so", "libc10.so", "libtorch.so", "libtorch_cuda.so"])?;
        let link = linkable(&named, folder.path(), ".so")?;
        let lib = link.join("lib");
        assert!(!lib.join("libtorch_cuda.so").exists());
        assert_eq!(fs::read_to_string(lib.join("libtorch.so"))?, "libtorch_cpu.so");
        assert_eq!(
            fs::canonicalize(lib.join("libc10.so"))?,
            fs::canonicalize(named.lib.join("libc10.so"))?
        );
        assert!(lib.join("../../nvidia/cu13").is_dir());
        assert_eq!(linkable(&named, folder.path(), ".so")?, link, "and again");
        Ok(())
    }
}
