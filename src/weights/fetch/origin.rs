//! The source of a file: the argument of `--from`, a URL or a local file.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use neuronotes_core::problem::Problem;

use super::part::Part;
use super::wanted::{Doing, Wanted, Watcher};

/// The source of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Over HTTP or HTTPS.
    Url(String),
    /// On this machine.
    File(PathBuf),
}

impl Origin {
    /// Parses a source: a URL is the file itself, or if it ends in `/`, a mirror of OpenAI's folder with the file at
    /// `<sha256>/<file>`. Anything else is a file, or a folder that has the file there or directly.
    ///
    /// # Errors
    /// If it is a URL with another scheme, or nothing is at that path.
    pub fn parse(text: &str, wanted: &Wanted) -> Result<Self, Problem> {
        let below = format!("{}/{}", wanted.sha256, wanted.file);
        if let Some((scheme, _)) = text.split_once("://") {
            return match scheme.to_ascii_lowercase().as_str() {
                "http" | "https" if text.ends_with('/') => Ok(Self::Url(format!("{text}{below}"))),
                "http" | "https" => Ok(Self::Url(text.to_owned())),
                _ => Err(Problem::new(format!("unsupported URL scheme `{scheme}`"))
                    .hint("give a URL with http or https, or a local file")),
            };
        }
        let path = Path::new(text);
        let places = [path.to_owned(), path.join(below), path.join(&wanted.file)];
        let found = places.into_iter().find(|place| place.is_file());
        found.map(Self::File).ok_or_else(|| match path.is_dir() {
            true => Problem::new(format!("{} was not found in the folder {text}", wanted.file))
                .hint(format!("it may also be in the folder {} there", wanted.sha256)),
            false => Problem::new(format!("the file {text} was not found"))
                .hint("a URL begins with http:// or https://"),
        })
    }
}

/// Refuses to copy the unfinished file onto itself, which would empty it.
pub(super) fn is_other_file(source: &Path, part: &Path) -> Result<(), Problem> {
    let same = match (source.canonicalize(), part.canonicalize()) {
        (Ok(source), Ok(part)) => source == part,
        _ => false,
    };
    if !same {
        return Ok(());
    }
    Err(Problem::new(format!("{} is the unfinished file itself", source.display()))
        .hint("leave out `--from` to resume the fetch"))
}

/// Copies a whole file.
pub(super) fn copy(
    source: &Path,
    part: &mut Part,
    watcher: &mut dyn Watcher,
) -> Result<(), Problem> {
    let unreadable = |error: std::io::Error| {
        Problem::new(format!("{} cannot be read ({error})", source.display()))
    };
    let mut file = neuronotes_core::file::open(source).map_err(unreadable)?;
    let total = file.metadata().map_err(unreadable)?.len();
    part.fits(total)?;
    part.begin_piece();
    let mut buffer = vec![0; 1 << 18];
    loop {
        watcher.step(Doing::Copying, part.length(), Some(total));
        match file.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(n) => part.append(&buffer[..n])?,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_an_address_or_a_file() {
        let zeros = "0".repeat(64);
        let wanted = Wanted {
            name: "RN50".into(),
            file: "RN50.pt".into(),
            sha256: zeros.parse().expect("a digest"),
        };
        let dir = tempfile::tempdir().expect("a temporary folder");
        let parse = |text: &str| Origin::parse(text, &wanted).map_err(|error| error.message);
        let url = |text: &str| Ok(Origin::Url(text.to_owned()));
        assert_eq!(parse("https://a.org/b.pt"), url("https://a.org/b.pt"));
        assert_eq!(parse("HTTP://a.org/c/"), url(&format!("HTTP://a.org/c/{zeros}/RN50.pt")));
        assert_eq!(parse("ftp://a.org/c/"), Err("unsupported URL scheme `ftp`".into()));
        let folder = dir.path().display().to_string();
        assert_eq!(parse(&folder), Err(format!("RN50.pt was not found in the folder {folder}")));
        let file = dir.path().join("RN50.pt");
        std::fs::write(&file, "x").expect("write");
        assert_eq!(parse(&folder), Ok(Origin::File(file.clone())));
        assert_eq!(parse(&file.display().to_string()), Ok(Origin::File(file)));
        let mirrored = dir.path().join(&zeros).join("RN50.pt");
        std::fs::create_dir(dir.path().join(&zeros)).expect("a folder");
        std::fs::write(&mirrored, "x").expect("write");
        assert_eq!(parse(&folder), Ok(Origin::File(mirrored)));
        assert!(parse(&format!("{folder}/none.pt")).expect_err("none").contains("was not found"));
    }
}
