//! The machine's kind, and the names that Python's wheels have for it.
//!
//! The set-up is tested on x86-64 Linux only; the other names follow what PyTorch publishes.

use anyhow::Result;

use crate::failure::failure;

/// An operating system and a processor for which PyTorch publishes wheels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// Linux with glibc; the processor's name as in Rust and in wheels (they agree): `x86_64` or `aarch64`.
    Linux(&'static str),
    /// macOS on Apple's processors.
    MacArm,
}

impl Platform {
    /// The platform that this program runs on.
    pub fn here() -> Result<Self> {
        Self::named(std::env::consts::OS, std::env::consts::ARCH)
    }

    /// A platform by Rust's names for operating system and processor.
    pub fn named(os: &str, arch: &str) -> Result<Self> {
        match (os, arch) {
            ("linux", "x86_64") => Ok(Self::Linux("x86_64")),
            ("linux", "aarch64") => Ok(Self::Linux("aarch64")),
            ("macos", "aarch64") => Ok(Self::MacArm),
            _ => Err(failure(
                format!("there is no libtorch to fetch for {os} on {arch}"),
                "install libtorch yourself and name its folder in LIBTORCH",
            )),
        }
    }

    /// How folders for this platform are called.
    pub fn name(self) -> String {
        match self {
            Self::Linux(arch) => format!("linux-{arch}"),
            Self::MacArm => "macos-aarch64".to_owned(),
        }
    }

    /// Every platform tag whose wheels run here, the newest first. pip compares tags as words when they are given on
    /// its command line, so that older ones must be spelled out.
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

    /// Whether PyTorch's wheel for this platform has, and needs, libraries of CUDA.
    pub fn has_cuda(self) -> bool {
        matches!(self, Self::Linux(_))
    }

    /// How shared libraries end.
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
            "error: there is no libtorch to fetch for windows on x86_64\n\
             hint: install libtorch yourself and name its folder in LIBTORCH"
        );
    }
}
