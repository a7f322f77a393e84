//! The machine's platform and its names in Python's wheels.
//!
//! Set-up is tested on x86-64 Linux only; the other names follow what PyTorch publishes.

use anyhow::Result;

use crate::failure::failure;

/// An operating system and CPU architecture for which PyTorch publishes wheels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// Linux with glibc; the architecture's name as in Rust and in wheels (they agree): `x86_64` or `aarch64`.
    Linux(&'static str),
    /// macOS on Apple silicon.
    MacArm,
}

impl Platform {
    /// The platform that this program runs on.
    pub fn here() -> Result<Self> {
        Self::named(std::env::consts::OS, std::env::consts::ARCH)
    }

    /// The platform with Rust's names of the operating system and architecture.
    pub fn named(os: &str, arch: &str) -> Result<Self> {
        match (os, arch) {
            ("linux", "x86_64") => Ok(Self::Linux("x86_64")),
            ("linux", "aarch64") => Ok(Self::Linux("aarch64")),
            ("macos", "aarch64") => Ok(Self::MacArm),
            _ => Err(failure(
                format!("libtorch is not available for {os} on {arch}"),
                "install libtorch yourself and set LIBTORCH to its folder",
            )),
        }
    }

    /// The platform's name in folder names.
    pub fn name(self) -> String {
        match self {
            Self::Linux(arch) => format!("linux-{arch}"),
            Self::MacArm => "macos-aarch64".to_owned(),
        }
    }

    /// All platform tags whose wheels run here, newest first. pip compares tags given on its command line as plain
    /// strings, so older ones must be listed too.
    pub fn wheel_tags(self) -> Vec<String> {
        match self {
            Self::Linux(arch) => (17..=28)
                .rev()
                .map(|minor| format!("manylinux_2_{minor}_{arch}"))
                .chain([format!("manylinux2014_{arch}")])
                .collect(),
            Self::MacArm => {
                (11..=14).rev().map(|major| format!("macosx_{major}_0_arm64")).collect()
            }
        }
    }

    /// Whether PyTorch's wheel for this platform contains and needs CUDA libraries.
    pub fn has_cuda(self) -> bool {
        matches!(self, Self::Linux(_))
    }

    /// File extension of shared libraries.
    pub fn library_suffix(self) -> &'static str {
        match self {
            Self::Linux(_) => ".so",
            Self::MacArm => ".dylib",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::report;

    #[test]
    fn linux_takes_old_and_new_tags() -> Result<()> {
        for arch in ["x86_64", "aarch64"] {
            let tags = Platform::named("linux", arch)?.wheel_tags();
            assert_eq!(tags[0], format!("manylinux_2_28_{arch}"));
            for older in ["manylinux_2_25", "manylinux_2_17", "manylinux2014"] {
                assert!(tags.contains(&format!("{older}_{arch}")), "{older}");
            }
        }
        Ok(())
    }

    #[test]
    fn macs_take_every_system_since_the_first_on_arm() -> Result<()> {
        let tags = Platform::named("macos", "aarch64")?.wheel_tags();
        assert!(tags.contains(&"macosx_11_0_arm64".to_owned()));
        assert!(!Platform::MacArm.has_cuda());
        Ok(())
    }

    #[test]
    fn other_machines_are_told_what_to_do() {
        let error = Platform::named("windows", "x86_64").expect_err("there is none");
        assert_eq!(
            report(&error),
            "error: libtorch is not available for windows on x86_64\n\
             hint: install libtorch yourself and set LIBTORCH to its folder"
        );
    }
}
