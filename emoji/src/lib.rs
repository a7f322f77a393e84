//! What Emoji-CLIP is trained on, and the demonstration data.
//!
//! Goes in: packages of drawn emoji, their names and fonts, as npm brings them. Comes out: `train.tar` with pictures and
//! words, and the data that is committed: `concepts.json`, `words.txt`, `emoji.tar`, and pictures with notes on them in
//! `attacks.tar` and `blank-notes.tar`. It knows nothing of networks.

pub mod archive;
pub mod attacks;
pub mod canvas;
pub mod cli;
pub mod demo;
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
