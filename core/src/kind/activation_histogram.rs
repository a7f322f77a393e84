//! `activation_histogram`: the distribution of a unit's activations over a data set.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::about::about;
use super::entry::{About, Data, Kind, Scan, form};
use super::field::{Field, Preset, Type};
use super::sample::Sample;
use super::scan::{POOL, Pool};
use super::target;
use super::tuple::tuple;
use super::value::{Values, named, stored};
use crate::statistics::deviations;

about! {
    /// Parameters of the distribution.
    pub struct Params {
        /// Number of buckets of equal width from the smallest to the largest activation.
        pub bins: u32,
        /// The pooling of an activation map to one number.
        pub pool: Pool,
    }
}

/// The result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Images in the data set.
    pub count: u64,
    /// Mean activation.
    pub mean: f64,
    /// Standard deviation (of the population: divided by `count`).
    pub sd: f64,
    /// Smallest activation.
    pub min: f64,
    /// Largest activation.
    pub max: f64,
    /// Quantiles with linear interpolation, for the fractions 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99 and 0.999.
    pub quantiles: Vec<Quantile>,
    /// The `bins` + 1 edges, ascending.
    pub edges: Vec<f64>,
    /// The `bins` counts; the last bucket includes its right edge.
    pub counts: Vec<u64>,
}

tuple! {
    /// A quantile.
    pub struct Quantile {
        /// The fraction of all images, from 0 to 1.
        pub share: f64,
        /// The activation that this fraction does not exceed.
        pub activation: f64,
    }
}

/// A made-up outcome with this greatest activation.
pub fn sample(max: f64) -> Outcome {
    Outcome {
        count: 6,
        mean: 0.5,
        sd: 1.0,
        min: -1.0,
        max,
        quantiles: vec![(0.5, 0.4).into(), (0.99, 2.9).into()],
        edges: vec![-1.0, 1.0, max.max(1.5)],
        counts: vec![4, 2],
    }
}

/// The registry's entry.
pub static KIND: Kind = Kind {
    name: "activation_histogram",
    summary: "the distribution of the activations of a unit or a direction over a data set",
    doc: "A histogram of the unit's pooled activation over the images of the data set, in buckets of equal width, with the mean, the standard deviation and quantiles. A selective unit has a long right tail. Uses the same stored scan of the layer as `dataset_examples`.\n\nThe activation of a direction (`units`, `direction`, `target`) for an image is the dot product of the layer's activations, averaged over positions, with the direction scaled to length 1; at the embedding it is the cosine of the two.",
    example: "id: histogram\nkind: activation_histogram\nlayer: image_block_4/0/Add_6\nunit: 42\n",
    fields: &[
        Field::compute(
            "bins",
            Type::Integer { min: 2, max: 400 },
            "Number of buckets from the smallest to the largest activation.",
        )
        .or(Preset::Integer(40)),
        POOL,
        Field::presentation(
            "scale",
            Type::Choice(&["linear", "log"]),
            "The scale of the count axis. `log` makes a thin tail visible.",
        )
        .or(Preset::Text("linear")),
    ],
    about: About::Unit,
    data: Data::Always,
    scan: Scan::Layer,
    values: Values {
        named: &[
            named("count", "images", "Number of images in the data set."),
            named("mean", "", "The mean activation."),
            named("sd", "", "The standard deviation."),
            named("min", "", "The smallest activation."),
            named("max", "", "The largest activation."),
            named(
                "deviations",
                "standard deviations",
                "The largest activation's distance from the mean.",
            ),
            named("median", "", "The median."),
            named(
                "quantiles[n].share",
                "",
                "The fraction of images below it; also `[share=0.95]`.",
            ),
            named("quantiles[n].activation", "", "The activation at this quantile."),
            named("counts[n]", "images", "Number of images in each bucket."),
            named("edges[n]", "", "The buckets' edges, one more than the number of buckets."),
        ],
        of: |result| stored(result, derive),
    },
    fault: target::pooling,
    form: form::<Params>,
    sample: |_, number| Sample::of(&sample(number), vec![]),
    ..Kind::BASE
};

fn derive(outcome: Outcome, tree: &mut Value) {
    let median = outcome.quantiles.iter().find(|quantile| quantile.share == 0.5);
    tree["median"] = json!(median.map(|quantile| quantile.activation));
    tree["deviations"] = json!(deviations(outcome.max, outcome.mean, outcome.sd));
    tree["quantiles"] = outcome.quantiles.iter().map(Quantile::named).collect();
}
