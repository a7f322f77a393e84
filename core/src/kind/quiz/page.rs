//! What the page of a quiz shows: pictures, and for each trial which of them are where. Which of two pictures is right is sealed, so that
//! nobody who looks at the page's data reads it by accident.

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use crate::digest::Digest;

/// The first member of a quiz's data, and of the file that a reader saves.
pub const FORMAT: &str = "neuronotes quiz 1";

/// A quiz.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quiz {
    /// [`FORMAT`].
    #[serde(deserialize_with = "format")]
    format: String,
    /// By which answers belong to it: a digest of everything that is shown, in hexadecimal.
    pub quiz: String,
    /// The pictures: data URIs, in an order that says nothing.
    pub images: Vec<String>,
    /// The trials, in the order in which they are shown.
    pub trials: Vec<Trial>,
    /// For each trial the seal of the side that is right.
    sealed: Vec<u32>,
}

/// A trial; pictures are places in [`Quiz::images`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// The references that activate the unit most.
    pub strongest: Vec<u32>,
    /// Those that activate it least.
    pub weakest: Vec<u32>,
    /// The two to choose from, the left one first.
    pub pair: [u32; 2],
    /// Whether the right one is among the references.
    pub catch: bool,
}

impl Quiz {
    /// A quiz of these pictures and trials; `right` says of each trial whether the right-hand picture is the stronger one.
    pub fn new(images: Vec<String>, trials: Vec<Trial>, right: &[bool]) -> Self {
        let shown = serde_json::to_string(&(&images, &trials)).unwrap_or_default();
        let quiz = Digest::of(shown.as_bytes()).hex();
        let seal = |(at, right): (usize, &bool)| seal(&quiz, at, *right);
        let sealed = right.iter().enumerate().map(seal).collect();
        Self { format: FORMAT.to_owned(), quiz, images, trials, sealed }
    }

    /// Whether the right-hand picture of a trial is the stronger one; `None` if there is no such trial, or its seal is broken.
    pub fn right(&self, trial: usize) -> Option<bool> {
        let sealed = self.sealed.get(trial)?;
        [false, true].into_iter().find(|side| seal(&self.quiz, trial, *side) == *sealed)
    }

    /// Whether every trial has pictures that are there, and a seal.
    pub fn is_whole(&self) -> bool {
        let there = |at: &u32| (*at as usize) < self.images.len();
        let fits = |trial: &Trial| {
            let all = trial.strongest.iter().chain(&trial.weakest).chain(&trial.pair);
            all.copied().collect::<Vec<u32>>().iter().all(there)
        };
        self.trials.iter().all(fits) && (0..self.trials.len()).all(|at| self.right(at).is_some())
    }
}

/// FNV-1a of the quiz, the trial and the side, which the page computes too.
fn seal(quiz: &str, trial: usize, right: bool) -> u32 {
    let text = format!("{quiz} {trial} {}", if right { "right" } else { "left" });
    text.bytes()
        .fold(0x811c_9dc5, |state, byte| (state ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

fn format<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let found = String::deserialize(deserializer)?;
    match found == FORMAT {
        true => Ok(found),
        false => Err(D::Error::custom(format!("the format is `{found}`, not `{FORMAT}`"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_is_opened_by_the_trial_and_says_nothing_by_itself() {
        let trial = |pair| Trial { strongest: vec![0], weakest: vec![1], pair, catch: false };
        let images = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
        let sides = [true, false, true];
        let trials = vec![trial([2, 3]), trial([3, 2]), trial([0, 3])];
        let quiz = Quiz::new(images, trials, &sides);
        assert!(quiz.is_whole());
        let found: Vec<Option<bool>> = (0..4).map(|at| quiz.right(at)).collect();
        assert_eq!(found, [Some(true), Some(false), Some(true), None]);
        let text = serde_json::to_string(&quiz).expect("JSON");
        assert!(
            !text.contains("right") && !text.contains("left") && !text.contains("true"),
            "{text}"
        );
        assert_eq!(serde_json::from_str::<Quiz>(&text).expect("a quiz"), quiz);
        let broken = Quiz { trials: vec![trial([2, 4])], ..quiz.clone() };
        assert!(!broken.is_whole());
        let other = Quiz { quiz: "0".to_owned(), ..quiz };
        assert!(!other.is_whole());
        assert!(serde_json::from_str::<Quiz>(&text.replace("quiz 1", "quiz 2")).is_err());
    }
}
