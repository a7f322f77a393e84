//! `unit_summary`: statistics of a unit's activations over a data set.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::about::about;
use super::entry::{About, Data, Kind, Scan, form};
use super::sample::Sample;
use super::scan::{POOL, Pool};
use super::target;
use super::value::{Values, counted, named, stored};
use crate::statistics::part;

about! {
    /// Parameters of the statistics.
    pub struct Params {
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
    /// Mean activation.
    pub mean: f64,
    /// Standard deviation (of the population: divided by `count`).
    pub sd: f64,
    /// Excess kurtosis of the population: the mean fourth power of the distance from the mean, divided by the squared
    /// variance, less 3; `None` where all activations are the same.
    pub kurtosis: Option<f64>,
    /// Number of images whose activation is exactly zero.
    pub zeros: u64,
    /// Smallest activation.
    pub min: f64,
    /// Largest activation.
    pub max: f64,
}

/// A made-up outcome with this greatest activation.
pub fn sample(max: f64) -> Outcome {
    Outcome { count: 6, mean: 0.5, sd: 1.0, kurtosis: Some(1.5), zeros: 2, min: -1.0, max }
}

/// The registry's entry.
pub static KIND: Kind = Kind {
    name: "unit_summary",
    summary: "statistics of the activations of a unit or a direction over a data set",
    doc: "Computes the mean, the standard deviation, the excess kurtosis, the smallest and the largest of the unit's pooled activations over the images of the data set, and counts the images whose activation is exactly \
          zero. The kurtosis is the mean fourth power of the distance from the mean, divided by the squared variance, \
          less 3: 0 for a normal distribution, positive if a few images activate the unit far more (or less) than \
          most do, and at least −2. Mean, deviation and kurtosis are those of the population, not estimates for a \
          larger one. Uses the same stored scan of the layer as `dataset_examples`, in half precision.\n\nThe activation of a direction (`units`, `direction`, `target`) for an image is the dot product of the layer's activations, averaged over positions, with the direction scaled to length 1; at the embedding it is the cosine of the two.",
    example: "id: summary\nkind: unit_summary\nlayer: image_block_4/0/Add_6\nunit: 42\n",
    fields: &[POOL],
    about: About::Unit,
    data: Data::Always,
    scan: Scan::Layer,
    values: Values {
        named: &[
            counted("images", "count", "images", "The number of images in the data set."),
            named("mean", "", "The mean activation."),
            named("sd", "", "The standard deviation of the activations."),
            named("kurtosis", "", "The excess kurtosis; undefined if all activations are equal."),
            counted(
                "images_at_zero",
                "zeros",
                "images",
                "The number of images whose activation is exactly zero.",
            ),
            named("zero_share", "fraction", "`images_at_zero` divided by `images`."),
            named("min", "", "The smallest activation."),
            named("max", "", "The largest activation."),
        ],
        of: |result| {
            stored(result, |outcome: Outcome, tree| {
                tree["zero_share"] = json!(part(outcome.zeros, outcome.count));
            })
        },
    },
    fault: target::pooling,
    form: form::<Params>,
    sample: |_, number| Sample::of(&sample(number), vec![]),
    ..Kind::BASE
};
