//! Draws Emoji-CLIP's training set and the demonstration data from npm packages of drawn emoji, their names and
//! fonts.
//!
//! The results are `train.tar` with pictures and words, and the committed data: `concepts.json`, `words.txt`,
//! `emoji.tar`, and pictures with notes on them in `attacks.tar` and `blank-notes.tar`. It knows nothing of networks.

pub mod archive;
pub mod attacks;
pub mod canvas;
pub mod cli;
pub mod demo;
#[path = "../../xtask/src/failure.rs"]
pub mod failure;
pub mod holdout;
pub mod icons;
pub mod make;
pub mod matching;
pub mod names;
pub mod packages;
pub mod progress;
pub mod samples;
pub mod select;
pub mod train;
pub mod webdataset;
pub mod words;
