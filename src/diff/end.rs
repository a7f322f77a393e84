//! What is compared, as written on the command line: `A`, `A..B`, or nothing.

use std::path::{Path, PathBuf};

use neuronotes_core::cut::Cut as _;

/// One end of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The files on disk.
    Worktree,
    /// A git revision.
    Revision(String),
    /// The notes on disk with the results of a folder that `neuronotes freeze` wrote.
    Frozen(PathBuf),
}

/// The file by which a folder of frozen results is known.
const FACTS: &str = "frozen.json";

impl End {
    /// A folder of frozen results, or else a revision.
    fn read(written: &str) -> Self {
        let folder = Path::new(written);
        match written {
            "" => Self::Worktree,
            _ if folder.join(FACTS).is_file() => Self::Frozen(folder.to_owned()),
            _ => Self::Revision(written.to_owned()),
        }
    }
}

/// Both ends: by default the last commit and the files on disk.
pub fn ends(written: Option<&str>) -> (End, End) {
    let Some(written) = written else { return (End::Revision("HEAD".into()), End::Worktree) };
    // The dots of `../frozen` lead to another folder.
    let is_split = |at: &usize| {
        let (before, after) = (written.cut(..*at), written.cut(at + 2..));
        let is_path = |end: &str| Path::new(end).join(FACTS).is_file();
        !before.is_empty()
            && !before.ends_with(['/', '.'])
            && (!after.starts_with(['/', '.']) || is_path(after))
    };
    if Path::new(written).join(FACTS).is_file() {
        return (End::read(written), End::Worktree);
    }
    match written.match_indices("..").map(|(at, _)| at).find(is_split) {
        Some(at) => (End::read(written.cut(..at)), End::read(written.cut(at + 2..))),
        None => (End::read(written), End::Worktree),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_dots_are_between_two_ends_unless_they_are_of_a_path() {
        let revision = |name: &str| End::Revision(name.to_owned());
        assert_eq!(ends(None), (revision("HEAD"), End::Worktree));
        assert_eq!(ends(Some("v1")), (revision("v1"), End::Worktree));
        assert_eq!(ends(Some("v1.2..v1.3")), (revision("v1.2"), revision("v1.3")));
        assert_eq!(ends(Some("HEAD~2..")), (revision("HEAD~2"), End::Worktree));
        assert_eq!(ends(Some("../other")), (revision("../other"), End::Worktree));
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join(FACTS), "").expect("a file");
        let name = folder.path().display().to_string();
        let frozen = End::Frozen(folder.path().to_owned());
        assert_eq!(ends(Some(&name)), (frozen.clone(), End::Worktree));
        assert_eq!(ends(Some(&format!("HEAD..{name}"))), (revision("HEAD"), frozen.clone()));
        assert_eq!(ends(Some(&format!("{name}..HEAD"))), (frozen, revision("HEAD")));
    }
}
