//! The arguments and their help.

use std::path::PathBuf;

use clap::Parser;

/// Draw the training set of Emoji-CLIP and the demonstration data
///
/// Drawn emoji, their names and fonts come as npm packages, through your own npm with its registry and proxy: 35
/// packages, 96 MB, each at a fixed version and checked against the digest in emoji/packages.json. Complete packages
/// are kept, so an interrupted run resumes where it stopped.
///
/// It writes to FOLDER: train.tar, with each name's picture in up to seven styles (128 × 128, with alpha) and the
/// name in 44 fonts (as a mask), some of both marked as held out; and to the repository's data: concepts.json with
/// the names, words.txt with the bare names, emoji.tar with their pictures in three styles on white, and attacks.tar
/// and blank-notes.tar with pictures with a note on them that has another name or is blank. The same packages give
/// the same bytes.
#[derive(Debug, Parser)]
#[command(name = "neuronotes-emoji", version)]
pub struct Arguments {
    /// The repository: core/fonts is read, and data is written
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub repository: PathBuf,
    /// Folder for the packages and train.tar [default: target/emoji in the repository]
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
