//! A Python with the packages of tests/reference: the user's own, or a virtual environment in the cache.
//!
//! Versions are pinned in requirements.txt. An environment counts only once its marker is written, which is the last
//! step; an unfinished one is created again.

use std::env;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::cache;
use crate::failure::failure;
use crate::files::{locked, remove};
use crate::run::run;
use crate::say::say;
use crate::torch::on_path;

/// Environment variable with the user's own Python.
const OWN: &str = "NEURONOTES_PYTHON";

/// Python code that prints each unmet requirement. It compares versions only: importing torch would take seconds.
const CHECK: &str = "\
import sys
from importlib.metadata import PackageNotFoundError, version
for wanted in sys.argv[1:]:
    name, _, number = wanted.partition('==')
    name = name.partition('[')[0]
    try:
        found = version(name)
    except PackageNotFoundError:
        print(f'{name} {number} is missing')
        continue
    if found.partition('+')[0] != number:
        print(f'{name} is {found}, not {number}')
";

/// A Python with the packages that the scripts in tests/reference need, set up if necessary.
pub fn python(repository: &Path) -> Result<PathBuf> {
    python_with(repository, "requirements.txt", "PyTorch and open_clip")
}

/// A Python with scikit-learn and without PyTorch, set up if necessary.
pub fn scikit_learn(repository: &Path) -> Result<PathBuf> {
    python_with(repository, "scikit-learn.txt", "scikit-learn")
}

/// A Python with Pillow only, set up if necessary.
pub fn pillow(repository: &Path) -> Result<PathBuf> {
    python_with(repository, "pillow.txt", "Pillow")
}

/// A Python with the validators of crates, set up if necessary.
pub fn validators(repository: &Path) -> Result<PathBuf> {
    python_with(repository, "crate.txt", "validators of RO-Crate and CITATION.cff")
}

/// A Python with Ray, in an environment of its own: the tests start Ray's programs, which lie beside it.
pub fn ray(repository: &Path) -> Result<PathBuf> {
    let file = repository.join("tests/reference/ray.txt");
    let text = fs::read_to_string(&file)
        .with_context(|| format!("{} could not be read", file.display()))?;
    Environment::new(&cache::folder()?, &file, text, "Ray").in_place(Path::new(&any_python()?))
}

/// A Python with a server that speaks S3, set up if necessary.
pub fn s3(repository: &Path) -> Result<PathBuf> {
    python_with(repository, "s3.txt", "moto, a server that speaks S3")
}

/// A Python with the packages of one of the lists in tests/reference; `what` describes them in messages.
fn python_with(repository: &Path, list: &str, what: &'static str) -> Result<PathBuf> {
    let file = repository.join("tests/reference").join(list);
    let read = || fs::read_to_string(&file);
    let text = read().with_context(|| format!("{} could not be read", file.display()))?;
    if let Some(own) = env::var_os(OWN).filter(|value| !value.is_empty()) {
        return own_python(Path::new(&own), &file, &text);
    }
    Environment::new(&cache::folder()?, &file, text, what).in_place(Path::new(&any_python()?))
}

/// The user's Python, if it has the packages.
fn own_python(own: &Path, file: &Path, requirements: &str) -> Result<PathBuf> {
    // A virtual environment's Python is a link, which must not be resolved.
    let own = on_path(own).unwrap_or(std::path::absolute(own)?);
    match unmet(&own, requirements)?.as_slice() {
        [] => Ok(own),
        missing => Err(failure(
            format!("{OWN}={} cannot be used ({})", own.display(), missing.join("; ")),
            format!(
                "install them with `{} -m pip install -r {}`, or unset {OWN} to use an environment that is set up for you",
                own.display(),
                file.display()
            ),
        )),
    }
}

/// A Python that can create environments.
fn any_python() -> Result<&'static str> {
    let starts = |program: &&str| {
        let mut command = Command::new(program);
        command.args(["-c", "import venv"]).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    ["python3", "python"].into_iter().find(starts).ok_or_else(|| {
        failure(
            "Python, which the reference needs, was not found",
            format!("install Python (Debian: apt-get install python3-venv), or set {OWN} to one"),
        )
    })
}

/// A virtual environment in the cache.
struct Environment<'a> {
    folder: PathBuf,
    file: &'a Path,
    requirements: String,
    /// What it is for, for messages.
    what: &'static str,
}

impl<'a> Environment<'a> {
    fn new(cache: &Path, file: &'a Path, requirements: String, what: &'static str) -> Self {
        // std does not guarantee a stable hash. If it changed, an environment would only be created twice, since the
        // marker contains the full requirements.
        let mut hasher = DefaultHasher::new();
        requirements.hash(&mut hasher);
        let folder = cache.join(format!("venv-{:016x}", hasher.finish()));
        Self { folder, file, requirements, what }
    }

    fn marker(&self) -> PathBuf {
        self.folder.join("complete")
    }

    fn python(&self) -> PathBuf {
        self.folder.join("bin/python")
    }

    /// Whether it is complete and the system's Python that it belongs to still exists.
    fn is_complete(&self) -> bool {
        fs::read_to_string(self.marker()).is_ok_and(|text| text == self.requirements)
            && unmet(&self.python(), &self.requirements).is_ok_and(|unmet| unmet.is_empty())
    }

    /// Its Python; the environment is created with the given one if necessary.
    fn in_place(&self, with: &Path) -> Result<PathBuf> {
        if self.is_complete() {
            return Ok(self.python());
        }
        let cache = self.folder.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(cache)
            .with_context(|| format!("{} could not be created", cache.display()))?;
        let _lock = locked(&self.folder.with_extension("lock"))?;
        if self.is_complete() {
            return Ok(self.python());
        }
        say(format_args!("setting up {} in {}", self.what, self.folder.display()));
        self.make(with)?;
        Ok(self.python())
    }

    fn make(&self, with: &Path) -> Result<()> {
        remove(&self.folder)?;
        let mut venv = Command::new(with);
        venv.args(["-m", "venv"]).arg(&self.folder);
        if run("creating a virtual environment", &mut venv)? != 0 {
            return Err(failure(
                format!("{} failed to create a virtual environment", with.display()),
                "see its message above; on Debian, venv is a separate package: apt-get install python3-venv",
            ));
        }
        let mut pip = Command::new(self.python());
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]);
        pip.arg("-r").arg(self.file);
        if run(&format!("installing {}", self.what), &mut pip)? != 0 {
            return Err(failure(
                format!("pip failed to install {}", self.file.display()),
                "see pip's message above; after fixing it, run the same command again",
            ));
        }
        if let [first, ..] = unmet(&self.python(), &self.requirements)?.as_slice() {
            return Err(anyhow::anyhow!("pip installed something else: {first}"));
        }
        let write = fs::write(self.marker(), &self.requirements);
        write.with_context(|| format!("{} could not be written", self.marker().display()))
    }
}

/// The requirements that a Python does not meet, one per line.
fn unmet(python: &Path, requirements: &str) -> Result<Vec<String>> {
    let wanted = requirements.lines().map(str::trim).filter(|line| line.contains("=="));
    let output = Command::new(python).arg("-c").arg(CHECK).args(wanted).output();
    let output = output.with_context(|| format!("{} did not start", python.display()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(anyhow::anyhow!("{} does not work ({})", python.display(), said.trim()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    /// Stands for Python, venv and pip: records each call, and fails if a file `broken` is beside it.
    const FAKE: &str = r#"#!/bin/sh
here=$(dirname "$0")
case "$*" in
    "-m venv "*) echo venv >> "$here/calls"; mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; cp "$here"/broken "$3/bin" || true ;;
    "-m pip install "*) echo pip >> "$here/calls"; test ! -e "$here/broken" ;;
    "-c "*) test ! -e "$here/lacks" || echo "torch 2.11.0 is missing" ;;
esac 2> /dev/null
"#;

    /// Makes a script that can be started. A process of its own writes it: while this one has it open for writing, a
    /// program that another test's thread starts inherits that, and the script would be busy.
    fn write_script(path: &Path, text: &str) {
        let write = r#"printf %s "$2" > "$1" && chmod 755 "$1""#;
        let status =
            std::process::Command::new("sh").args(["-c", write, "sh"]).arg(path).arg(text).status();
        assert!(status.is_ok_and(|status| status.success()), "{} is not written", path.display());
    }

    struct Fake {
        folder: tempfile::TempDir,
        python: PathBuf,
        file: PathBuf,
    }

    impl Fake {
        fn new() -> Result<Self> {
            let folder = tempfile::tempdir()?;
            let python = folder.path().join("python");
            write_script(&python, FAKE);
            let file = folder.path().join("requirements.txt");
            Ok(Self { folder, python, file })
        }

        fn environment(&self, requirements: &str) -> Environment<'_> {
            let cache = self.folder.path().join("cache");
            Environment::new(&cache, &self.file, requirements.to_owned(), "PyTorch")
        }

        /// The number of environments that were begun.
        fn begun(&self) -> usize {
            let calls = fs::read_to_string(self.folder.path().join("calls"));
            calls.map_or(0, |calls| calls.lines().count())
        }
    }

    const WANTED: &str = "# why\ntorch==2.11.0\n";

    #[test]
    fn an_environment_is_made_once() -> Result<()> {
        let fake = Fake::new()?;
        let first = fake.environment(WANTED).in_place(&fake.python)?;
        assert_eq!(fake.environment(WANTED).in_place(&fake.python)?, first);
        assert!(first.ends_with("bin/python") && first.exists());
        assert_eq!(fake.begun(), 1);
        let other = fake.environment("torch==2.12.0\n").in_place(&fake.python)?;
        assert_ne!(other, first, "other requirements, another environment");
        assert_eq!(fake.begun(), 2);
        Ok(())
    }

    #[test]
    fn one_that_was_broken_off_is_not_used_and_is_made_anew() -> Result<()> {
        let fake = Fake::new()?;
        let broken = fake.folder.path().join("broken");
        fs::write(&broken, "")?;
        let environment = fake.environment(WANTED);
        assert!(environment.in_place(&fake.python).is_err());
        assert!(environment.python().exists() && !environment.is_complete());
        fs::remove_file(broken)?;
        let stale = environment.folder.join("stale");
        fs::write(&stale, "")?;
        environment.in_place(&fake.python)?;
        assert!(environment.is_complete() && !stale.exists());
        Ok(())
    }

    #[test]
    fn a_whole_one_whose_python_is_gone_is_made_anew() -> Result<()> {
        let fake = Fake::new()?;
        let environment = fake.environment(WANTED);
        fs::remove_file(environment.in_place(&fake.python)?)?;
        environment.in_place(&fake.python)?;
        assert_eq!(fake.begun(), 2);
        Ok(())
    }

    #[test]
    fn packages_that_pip_did_not_bring_are_missed() -> Result<()> {
        let fake = Fake::new()?;
        let environment = fake.environment(WANTED);
        let python = environment.in_place(&fake.python)?;
        fs::write(python.with_file_name("lacks"), "")?;
        assert!(!environment.is_complete());
        Ok(())
    }

    #[test]
    fn a_python_of_the_users_own_has_to_have_the_packages() -> Result<()> {
        let fake = Fake::new()?;
        assert_eq!(own_python(&fake.python, &fake.file, WANTED)?, fake.python);
        fs::write(fake.folder.path().join("lacks"), "")?;
        let error = own_python(&fake.python, &fake.file, WANTED).expect_err("torch is missing");
        let text = crate::failure::report(&error);
        assert!(text.contains("torch 2.11.0 is missing") && text.contains("hint: "), "{text}");
        Ok(())
    }
}
