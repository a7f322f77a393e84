//! `quiz`: whether a reader can tell what a unit responds to: trials of a choice between two pictures, answered and scored on a page.

mod page;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

pub use page::{FORMAT, Quiz, Trial};

use super::about::about;
use super::entry::{About, Data, Kind, Scan, form};
use super::field::{Field, Preset, Type};
use super::sample::{Painted, Sample};
use super::scan::{POOL, Pool};
use super::target;
use super::value::{Values, counted, stored};
use crate::statistics::wilson;

/// The output with the [`Quiz`].
pub const QUIZ: &str = "quiz.json";

about! {
    /// Parameters.
    pub struct Params {
        /// Number of trials that are scored.
        pub trials: u32,
        /// Number of references on either side of a trial.
        pub references: u32,
        /// Number of catch trials.
        pub catch: u32,
        /// The fraction of the images that a side is drawn from, where that is enough for the trials.
        pub extreme: f64,
        /// Random seed of what is drawn by lot.
        pub seed: u64,
        /// The pooling of an activation map to one number.
        pub pool: Pool,
    }
}

/// The result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Number of images in the data set.
    pub count: u64,
    /// Number of trials that are scored: fewer than asked for where the data set has too few images.
    pub trials: u64,
    /// Number of catch trials.
    pub catches: u64,
    /// Number of different references on a side. With fewer than a trial has times the trials, they recur.
    pub pool: u64,
    /// The activations of the strongest side's references, the least and the greatest.
    pub strongest: (f64, f64),
    /// Those of its queries.
    pub strongest_queries: (f64, f64),
    /// The activations of the weakest side's references.
    pub weakest: (f64, f64),
    /// Those of its queries.
    pub weakest_queries: (f64, f64),
}

/// The fewest right answers of so many trials that show a reader to be better than chance: from which Wilson's 95 % interval lies above
/// one half. `None` if even all of them do not.
pub fn needed(trials: u64) -> Option<u64> {
    (0..=trials).find(|right| wilson(*right, trials).0 > 0.5)
}

/// A made-up outcome whose strongest reference has this activation.
pub fn sample(greatest: f64) -> Outcome {
    Outcome {
        count: 1494,
        trials: 20,
        catches: 3,
        pool: 55,
        strongest: (greatest - 0.5, greatest),
        strongest_queries: (greatest - 0.75, greatest - 0.5),
        weakest: (-2.0, -1.5),
        weakest_queries: (-1.5, -1.25),
    }
}

/// The registry's entry.
pub static KIND: Kind = Kind {
    name: "quiz",
    summary: "a test of the reader: which of two pictures activates the unit more, given pictures that activate it most and least",
    doc: "A figure may look convincing and tell a reader nothing. The quiz measures what a reader has understood: in each trial nine pictures that activate the unit most stand on one side, nine that activate it least on the other, and of two further pictures, one from either end, the reader says which belongs to the strongest. The pictures to choose from are held out: none is a reference in any trial. The figure links to a page of its own with everything in it, which works from a disk; it is answered with the keys ← and →, asks how sure the reader is, keeps the answers in the browser, and at the end shows how many were right, with Wilson's 95 % interval, and how many would be needed to show more than chance (15 of 20). Answers are saved as JSON or CSV. Until the end nothing on the page tells what is right.\n\n\
          A reader who only knows which pictures are more striking will be right in more than half of the trials, so compare with a quiz of another unit, or of a `direction` of random weights. In a *catch trial*, the picture to choose is one of the references; who misses those did not look, and the result says so.\n\n\
          How pictures are drawn: a side is the most extreme `trials` × (`references` + 1) pictures, or the fraction `extreme` of all if that is less. It is divided by activation into as many parts as there are trials; one picture of each, by lot, is to choose from. The others are divided into `references` buckets, and each trial has one of every bucket, so that all are about equally hard. In a small data set references recur, in other company. With fewer than 2 × (`trials` + `references`) pictures, or where the two ends would meet in equal activations, there are fewer trials, and the figure says so.\n\n\
          Method: the two-alternative forced choice of Borowski et al. (*Exemplary Natural Images Explain CNN Activations Better than State-of-the-Art Feature Visualization*, 2021) and Zimmermann et al. (2023), who draw 2 × 110 pictures from 50,000. Uses the same stored scan of the layer as `dataset_examples`.",
    example: "id: quiz\nkind: quiz\nlayer: image_block_4/0/Add_6\nunit: 42\n",
    fields: &[
        Field::compute(
            "trials",
            Type::Integer { min: 1, max: 40 },
            "Number of trials, without catch trials. Fewer than five cannot show anything.",
        )
        .or(Preset::Integer(20)),
        Field::compute(
            "references",
            Type::Integer { min: 1, max: 9 },
            "Number of pictures on either side of a trial.",
        )
        .or(Preset::Integer(9)),
        Field::compute("catch", Type::Integer { min: 0, max: 10 }, "Number of catch trials.")
            .or(Preset::Integer(3)),
        Field::compute(
            "extreme",
            Type::Number { min: 0.001, max: 0.5 },
            "The fraction of the images that a side is drawn from at most, if that is enough for the trials.",
        )
        .or(Preset::Number(0.05)),
        Field::compute("seed", Type::Seed, "Random seed of what is drawn by lot.")
            .or(Preset::Configured),
        POOL,
    ],
    about: About::Unit,
    data: Data::Always,
    scan: Scan::Layer,
    values: Values {
        named: &[
            counted("images", "count", "images", "Number of images in the data set."),
            counted("trials_scored", "scored", "trials", "Number of trials that are scored."),
            counted("trials_catch", "catches", "trials", "Number of catch trials."),
            counted(
                "trials_needed", "needed",
                "trials",
                "The fewest right answers that show more than chance; undefined with fewer than four trials.",
            ),
        ],
        of: |result| stored(result, derive),
    },
    fault: target::pooling,
    form: form::<Params>,
    work: |_| 3.0,
    sample: |_: &Map<String, Value>, number| Sample::of(&sample(number), Vec::<Painted>::new()),
    ..Kind::BASE
};

fn derive(outcome: Outcome, tree: &mut Value) {
    // `trials` is the field.
    tree["scored"] = json!(outcome.trials);
    tree["needed"] = json!(needed(outcome.trials));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_needed_to_beat_chance_is_known() {
        let found = [9, 10, 12, 20, 30].map(needed);
        assert_eq!(found, [Some(8), Some(9), Some(10), Some(15), Some(21)]);
        assert_eq!([0, 3, 4].map(needed), [None, None, Some(4)]);
    }
}
