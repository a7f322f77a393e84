//! The arguments, with the texts that teach them.

use std::path::PathBuf;

use clap::Parser;

/// Make the set that Emoji-CLIP is trained on, and the demonstration data
///
/// Drawn emoji, their names and fonts come as npm packages, brought by your own npm with its registry and proxy: 35
/// packages, 96 MB, each at a fixed version and checked against the digest in emoji/packages.json. Whole ones are kept, so
/// that what was broken off goes on where it was.
///
/// Written are, in FOLDER, train.tar: each name's picture in up to seven styles (128 × 128, with alpha), and the name in
/// 44 faces (as a mask), some of both marked as held out; and in the repository's data, concepts.json with the names,
/// words.txt with nothing but the names, emoji.tar with their pictures in three styles on white, and attacks.tar and
/// blank-notes.tar with pictures that have a note on them, written on with another name or not. The same packages make the
/// same bytes.
#[derive(Debug, Parser)]
#[command(name = "neuronotes-emoji", version)]
pub struct Arguments {
    /// The repository, whose lab/fonts is read and whose data is written
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub repository: PathBuf,
    /// The folder for the packages and train.tar; else target/emoji in the repository
    #[arg(long, value_name = "DIR")]
    pub folder: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }
}
